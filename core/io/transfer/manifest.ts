/**
 * The list of a transfer's files and directories, which is sent before their bytes: blocks of entries in CBOR, each
 * after its length in 4 bytes (big-endian). The same list has the same bytes. By their hash a receiver recognises a
 * transfer.
 */
import * as v from "valibot";
import { type Bytes, concat, utf8 } from "../../base/bytes.ts";
import { decode, encode, integerOf, type Schema, textOf } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { cleanPath } from "../../disk/content/tree-entry.ts";
import { type Clock, sleep } from "../../ports/clock.ts";
import {
  ENTRIES_MAX,
  MANIFEST_BLOCK_BYTES,
  MANIFEST_BLOCK_ENTRIES,
  MANIFEST_BYTES_MAX,
  NAMES_TOLD_MAX,
  PATH_CHARS_MAX,
  TOLD_CHARS_MAX,
  TRANSFER_BYTES_MAX,
} from "./limits.ts";
import type { TransferEntry } from "./types.ts";

const LENGTH_BYTES = 4;
/** A path may have 4 KiB, so one entry more may follow when a block is nearly full. */
const BLOCK_BYTES_MAX = MANIFEST_BLOCK_BYTES + 16 * 1024;
const FOLDER = -1;
const MOMENT_MS_MAX = 8.64e15;

/** Path; size (null for a pipe, -1 for a directory); when it was changed. */
const blockSchema: Schema<(readonly [string, number | null, number])[]> = v.pipe(
  v.array(
    v.tuple([textOf(PATH_CHARS_MAX), v.nullable(integerOf(FOLDER, TRANSFER_BYTES_MAX)), integerOf(0, MOMENT_MS_MAX)]),
  ),
  v.maxLength(MANIFEST_BLOCK_ENTRIES),
);

export async function encodeManifest(entries: readonly TransferEntry[], clock: Clock): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (let at = 0; at < entries.length;) {
    const block: (readonly [string, number | null, number])[] = [];
    let chars = 0;
    while (at < entries.length && block.length < MANIFEST_BLOCK_ENTRIES && chars < MANIFEST_BLOCK_BYTES / 3) {
      const { path, kind, sizeBytes, modifiedMs } = entries[at++] as TransferEntry;
      block.push([path, kind === "folder" ? FOLDER : (sizeBytes ?? null), Math.max(0, Math.round(modifiedMs))]);
      chars += path.length + 20;
    }
    const encoded = encode(block);
    const head = new Uint8Array(LENGTH_BYTES);
    new DataView(head.buffer).setUint32(0, encoded.length);
    parts.push(head, encoded);
    bytes += encoded.length + LENGTH_BYTES;
    if (bytes > MANIFEST_BYTES_MAX)
      throw new StarfishError("too-large", "The names of all files are too long together");
    await sleep(clock, 0);
  }
  return concat(parts);
}

/** Throws "malformed" if it is not a list, or an impossible one (checkEntries). */
export async function decodeManifest(bytes: Bytes, clock: Clock): Promise<TransferEntry[]> {
  const entries: TransferEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + LENGTH_BYTES > bytes.length) throw malformed("ends within a length");
    const length = new DataView(bytes.buffer, bytes.byteOffset + at, LENGTH_BYTES).getUint32(0);
    at += LENGTH_BYTES;
    if (length > BLOCK_BYTES_MAX || at + length > bytes.length) throw malformed("a block is too long");
    for (const [path, size, modifiedMs] of decode(blockSchema, bytes.subarray(at, at + length))) {
      if (size === FOLDER) entries.push({ kind: "folder", path, sizeBytes: 0, modifiedMs });
      else entries.push({ kind: "file", path, sizeBytes: size ?? undefined, modifiedMs });
    }
    at += length;
    if (entries.length > ENTRIES_MAX) throw malformed("too many entries");
    await sleep(clock, 0);
  }
  checkEntries(entries);
  return entries;
}

/**
 * Throws "malformed" for impossible lists: a path that leads out of its directory or that no file can have, two equal
 * paths, a file in the place of a directory, a pipe among other entries. A list that passes can be laid out below any
 * directory.
 */
export function checkEntries(entries: readonly TransferEntry[]): void {
  if (entries.length === 0) throw malformed("nothing in it");
  if (entries.length > ENTRIES_MAX) {
    throw new StarfishError(
      "too-large",
      `One transfer has at most ${ENTRIES_MAX} files and directories: make an archive`,
    );
  }
  const kinds = new Map<string, TransferEntry["kind"]>();
  for (const { path, kind, sizeBytes } of entries) {
    if (path === "" || cleanPath(path) !== path)
      throw malformed(`a path that no file can have: ${JSON.stringify(path)}`);
    if (kinds.has(path)) throw malformed(`${JSON.stringify(path)} is there twice`);
    if (sizeBytes === undefined && entries.length > 1) throw malformed("a pipe among others");
    kinds.set(path, kind);
  }
  for (const path of kinds.keys()) {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const above = kinds.get(path.slice(0, slash));
      if (above === "folder") break;
      if (above === "file") throw malformed(`${JSON.stringify(path.slice(0, slash))} is a file and a directory`);
    }
  }
  if (utf8(entries[0]?.path ?? "").length === 0) throw malformed("nothing in it");
}

export interface Told {
  readonly title: string;
  readonly files: number;
  readonly folders: number;
  /** Null for a pipe. */
  readonly totalBytes: number | null;
  readonly names: [string, number | null][];
}

/** The summary of the entries for a person. */
export function toldOf(entries: readonly TransferEntry[]): Told {
  let files = 0;
  let totalBytes: number | null = 0;
  const roots = new Set<string>();
  for (const { path, kind, sizeBytes } of entries) {
    if (kind === "file") files++;
    totalBytes = totalBytes === null || sizeBytes === undefined ? null : totalBytes + sizeBytes;
    const slash = path.indexOf("/");
    roots.add(slash < 0 ? path : path.slice(0, slash));
  }
  const [first = ""] = roots;
  const title = roots.size === 1 ? first : `${first} and ${roots.size - 1} more`;
  const told = entries.filter(({ kind }) => kind === "file").slice(0, NAMES_TOLD_MAX);
  return {
    title: title.slice(-TOLD_CHARS_MAX).toWellFormed(),
    files,
    folders: entries.length - files,
    totalBytes,
    names: told.map(({ path, sizeBytes }) => [path.slice(-TOLD_CHARS_MAX).toWellFormed(), sizeBytes ?? null]),
  };
}

function malformed(why: string): StarfishError {
  return new StarfishError("malformed", `The list of a transfer's files is impossible: ${why}`);
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { blockSchema };
