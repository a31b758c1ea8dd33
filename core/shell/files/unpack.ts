/** Unpacks files and directories from an archive, for `put --unpack`. */
import { utf8 } from "../../base/bytes.ts";
import { type ErrorCode, StarfishError } from "../../base/errors.ts";
import type { Blocks } from "../../disk/content/block.ts";
import {
  type FileEntry,
  type FolderEntry,
  isOfEntry,
  type LinkEntry,
  type TreeEntry,
} from "../../disk/content/tree-entry.ts";
import type { FileInfo } from "../../disk/types.ts";
import { abortable } from "../../ports/clock.ts";
import { hashOf } from "./hash.ts";
import { streamOf } from "./host-streams.ts";
import { hostBaseName, placeOf, within } from "./paths.ts";
import { TransferLine } from "./progress.ts";
import { bytesWords, count } from "../format.ts";
import { oneLine } from "../mem/value.ts";
import { noOperands } from "../operands.ts";
import { STATUS } from "../status.ts";
import type { CommandContext, HostFile } from "../types.ts";
import type { Format } from "./pack.ts";

type Context = CommandContext;

/** Unpacks an archive of the user's machine, or standard input. Resolves to the exit status. */
export async function unpack(
  operands: readonly string[],
  asked: Format | undefined,
  isWaiting: boolean,
  context: Context,
): Promise<number> {
  const [source, target] = operands;
  if (source === undefined) throw new StarfishError("usage", "HOSTPATH is missing; '-' is standard input");
  noOperands(operands.slice(2));
  const file = source === "-" ? undefined : await context.host.openFile(source, { signal: context.signal });
  const format = asked ?? formatOf(file?.name ?? source);
  const line = new TransferLine(`put ${oneLine(file?.name ?? "standard input")}`, context);
  const stem = (file?.name ?? "").replace(/\.car$/i, "");
  const place = target === undefined ? context.cwd : placeOf(target, context);
  const unpacking = new Unpacking({ target: place, stem, hasTarget: target !== undefined }, line, context);
  try {
    for await (const entry of entriesOf(format, file, context)) await unpacking.take(entry);
    line.hide();
    if (isWaiting) await unpacking.wait();
  } catch (error) {
    line.hide();
    await unpacking.sayWhatIsThere();
    throw error;
  } finally {
    line.hide();
    await file?.close();
  }
  return await unpacking.report();
}

/** The format, by the ending of the name. Throws "usage" if that names no format. */
function formatOf(name: string): Format {
  const [, extension] = /\.(car|tar|zip)$/i.exec(name) ?? [];
  const format = extension?.toLowerCase();
  if (format === "car" || format === "tar" || format === "zip") return format;
  throw new StarfishError("usage", `'${oneLine(name)}' does not tell the format: add --car, --tar or --zip`);
}

/** A page loads the code that reads archives only when it is needed. */
async function* entriesOf(
  format: Format,
  file: HostFile | undefined,
  { stdin, signal, computer }: Context,
): AsyncGenerator<TreeEntry, void, undefined> {
  if (format === "zip") {
    if (file === undefined) throw new StarfishError("unsupported", "a zip can't be read from a pipe: name the file");
    const { readZip } = await import("../../disk/content/zip.ts");
    yield* readZip(file, signal);
  } else if (format === "tar") {
    const { readTar } = await import("../../disk/content/tar-read.ts");
    yield* readTar(file === undefined ? stdin : streamOf(file, signal));
  } else {
    const { CarStream, openCar } = await import("../../disk/content/car.ts");
    const hash = hashOf(computer.crypto);
    if (file === undefined) {
      await using car = await CarStream.open(stdin, hash);
      yield* walkRoots(car);
    } else {
      yield* walkRoots(await openCar(file, hash, signal));
    }
  }
}

async function* walkRoots(
  car: Blocks & { readonly roots: readonly Parameters<Blocks["get"]>[0][] },
): AsyncGenerator<TreeEntry> {
  if (car.roots.length === 0)
    throw new StarfishError("malformed", "This CAR names no root, so nothing says what is in it");
  const { walkDag } = await import("../../disk/content/unixfs-read.ts");
  for (const root of car.roots) {
    // If there are several roots, the archive does not tell their names.
    const under = car.roots.length === 1 ? [] : [root.toString()];
    try {
      for await (const entry of walkDag(root, car)) {
        yield { ...entry, path: [...under, entry.path].filter((part) => part !== "").join("/") };
      }
    } catch (error) {
      if (car.roots.length === 1 || !isOfEntry(error)) throw error;
      yield { kind: "other", path: root.toString(), what: error.message };
    }
  }
}

/** Errors that concern one entry's target. */
const OF_PLACE: ReadonlySet<ErrorCode> = new Set(["exists", "is-a-directory", "not-a-directory"]);

function isOfPlace(error: unknown): error is StarfishError {
  return error instanceof StarfishError && OF_PLACE.has(error.code);
}

interface Where {
  readonly target: string;
  readonly hasTarget: boolean;
  /** The name of a single file that has none in the archive. */
  readonly stem: string;
}

class Unpacking {
  readonly #where: Where;
  readonly #line: TransferLine;
  readonly #context: Context;
  #safe: Promise<void>[] = [];
  #files = 0;
  #bytes = 0;
  #passedOver = 0;
  /** Names that the tree may treat as equal, though the archive has both (path.ts). ASCII names have one form only. */
  readonly #spellings = new Map<string, string>();

  constructor(where: Where, line: TransferLine, context: Context) {
    this.#where = where;
    this.#line = line;
    this.#context = context;
  }

  /** Rejects with errors that concern more than this entry. */
  async take(entry: TreeEntry): Promise<void> {
    if (entry.kind === "other") return await this.#passOver(entry, entry.what);
    try {
      this.#checkSpelling(entry.path);
      await this.#store(entry);
    } catch (error) {
      if (!isOfEntry(error) && !isOfPlace(error)) throw error;
      await this.#passOver(entry, error.message);
    }
  }

  async wait(): Promise<void> {
    for (const safe of this.#safe) await abortable(this.#context.signal, safe);
  }

  /** Other members can read these files, whatever has failed. */
  async sayWhatIsThere(): Promise<void> {
    if (this.#files === 0) return;
    const are = this.#files === 1 ? "is" : "are";
    await this.#context.lastWords.write(utf8(`put: ${this.#what} ${are} there; 'stat' says how safe by now\n`));
  }

  /** The exit status. */
  async report(): Promise<number> {
    await this.#context.stdout.write(utf8(`${this.#what}\n`));
    if (this.#passedOver === 0) return STATUS.ok;
    const entries = count(this.#passedOver, "entry", "entries");
    await this.#context.stderr.write(utf8(`put: ${entries} passed over, as named above; the rest is there\n`));
    return STATUS.failed;
  }

  get #what(): string {
    return `${count(this.#files, "file")}, ${bytesWords(this.#bytes)}`;
  }

  async #store(entry: FolderEntry | FileEntry | LinkEntry): Promise<void> {
    const { files } = this.#context.computer;
    const path = this.#pathOf(entry);
    if (entry.kind === "folder") return files.makeDirectory(path, { parents: true });
    if (entry.kind === "link") {
      const target = within(this.#where.target, entry.to);
      if (files.stat(target)?.kind !== "file") {
        throw new StarfishError("not-found", `a hard link to ${entry.to}, which is not there`);
      }
      this.#count(files.copy(target, path));
      return;
    }
    const { signal } = this.#context;
    const { info, safe } = await files.write(path, this.#line.through(entry.content), { signal });
    this.#count(info);
    this.#safe.push(safe);
    // Its errors are seen when all are awaited.
    safe.catch(() => {});
  }

  #count({ sizeBytes }: FileInfo): void {
    this.#files++;
    this.#bytes += sizeBytes;
  }

  /** Throws "exists" if another name of the archive has gone to the same path. */
  #checkSpelling(path: string): void {
    if (/^[ -~]*$/.test(path)) return;
    const composed = path.normalize("NFC");
    const before = this.#spellings.get(composed);
    if (before !== undefined && before !== path) {
      throw new StarfishError("exists", "the same name as another one in this archive, in another Unicode form");
    }
    this.#spellings.set(composed, path);
  }

  async #passOver({ path }: { readonly path: string }, why: string): Promise<void> {
    this.#passedOver++;
    this.#line.hide();
    await this.#context.stderr.write(utf8(`put: passed over ${oneLine(path)}: ${oneLine(why)}\n`));
  }

  /** An entry without a path is the archive's only one, and becomes the target itself. */
  #pathOf({ path, kind }: TreeEntry): string {
    const { target, hasTarget, stem } = this.#where;
    if (path !== "") return within(target, path);
    if (kind === "folder" || (hasTarget && !target.endsWith("/"))) return target;
    return within(target, hostBaseName(stem, this.#context.host) || "unpacked");
  }
}
