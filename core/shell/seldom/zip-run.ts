/** The code of `zip` and `unzip`. The archive code is the same as that of `get --zip` and `put --unpack`. */
import { concat } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { RandomAccess } from "../../disk/content/random-access.ts";
import { type FileEntry, type FolderEntry, isOfEntry } from "../../disk/content/tree-entry.ts";
import { ZIP_ENTRIES_MAX } from "../../disk/content/limits.ts";
import { readZip, type ZipFile, type ZipEntry } from "../../disk/content/zip.ts";
import { type DeflateLevel, type PackedEntry, type WrittenEntry, writeZip } from "../../disk/content/zip-write.ts";
import { reasonOf } from "../language/redirect.ts";
import { join, parentOf } from "../namespace/paths.ts";
import { isLike } from "../utilities/names.ts";
import type { UtilityContext } from "../utilities/utility.ts";
import { archived } from "./archived.ts";

/** Info-ZIP's statuses. */
const NOTHING_TO_DO = 12;
const INVALID = 3;
const NO_ARCHIVE = 9;
const NO_MATCH = 11;
const DAMAGED = 2;
const LEVELS: readonly DeflateLevel[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

type Wanted = FileEntry | FolderEntry | PackedEntry;

export async function runZip(context: UtilityContext): Promise<number> {
  const { operands, names, path, signal, problem, outBytes } = context;
  const [archive, ...sources] = operands;
  if (archive === undefined || sources.length === 0) throw new StarfishError("usage", "ARCHIVE and PATH are needed");
  const target = archive === "-" ? undefined : await archivePath(archive, context);
  const found: string[] = [];
  for (const source of sources) {
    if ((await names.stat(path(source), { signal })) !== undefined) found.push(source);
    else await problem(`warning: name not matched: ${source}`);
  }
  const added = new Map<string, FileEntry | FolderEntry>();
  for (const source of found) await collect(source, target, added, context);
  if (added.size === 0) {
    await problem(`error: Nothing to do! (${archive})`);
    return NOTHING_TO_DO;
  }
  const old = target === undefined ? [] : await entriesThere(target, context);
  if (old === undefined) return INVALID;
  const bytes = writeZip(merged(old, added), {
    level: levelOf(context),
    written: async (entry) => await tell(entry, added, old, context),
  });
  if (target === undefined) for await (const piece of bytes) await outBytes(piece);
  else await names.write(target, bytes, { signal });
  return 0;
}

/** As Info-ZIP, which appends ".zip" to a name without a dot. */
async function archivePath(archive: string, { names, path, signal }: UtilityContext): Promise<string> {
  const isThere = (await names.stat(path(archive), { signal })) !== undefined;
  return path(isThere || (archive.split("/").at(-1) ?? "").includes(".") ? archive : `${archive}.zip`);
}

function levelOf({ options }: UtilityContext): DeflateLevel | undefined {
  return LEVELS.find((level) => String(level) === options.last(...LEVELS.map(String)));
}

/** What the archive has already; undefined if it can't be added to, which has been told. */
async function entriesThere(target: string, context: UtilityContext): Promise<Wanted[] | undefined> {
  const { names, signal, problem } = context;
  const there = await names.entry(target, { signal });
  if (there === undefined) return [];
  const entries: Wanted[] = [];
  const source = accessTo(target, there.sizeBytes ?? 0, context);
  try {
    for await (const entry of readZip(source, signal)) {
      if (entry.kind === "folder") entries.push(entry);
      else if (entry.kind === "file" && entry.packed !== undefined) entries.push(entry.packed);
      else throw new StarfishError("unsupported", `${entry.path} in it can't be kept`);
    }
    return entries;
  } catch (error) {
    if (!isStarfishError(error, "malformed") && !isStarfishError(error, "unsupported")) throw error;
    await problem(`error: nothing is added to ${target}: ${error.message}`);
    return undefined;
  }
}

/** New entries in the places of old ones of the same name, then those that are new. */
async function* merged(
  old: readonly Wanted[],
  added: ReadonlyMap<string, FileEntry | FolderEntry>,
): AsyncGenerator<Wanted, void, undefined> {
  const replaced = new Set<string>();
  for (const entry of old) {
    const key = keyOf(entry);
    const newer = added.get(key);
    if (replaced.has(key)) continue;
    replaced.add(key);
    yield newer ?? entry;
  }
  for (const [key, entry] of added) if (!replaced.has(key)) yield entry;
}

async function tell(
  entry: WrittenEntry,
  added: ReadonlyMap<string, unknown>,
  old: readonly Wanted[],
  { options, operands, out }: UtilityContext,
): Promise<void> {
  const key = keyOf(entry);
  if (!added.has(key) || options.has("q") || operands[0] === "-") return;
  const word = old.some((one) => keyOf(one) === key) ? "updating" : "  adding";
  const { sizeBytes, packedBytes, isDeflated } = entry;
  const saved = sizeBytes === 0 ? 0 : Math.round((100 * (sizeBytes - packedBytes)) / sizeBytes);
  await out(`${word}: ${key} (${isDeflated ? "deflated" : "stored"} ${isDeflated ? saved : 0}%)\n`);
}

function keyOf({ kind, path }: { readonly kind: string; readonly path: string }): string {
  return kind === "folder" ? `${path}/` : path;
}

async function collect(
  source: string,
  target: string | undefined,
  into: Map<string, FileEntry | FolderEntry>,
  context: UtilityContext,
): Promise<void> {
  const { path, options } = context;
  const shown = source.replace(/^(\.{0,2}\/+)+/, "").replace(/\/+$/, "");
  const excluded = options.values("x");
  const archiving = { context, isDeep: options.has("r"), skips: (_: string, there: string) => there === target };
  for await (const found of archived(shown === "." ? "" : shown, path(source), archiving)) {
    if (excluded.some((pattern) => isLike(keyOf(found), pattern))) continue;
    if (options.has("j") && found.kind === "folder") continue;
    const entry = options.has("j") ? { ...found, path: found.path.split("/").at(-1) ?? found.path } : found;
    if (into.size === ZIP_ENTRIES_MAX)
      throw new StarfishError("too-large", `a zip has at most ${ZIP_ENTRIES_MAX} files and directories here; use tar`);
    into.set(keyOf(entry), entry);
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
  const excluded = options.values("x");
  if (!isQuiet) await out(`Archive:  ${archive}\n`);
  if (options.has("l")) await out("  Length      Date    Time    Name\n---------  ---------- -----   ----\n");
  const unmatched = new Set(patterns);
  for await (const one of readZip(accessTo(target, entry.sizeBytes, context), signal)) {
    const shown = one.kind === "folder" ? `${one.path}/` : one.path;
    const matching = patterns.filter((pattern) => isLike(shown, pattern));
    if (patterns.length > 0 && matching.length === 0) continue;
    for (const pattern of matching) unmatched.delete(pattern);
    if (excluded.some((pattern) => isLike(shown, pattern))) continue;
    await unzip.take(one);
  }
  if (options.has("l")) await out(unzip.sum());
  if (options.has("t")) return await unzip.tested(archive);
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
  #bad = 0;

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

  async take(entry: ZipEntry): Promise<void> {
    const { options, problem, out, outBytes, signal } = this.#context;
    if (entry.kind === "other" || entry.kind === "link") {
      await problem(`${entry.path}: skipped: ${entry.kind === "other" ? entry.what : "a link"}`);
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
      if (options.has("t")) await this.#test(entry);
      else if (!options.has("p")) await this.#unpack(entry);
      else if (entry.kind === "file") for await (const piece of entry.content) await outBytes(piece);
    } catch (error) {
      const isOfOne = isOfEntry(error) || (isStarfishError(error) && /^(exists|.*directory)$/.test(error.code));
      if (!isOfOne || signal.aborted) throw error;
      this.#bad++;
      await problem(
        `${entry.path}: ${isStarfishError(error) && error.code === "exists" ? error.message : reasonOf(error)}`,
      );
    }
  }

  async tested(archive: string): Promise<number> {
    const { out, options } = this.#context;
    if (this.#bad > 0) await out(`At least one error was detected in ${archive}.\n`);
    else if (!options.has("q") || this.#count > 0) await out(`No errors detected in compressed data of ${archive}.\n`);
    return this.#bad > 0 ? DAMAGED : 0;
  }

  async #test(entry: ZipFile | FolderEntry): Promise<void> {
    const { out, options } = this.#context;
    if (entry.kind === "file") for await (const piece of entry.content) void piece;
    const name = entry.kind === "folder" ? `${entry.path}/` : entry.path;
    if (!options.has("q")) await out(`    testing: ${name.padEnd(22)}   OK\n`);
  }

  /** The path is relative and has no `..`: the reader of archives ensures that (cleanPath). */
  async #unpack(entry: ZipFile | FolderEntry): Promise<void> {
    const { names, signal, options, out } = this.#context;
    if (options.has("j") && entry.kind === "folder") return;
    const path = options.has("j") ? (entry.path.split("/").at(-1) ?? entry.path) : entry.path;
    const target = join(this.#root, path);
    const there = await names.stat(target, { signal });
    const shown = `${this.#shownRoot}${path}`;
    if (entry.kind === "folder") {
      if (there?.kind === "directory") return;
      if (!options.has("q")) await out(`   creating: ${shown}/\n`);
      return await this.#makeDirectory(target);
    }
    if (there !== undefined && options.has("n")) return;
    if (there !== undefined && !options.has("o"))
      throw new StarfishError("exists", "it is there already; -o replaces it, -n keeps it");
    const word = entry.packed?.method === 0 ? " extracting" : "  inflating";
    if (!options.has("q")) await out(`${word}: ${shown}\n`);
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
