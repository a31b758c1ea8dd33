/** The code of `zip` and `unzip`. The archive code is the same as that of `get --zip` and `put --unpack`. */
import { concat } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { RandomAccess } from "../../disk/content/random-access.ts";
import { type FileEntry, type FolderEntry, isOfEntry, type TreeEntry } from "../../disk/content/tree-entry.ts";
import { readZip, writeZip } from "../../disk/content/zip.ts";
import { LEVELS_MAX } from "../compare/limits.ts";
import { reasonOf } from "../language/redirect.ts";
import { join, parentOf } from "../namespace/paths.ts";
import { isLike } from "../utilities/names.ts";
import type { UtilityContext } from "../utilities/utility.ts";

/** Info-ZIP's statuses. */
const NOTHING_TO_DO = 12;
const NOT_CREATED = 15;
const NO_ARCHIVE = 9;
const NO_MATCH = 11;

export async function runZip(context: UtilityContext): Promise<number> {
  const { operands, names, path, signal, problem, outBytes } = context;
  const [archive, ...sources] = operands;
  if (archive === undefined || sources.length === 0) throw new StarfishError("usage", "ARCHIVE and PATH are needed");
  if (archive !== "-" && (await names.stat(path(archive), { signal })) !== undefined) {
    await problem(`error: ${archive} is there, and is not added to; remove it first`);
    return NOT_CREATED;
  }
  const found: string[] = [];
  for (const source of sources) {
    if ((await names.stat(path(source), { signal })) !== undefined) found.push(source);
    else await problem(`warning: name not matched: ${source}`);
  }
  if (found.length === 0) {
    await problem(`error: Nothing to do! (${archive})`);
    return NOTHING_TO_DO;
  }
  const bytes = writeZip(packed(found, context));
  if (archive === "-") for await (const piece of bytes) await outBytes(piece);
  else await names.write(path(archive), bytes, { signal });
  return 0;
}

async function* packed(
  sources: readonly string[],
  context: UtilityContext,
): AsyncGenerator<FileEntry | FolderEntry, void, undefined> {
  const { operands, path, options, out } = context;
  for (const source of sources) {
    const shown = source.replace(/^(\.{0,2}\/+)+/, "").replace(/\/+$/, "");
    for await (const entry of below(shown, path(source), 0, context)) {
      const isTold = !options.has("q") && operands[0] !== "-";
      if (isTold) await out(`  adding: ${entry.path}${entry.kind === "folder" ? "/" : ""} (stored 0%)\n`);
      yield entry;
    }
  }
}

async function* below(
  shown: string,
  path: string,
  level: number,
  context: UtilityContext,
): AsyncGenerator<FileEntry | FolderEntry, void, undefined> {
  const { names, signal, options } = context;
  const entry = await names.entry(path, { signal });
  if (entry === undefined || path === context.path(context.operands[0] ?? "")) return;
  const modifiedMs = entry.modifiedAtMs;
  if (entry.kind !== "directory") {
    const { sizeBytes } = entry;
    if (sizeBytes === undefined)
      throw new StarfishError("unsupported", `${shown}: its size is known only by reading; copy it first`);
    yield { kind: "file", path: shown, sizeBytes, modifiedMs, content: names.read(path, { signal }) };
    return;
  }
  if (level >= LEVELS_MAX) throw new StarfishError("too-large", `${shown}: too many directories in one another`);
  if (shown !== "" && shown !== ".") yield { kind: "folder", path: shown, modifiedMs };
  if (!options.has("r")) return;
  const entries = [...(await names.list(path, { signal }))].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name } of entries) {
    const under = shown === "" || shown === "." ? name : `${shown}/${name}`;
    yield* below(under, join(path, name), level + 1, context);
  }
}

export async function runUnzip(context: UtilityContext): Promise<number> {
  const { operands, names, path, signal, problem, out, options } = context;
  const [archive, ...patterns] = operands;
  if (archive === undefined) throw new StarfishError("usage", "ARCHIVE is missing");
  let target = path(archive);
  if ((await names.stat(target, { signal })) === undefined) target = path(`${archive}.zip`);
  const entry = await names.stat(target, { signal });
  if (entry?.kind !== "file") {
    await problem(`cannot find or open ${archive}, ${archive}.zip.`);
    return NO_ARCHIVE;
  }
  const unzip = new Unzip(context);
  const isQuiet = options.has("q") || options.has("p");
  if (!isQuiet) await out(`Archive:  ${archive}\n`);
  if (options.has("l")) await out("  Length      Date    Time    Name\n---------  ---------- -----   ----\n");
  const unmatched = new Set(patterns);
  for await (const one of readZip(accessTo(target, entry.sizeBytes, context), signal)) {
    const shown = one.kind === "folder" ? `${one.path}/` : one.path;
    const matching = patterns.filter((pattern) => isLike(shown, pattern));
    if (patterns.length > 0 && matching.length === 0) continue;
    for (const pattern of matching) unmatched.delete(pattern);
    await unzip.take(one);
  }
  if (options.has("l")) await out(unzip.sum());
  for (const pattern of unmatched) await problem(`caution: filename not matched:  ${pattern}`);
  return unmatched.size > 0 ? NO_MATCH : 0;
}

function accessTo(path: string, sizeBytes: number, { names, signal }: UtilityContext): RandomAccess {
  return {
    sizeBytes,
    async read(at, length) {
      const pieces: Uint8Array[] = [];
      for await (const piece of names.read(path, { from: at, to: at + length, signal }))
        pieces.push(Uint8Array.from(piece));
      return concat(pieces);
    },
  };
}

class Unzip {
  readonly #context: UtilityContext;
  readonly #root: string;
  readonly #shownRoot: string;
  #count = 0;
  #bytes = 0;

  constructor(context: UtilityContext) {
    const directory = context.options.value("d");
    this.#context = context;
    this.#root = context.path(directory ?? ".");
    this.#shownRoot = directory === undefined ? "" : `${directory.replace(/\/+$/, "")}/`;
  }

  sum(): string {
    const files = `${this.#count} file${this.#count === 1 ? "" : "s"}`;
    return `---------                     -------\n${String(this.#bytes).padStart(9)}                     ${files}\n`;
  }

  async take(entry: TreeEntry): Promise<void> {
    const { options, problem, out, outBytes, signal } = this.#context;
    if (entry.kind === "other" || entry.kind === "link") {
      await problem(`${entry.path}: passed over: ${entry.kind === "other" ? entry.what : "a link"}`);
      return;
    }
    this.#count++;
    const sizeBytes = entry.kind === "file" ? entry.sizeBytes : 0;
    this.#bytes += sizeBytes;
    if (options.has("l")) {
      const time = new Date(entry.modifiedMs ?? 0).toISOString().slice(0, 16).replace("T", " ");
      const name = entry.kind === "folder" ? `${entry.path}/` : entry.path;
      await out(`${String(sizeBytes).padStart(9)}  ${time}   ${name}\n`);
      return;
    }
    try {
      if (!options.has("p")) await this.#unpack(entry);
      else if (entry.kind === "file") for await (const piece of entry.content) await outBytes(piece);
    } catch (error) {
      const isOfOne = isOfEntry(error) || (isStarfishError(error) && /^(exists|.*directory)$/.test(error.code));
      if (!isOfOne || signal.aborted) throw error;
      await problem(
        `${entry.path}: ${isStarfishError(error) && error.code === "exists" ? error.message : reasonOf(error)}`,
      );
    }
  }

  /** The path is relative and has no `..`: the reader of archives ensures that (cleanPath). */
  async #unpack(entry: FileEntry | FolderEntry): Promise<void> {
    const { names, signal, options, out } = this.#context;
    const target = join(this.#root, entry.path);
    const there = await names.stat(target, { signal });
    const shown = `${this.#shownRoot}${entry.path}`;
    if (entry.kind === "folder") {
      if (there?.kind === "directory") return;
      if (!options.has("q")) await out(`   creating: ${shown}/\n`);
      return await this.#makeDirectory(target);
    }
    if (there !== undefined && options.has("n")) return;
    if (there !== undefined && !options.has("o"))
      throw new StarfishError("exists", "it is there already; -o replaces it, -n keeps it");
    if (!options.has("q")) await out(` extracting: ${shown}\n`);
    await this.#makeDirectory(parentOf(target));
    await names.write(target, entry.content, { signal });
  }

  async #makeDirectory(path: string): Promise<void> {
    const { names, signal } = this.#context;
    const missing: string[] = [];
    for (let at = path; at !== "/" && (await names.stat(at, { signal })) === undefined; at = parentOf(at))
      missing.unshift(at);
    for (const directory of missing) await names.makeDirectory(directory, { signal });
  }
}
