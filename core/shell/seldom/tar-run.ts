/** The code of `tar`. The archive code is the same as that of `get --tar` and `put --unpack`. */
import { Gunzip, Gzip } from "fflate";
import { type Bytes, concat } from "../../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { crc32 } from "../../disk/content/crc32.ts";
import { DEFLATE_BYTES, INFLATE_BYTES } from "../../disk/content/limits.ts";
import { writeTar } from "../../disk/content/tar.ts";
import { readTar } from "../../disk/content/tar-read.ts";
import { type FileEntry, type FolderEntry, isOfEntry, type TreeEntry } from "../../disk/content/tree-entry.ts";
import { getopt, type Options } from "../getopt.ts";
import { decodeText } from "../language/bytes.ts";
import { absolutePath } from "../language/glob.ts";
import { reasonOf } from "../language/redirect.ts";
import { join, parentOf } from "../namespace/paths.ts";
import { isLike } from "../utilities/names.ts";
import { TAR_SPECS } from "../utilities/tar.ts";
import type { UtilityContext } from "../utilities/utility.ts";
import { archived } from "./archived.ts";

export async function runTar(context: UtilityContext): Promise<number> {
  const options = optionsOf(context);
  const modes = ["c", "x", "t"].filter((letter) => options.has(letter) || (letter === "x" && options.has("get")));
  if (modes.length !== 1) throw new StarfishError("usage", "one of -c, -x and -t is needed");
  const work = new Tar(context, options);
  const status = modes[0] === "c" ? await work.create() : await work.read(modes[0] === "t");
  if (status !== 0) await context.problem("Exiting with failure status due to previous errors");
  return status;
}

/** `tar xzf FILE`: letters without a dash, whose values follow in their order. */
function optionsOf({ args, options }: UtilityContext): Options {
  const [first = "", ...rest] = args;
  if (!/^[A-Za-z]+$/.test(first)) return options;
  const words: string[] = [];
  for (const letter of first) {
    words.push(`-${letter}`);
    if (TAR_SPECS[letter]?.value === true) {
      const value = rest.shift();
      if (value === undefined) throw new StarfishError("usage", `option requires an argument -- '${letter}'`);
      words.push(value);
    }
  }
  return getopt([...words, ...rest], TAR_SPECS);
}

class Tar {
  readonly #context: UtilityContext;
  readonly #options: Options;
  readonly #archive: string;
  readonly #root: string;
  readonly #excluded: readonly string[];
  #status = 0;

  constructor(context: UtilityContext, options: Options) {
    this.#context = context;
    this.#options = options;
    this.#archive = options.value("f") ?? "-";
    this.#root = context.path(options.value("C") ?? ".");
    this.#excluded = options.values("exclude");
  }

  async create(): Promise<number> {
    const { names, path, signal, outBytes, terminal } = this.#context;
    const sources = [...this.#options.operands];
    const list = this.#options.value("T");
    if (list !== undefined) sources.push(...(await this.#lines(list)));
    if (sources.length === 0) throw new StarfishError("usage", "Cowardly refusing to create an empty archive");
    const isZipped = this.#options.has("z") || (this.#options.has("a") && /\.(?:t?gz|taz)$/.test(this.#archive));
    const bytes = isZipped ? zipped(writeTar(this.#packed(sources))) : writeTar(this.#packed(sources));
    if (this.#archive !== "-") await names.write(path(this.#archive), bytes, { signal });
    else if (terminal.stdout !== undefined)
      throw new StarfishError("usage", "Refusing to write archive contents to terminal (missing -f option?)");
    else for await (const piece of bytes) await outBytes(piece);
    return this.#status;
  }

  async #lines(file: string): Promise<string[]> {
    const pieces: Bytes[] = [];
    for await (const piece of this.#context.input(file)) pieces.push(Uint8Array.from(piece));
    return decodeText(concat(pieces))
      .split("\n")
      .filter((line) => line !== "");
  }

  async *#packed(sources: readonly string[]): AsyncGenerator<FileEntry | FolderEntry, void, undefined> {
    const context = this.#context;
    const archive = context.path(this.#archive);
    const skips = (shown: string, path: string): boolean => path === archive || this.#isExcluded(shown);
    for (const source of sources) {
      const path = absolutePath(source, this.#root);
      if ((await context.names.stat(path, { signal: context.signal })) === undefined) {
        await this.#failed(`${source}: Cannot stat: No such file or directory`);
        continue;
      }
      const shown = source.replace(/^\/+/, "").replace(/\/+$/, "");
      for await (const entry of archived(shown === "" ? "." : shown, path, { context, isDeep: true, skips })) {
        if (this.#options.has("v")) await this.#told(entry.kind === "folder" ? `${entry.path}/` : entry.path);
        yield entry;
      }
    }
  }

  #isExcluded(path: string): boolean {
    const parts = path.split("/");
    return this.#excluded.some((pattern) => isLike(path, pattern) || parts.some((part) => isLike(part, pattern)));
  }

  /** Names go to standard error if standard output has the archive. */
  async #told(line: string): Promise<void> {
    const { out, stderr } = this.#context;
    if (this.#archive === "-" && this.#options.has("c")) await stderr.print(`${line}\n`);
    else await out(`${line}\n`);
  }

  async #failed(message: string): Promise<void> {
    this.#status = 2;
    await this.#context.problem(message);
  }

  async read(isListing: boolean): Promise<number> {
    const { operands } = this.#options;
    const unmatched = new Set(operands);
    const stripped = Number(this.#options.value("strip-components") ?? 0);
    if (!Number.isInteger(stripped) || stripped < 0) throw new StarfishError("usage", "Invalid number of elements");
    const source = this.#context.input(this.#archive);
    try {
      for await (const entry of readTar(unzipped(source))) {
        const matching = operands.filter((one) => isWithin(entry.path, one));
        if ((operands.length > 0 && matching.length === 0) || this.#isExcluded(entry.path)) continue;
        for (const one of matching) unmatched.delete(one);
        if (isListing) await this.#list(entry);
        else await this.#extract(entry, entry.path.split("/").slice(stripped).join("/"));
      }
    } catch (error) {
      if (!isStarfishError(error) || !/^(malformed|not-found|is-a-directory)$/.test(error.code)) throw error;
      const why = error.code === "malformed" ? error.message : `Cannot open: ${reasonOf(error)}`;
      await this.#failed(`${this.#archive}: ${why}`);
    }
    for (const one of unmatched) await this.#failed(`${one}: Not found in archive`);
    return this.#status;
  }

  async #list(entry: TreeEntry): Promise<void> {
    const { out } = this.#context;
    const shown = entry.kind === "folder" ? `${entry.path === "" ? "." : entry.path}/` : entry.path;
    if (!this.#options.has("v")) return await out(`${shown}\n`);
    const sizeBytes = entry.kind === "file" ? entry.sizeBytes : 0;
    const modifiedMs = entry.kind === "file" || entry.kind === "folder" ? (entry.modifiedMs ?? 0) : 0;
    const time = new Date(modifiedMs).toISOString().slice(0, 16).replace("T", " ");
    const mode = { folder: "drwxr-xr-x", file: "-rw-r--r--", link: "hrw-r--r--", other: "lrwxrwxrwx" }[entry.kind];
    const target = entry.kind === "link" ? ` link to ${entry.to}` : "";
    await out(`${mode} 0/0 ${String(sizeBytes).padStart(15)} ${time} ${shown}${target}\n`);
  }

  async #extract(entry: TreeEntry, path: string): Promise<void> {
    if (path === "" && entry.kind !== "folder") return;
    try {
      if (this.#options.has("O")) {
        if (entry.kind === "file") for await (const piece of entry.content) await this.#context.outBytes(piece);
        return;
      }
      await this.#place(entry, join(this.#root, path));
      if (this.#options.has("v")) await this.#told(entry.kind === "folder" ? `${entry.path}/` : entry.path);
    } catch (error) {
      const isOfOne = isOfEntry(error) || (isStarfishError(error) && /^(exists|.*directory)$/.test(error.code));
      if (!isOfOne || this.#context.signal.aborted) throw error;
      const why = isStarfishError(error) && error.code === "exists" ? "File exists" : reasonOf(error);
      await this.#failed(`${entry.path}: Cannot open: ${why}`);
    }
  }

  /** The path is relative and has no `..`: the reader of archives ensures that (cleanPath). */
  async #place(entry: TreeEntry, target: string): Promise<void> {
    const { names, signal } = this.#context;
    const there = await names.stat(target, { signal });
    if (entry.kind === "other") {
      this.#status = 2;
      return await this.#context.problem(`${entry.path}: Cannot create, skipped: ${entry.what}`);
    }
    if (entry.kind === "folder") return there?.kind === "directory" ? undefined : await this.#makeDirectory(target);
    if (there !== undefined && this.#options.has("k")) throw new StarfishError("exists", "File exists");
    await this.#makeDirectory(parentOf(target));
    if (entry.kind === "link") await names.copy(join(this.#root, entry.to), target, { signal });
    else await names.write(target, entry.content, { signal });
  }

  async #makeDirectory(path: string): Promise<void> {
    const { names, signal } = this.#context;
    const missing: string[] = [];
    for (let at = path; at !== "/" && (await names.stat(at, { signal })) === undefined; at = parentOf(at))
      missing.unshift(at);
    for (const directory of missing) await names.makeDirectory(directory, { signal });
  }
}

/** Whether an entry is what was asked for, or below it. */
function isWithin(path: string, wanted: string): boolean {
  const clean = wanted.replace(/^(?:\.?\/+)+/, "").replace(/\/+$/, "");
  return path === clean || path.startsWith(`${clean}/`) || clean === "" || clean === "." || isLike(path, clean);
}

async function* zipped(source: AsyncIterable<Bytes>): AsyncGenerator<Uint8Array, void, undefined> {
  let out: Uint8Array[] = [];
  const gzip = new Gzip({ level: 6 }, (bytes) => out.push(bytes));
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += DEFLATE_BYTES) {
      gzip.push(bytes.subarray(at, at + DEFLATE_BYTES));
      yield* out;
      out = [];
    }
  }
  gzip.push(new Uint8Array(0), true);
  yield* out;
}

/** What gzip has packed is unpacked, with its checksum compared; anything else comes as it is. */
async function* unzipped(source: AsyncIterable<Bytes>): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Bytes = new Uint8Array(0);
  let gunzip: Unzipping | undefined;
  let isPlain = false;
  for await (const bytes of source) {
    if (isPlain) yield bytes;
    else if (gunzip !== undefined) yield* gunzip.push(bytes);
    else {
      head = concat([head, bytes]);
      if (head.length < 2) continue;
      if (head[0] === 0x1f && head[1] === 0x8b) yield* (gunzip = new Unzipping()).push(head);
      else {
        isPlain = true;
        yield head;
      }
    }
  }
  if (gunzip !== undefined) yield* gunzip.end();
  else if (!isPlain) yield head;
}

class Unzipping {
  readonly #gunzip: Gunzip;
  #out: Uint8Array[] = [];
  #members = 0;
  #crc = 0;
  #length = 0;
  #tail: Bytes = new Uint8Array(0);

  constructor() {
    this.#gunzip = new Gunzip((bytes) => this.#out.push(bytes));
    this.#gunzip.onmember = () => this.#members++;
  }

  *push(bytes: Bytes, isLast = false): Generator<Uint8Array, void, undefined> {
    this.#tail = concat([this.#tail, bytes.subarray(-8)]).subarray(-8);
    for (let at = 0; at < Math.max(1, bytes.length); at += INFLATE_BYTES) {
      try {
        this.#gunzip.push(bytes.subarray(at, at + INFLATE_BYTES), isLast);
      } catch (error) {
        throw new StarfishError("malformed", `not in gzip format: ${messageOf(error)}`, { cause: error });
      }
      const out = this.#out;
      this.#out = [];
      for (const piece of out) {
        this.#crc = crc32(piece, this.#crc);
        this.#length += piece.length;
        yield piece;
      }
    }
  }

  *end(): Generator<Uint8Array, void, undefined> {
    yield* this.push(new Uint8Array(0), true);
    // The last 8 bytes are the checksum and the length of the last member; with several, only that one's.
    if (this.#members > 1) return;
    const view = new DataView(this.#tail.buffer, this.#tail.byteOffset, this.#tail.length);
    const isRight =
      this.#tail.length === 8 &&
      view.getUint32(0, true) === this.#crc &&
      view.getUint32(4, true) === this.#length % 2 ** 32;
    if (!isRight) throw new StarfishError("malformed", "the gzip data are damaged or end early");
  }
}
