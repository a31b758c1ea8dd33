/**
 * Inputs of tasks, as a spec names them (spec.ts). A list is two contents: all inputs one after the other, and the end
 * of each, so that a node reads only what it needs. Files are a list of names and CIDs in CBOR.
 */
import * as v from "valibot";
import { type Bytes, concat, utf8 } from "../base/bytes.ts";
import { decode, encode, integerOf, type Schema, textOf } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import { isContentCid } from "../disk/content/block.ts";
import type { ContentRef, Contents } from "../disk/types.ts";
import { PAYLOAD_BYTES_MAX } from "../sandbox/limits.ts";
import {
  FILE_BYTES_MAX,
  FILE_LIST_BYTES_MAX,
  FILE_NAME_CHARS_MAX,
  FILES_MAX,
  INLINE_BYTES_MAX,
  INPUTS_AHEAD,
  INPUTS_AHEAD_BYTES,
  TASKS_PER_JOB_MAX,
} from "./limits.ts";
import { type Content, type Inputs, contentBytes } from "./spec.ts";
import type { FilePiece, JobFile } from "./types.ts";

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of one entry of the list of ends. */
const END_BYTES = 6;
const HALF = 2 ** 24;

type FileRow = readonly [name: string, cid: string, sizeBytes: number];
const filesSchema: Schema<readonly FileRow[]> = v.pipe(
  v.array(
    v.tuple([
      textOf(FILE_NAME_CHARS_MAX),
      v.pipe(textOf(64), v.check(isContentCid, "no CID of a content")),
      integerOf(0, FILE_BYTES_MAX),
    ]),
  ),
  v.maxLength(FILES_MAX),
);

/** A small content is written into the spec; a larger one goes to the disk. */
export async function writeContent(
  contents: Pick<Contents, "put">,
  source: Bytes | AsyncIterable<Bytes>,
  { signal }: Options = {},
): Promise<{ readonly content: Content; readonly safe: Promise<void> }> {
  const stream = source instanceof Uint8Array ? [source] : source;
  const head: Bytes[] = [];
  let size = 0;
  const rest = iterate(stream);
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    head.push(next.value.slice());
    size += next.value.length;
    if (size > INLINE_BYTES_MAX) break;
  }
  if (size <= INLINE_BYTES_MAX) return { content: { bytes: concat(head) }, safe: Promise.resolve() };
  const { ref, safe } = await contents.put(after(head, rest), { signal });
  return { content: ref, safe };
}

async function* iterate(source: Iterable<Bytes> | AsyncIterable<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  yield* source;
}

async function* after(head: readonly Bytes[], rest: AsyncIterable<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  yield* head;
  yield* rest;
}

/**
 * Resolves when all of it is stored. Rejects with "too-large" if an input is larger than a task takes, or the list than
 * a job may have.
 */
export async function writeList(
  contents: Pick<Contents, "put">,
  inputs: AsyncIterable<Bytes> | Iterable<Bytes>,
  { signal }: Options = {},
): Promise<{ readonly bytes: Content; readonly ends: Content; readonly count: number; readonly safe: Promise<void> }> {
  /** Arrays that each have many ends: an array for each end would cost ten times as much. */
  const ends: Uint8Array[] = [];
  let count = 0;
  let end = 0;
  async function* all(): AsyncGenerator<Bytes, void, undefined> {
    for await (const input of inputs) {
      if (input.length > PAYLOAD_BYTES_MAX) {
        throw new StarfishError(
          "too-large",
          `Task ${count}: the input has ${input.length} bytes, the most is ${PAYLOAD_BYTES_MAX}`,
        );
      }
      if (count >= TASKS_PER_JOB_MAX)
        throw new StarfishError("too-large", `A job has ${TASKS_PER_JOB_MAX} tasks at most`);
      const place = count % ENDS_AT_ONCE;
      if (place === 0) ends.push(new Uint8Array(ENDS_AT_ONCE * END_BYTES));
      end += input.length;
      writeEnd(ends.at(-1) ?? new Uint8Array(), place, end);
      count++;
      yield input;
    }
  }
  const bytes = await writeContent(contents, all(), { signal });
  const table = concat(ends).subarray(0, count * END_BYTES);
  const index = await writeContent(contents, table, { signal });
  return { bytes: bytes.content, ends: index.content, count, safe: both(bytes.safe, index.safe) };
}

const ENDS_AT_ONCE = 1_024;

async function both(a: Promise<void>, b: Promise<void>): Promise<void> {
  await Promise.all([a, b]);
}

function writeEnd(table: Uint8Array, place: number, end: number): void {
  const at = place * END_BYTES;
  const [low, high] = [end % HALF, Math.floor(end / HALF)];
  for (let i = 0; i < 3; i++) {
    table[at + i] = (low >>> (8 * i)) & 0xff;
    table[at + 3 + i] = (high >>> (8 * i)) & 0xff;
  }
}

function readEnd(table: Uint8Array, place: number): number {
  const at = place * END_BYTES;
  const three = (from: number): number =>
    (table[from] ?? 0) + (table[from + 1] ?? 0) * 0x100 + (table[from + 2] ?? 0) * 0x10000;
  return three(at) + three(at + 3) * HALF;
}

export async function writeFiles(
  contents: Contents,
  files: Iterable<JobFile>,
  { piece, signal }: { readonly piece?: FilePiece | undefined } & Options = {},
): Promise<{ readonly inputs: Inputs; readonly safe: Promise<void> }> {
  const rows = Array.from(files, ({ name, content }): FileRow => [name, content.cid, content.sizeBytes]);
  const count = rows.reduce((sum, [, , sizeBytes]) => sum + piecesOf(sizeBytes, piece), 0);
  const bytes = encode(rows);
  if (count > TASKS_PER_JOB_MAX || rows.length > FILES_MAX || bytes.length > FILE_LIST_BYTES_MAX) {
    throw new StarfishError("too-large", "These are more files, or more pieces of files, than a job takes");
  }
  const { content, safe } = await writeContent(contents, bytes, { signal });
  return { inputs: { from: "files", list: content, count, ...(piece && { piece }) }, safe };
}

function piecesOf(sizeBytes: number, piece: FilePiece | undefined): number {
  return piece === undefined ? 1 : Math.max(1, Math.ceil(sizeBytes / piece.bytes));
}

/** A whole content. Rejects as `Contents.read` does, and with "too-large". */
export async function readWhole(
  contents: Contents,
  content: Content,
  bytesMax: number,
  options: Options,
): Promise<Bytes> {
  return contentBytes(content) > bytesMax
    ? tooLarge(contentBytes(content), bytesMax)
    : readPart(contents, content, 0, undefined, options);
}

async function readPart(
  contents: Contents,
  content: Content,
  from: number,
  to: number | undefined,
  { signal }: Options,
): Promise<Bytes> {
  if ("bytes" in content) return content.bytes.slice(from, to);
  return concat(await Array.fromAsync(contents.read(content, { from, ...(to !== undefined && { to }), signal })));
}

function tooLarge(size: number, most: number): never {
  throw new StarfishError("too-large", `${size} bytes, the most is ${most}`);
}

/** Reads the inputs of one job's tasks, neighbours together. */
export class InputReader {
  readonly #contents: Contents;
  readonly #inputs: Inputs;
  /** The segment that was read last, because tasks follow each other. */
  #segment: { from: number; to: number; inputs: Promise<Bytes[]> } | undefined;
  #files: Promise<{ file: JobFile; first: number }[]> | undefined;

  constructor(contents: Contents, inputs: Inputs) {
    this.#contents = contents;
    this.#inputs = inputs;
  }

  /** @param end this node will soon ask for the tasks up to here */
  async read(task: number, end: number, options: Options): Promise<Bytes> {
    const inputs = this.#inputs;
    if (inputs.from === "range") return rangeInput(inputs, task);
    if (inputs.from === "files") return this.#readFile(inputs, task, options);
    if (this.#segment === undefined || task < this.#segment.from || task >= this.#segment.to) {
      const to = Math.min(Math.max(end, task + 1), task + INPUTS_AHEAD, inputs.count);
      const segment = { from: task, to, inputs: this.#readList(inputs, task, to, options) };
      this.#segment = segment;
      segment.inputs.then(
        (all) => {
          segment.to = task + all.length;
        },
        () => {
          if (this.#segment === segment) this.#segment = undefined;
        },
      );
    }
    const { from, inputs: reading } = this.#segment;
    const input = (await reading)[task - from];
    // The segment was shorter than expected.
    return input ?? this.read(task, end, options);
  }

  /** The inputs of [from, to), or as many of them as are read at once. */
  async #readList(
    { bytes, ends }: Extract<Inputs, { from: "list" | "graph" }>,
    from: number,
    to: number,
    options: Options,
  ): Promise<Bytes[]> {
    const first = Math.max(0, from - 1);
    const table = await readPart(this.#contents, ends, first * END_BYTES, to * END_BYTES, options);
    const edges = Array.from({ length: table.length / END_BYTES }, (_, i) => readEnd(table, i));
    if (from === 0) edges.unshift(0);
    const begin = edges[0] ?? 0;
    let count = 1;
    while (count < to - from && (edges[count + 1] ?? 0) - begin <= INPUTS_AHEAD_BYTES) count++;
    const end = edges[count] ?? 0;
    if (
      edges.length <= count ||
      end - begin > PAYLOAD_BYTES_MAX ||
      edges.some((edge, i) => edge < (edges[i - 1] ?? 0))
    ) {
      throw new StarfishError("malformed", "This is not a list of inputs");
    }
    const all = await readPart(this.#contents, bytes, begin, end, options);
    return Array.from({ length: count }, (_, i) => all.slice((edges[i] ?? 0) - begin, (edges[i + 1] ?? 0) - begin));
  }

  async #readFile(
    { list, count, piece }: Extract<Inputs, { from: "files" }>,
    task: number,
    options: Options,
  ): Promise<Bytes> {
    this.#files ??= this.#listFiles(list, piece, count, options);
    this.#files.catch(() => (this.#files = undefined));
    const files = await this.#files;
    let low = 0;
    let high = files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((files[middle]?.first ?? 0) <= task) low = middle;
      else high = middle - 1;
    }
    const found = files[low];
    if (found === undefined) throw new StarfishError("malformed", "The list of files is empty");
    const { content } = found.file;
    if (piece === undefined) return readWhole(this.#contents, content, PAYLOAD_BYTES_MAX, options);
    return readPiece(this.#contents, content, piece, task - found.first, options);
  }

  async #listFiles(
    list: Content,
    piece: FilePiece | undefined,
    count: number,
    options: Options,
  ): Promise<{ file: JobFile; first: number }[]> {
    const rows = decode(filesSchema, await readWhole(this.#contents, list, FILE_LIST_BYTES_MAX, options));
    let first = 0;
    const files = rows.map(([name, cid, sizeBytes]) => {
      const file = { file: { name, content: { cid, sizeBytes } }, first };
      first += piecesOf(sizeBytes, piece);
      return file;
    });
    if (first !== count) throw new StarfishError("malformed", "The list of files has another number of tasks");
    return files;
  }
}

function rangeInput({ lo, hi, count }: Extract<Inputs, { from: "range" }>, task: number): Bytes {
  const at = (i: number): number => (i === count ? hi : lo + Math.round(((hi - lo) / count) * i));
  return utf8(`${at(task)} ${at(task + 1)}`);
}

const NEWLINE = 0x0a;

/** The bytes of one piece: unchanged, or the lines that begin in it. */
async function readPiece(
  contents: Contents,
  content: ContentRef,
  { bytes, at }: FilePiece,
  index: number,
  options: Options,
): Promise<Bytes> {
  const from = index * bytes;
  const to = Math.min(from + bytes, content.sizeBytes);
  if (at === "byte") return readPart(contents, content, from, to, options);
  // One byte before: if it ends a line, the next line begins here.
  const begin = Math.max(0, from - 1);
  let part = await readPart(contents, content, begin, to, options);
  const first = from === 0 ? 0 : part.indexOf(NEWLINE) + 1;
  if (from > 0 && first === 0) return new Uint8Array();
  if (begin + first >= to) return new Uint8Array();
  for (let read = to; read < content.sizeBytes && part.at(-1) !== NEWLINE;) {
    const more = await readPart(contents, content, read, read + bytes, options);
    const newline = more.indexOf(NEWLINE);
    part = concat([part, newline < 0 ? more : more.subarray(0, newline + 1)]);
    read += bytes;
    if (part.length > PAYLOAD_BYTES_MAX) tooLarge(part.length, PAYLOAD_BYTES_MAX);
    if (newline >= 0) break;
  }
  return part.slice(first);
}

/** The results, in order, of a job that does not combine them: the list that `writeList` wrote. */
export async function* readListed(
  contents: Contents,
  list: { readonly bytes: Content; readonly ends: Content },
  options: Options,
): AsyncGenerator<Bytes, void, undefined> {
  const count = contentBytes(list.ends) / END_BYTES;
  const reader = new InputReader(contents, { from: "list", ...list, count });
  for (let task = 0; task < count; task++) yield await reader.read(task, count, options);
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { filesSchema };
