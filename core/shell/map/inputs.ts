/** The inputs of a job's chunks: lines of standard input, the numbers of a range, or files. */
import { type Bytes, concat, text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Inputs } from "../../jobs/spec.ts";
import { PAYLOAD_BYTES_MAX } from "../../sandbox/limits.ts";
import { wholeNumber } from "../options.ts";
import type { CommandContext } from "../types.ts";
import { chunksOf, parseRange, type Range, splitRange } from "./split.ts";
import { CHUNK_BYTES_MAX, CHUNKS_MAX, type Options } from "./task.ts";

/** Several for each core of a swarm of tens of nodes, so that a slow node delays nobody for long. */
const CHUNKS_DEFAULT = 64;
const LINES_DEFAULT = 500;
const LINES_MAX = 1_000_000;
/** Numbers of a range that a script gets in one chunk. */
const NUMBERS_MAX = 10_000;
const BLANK = 0x20;
const NEWLINE = 0x0a;

/** "LO HI" of each part of the range. */
export function rangesOf(range: string, chunks: Options[string]): Bytes[] {
  return splitRange(parseRange(range), piecesOf(chunks)).map(({ lo, hi }) => utf8(`${lo} ${hi}`));
}

/** The same as the inputs of a job of the swarm. */
export function rangeInputs(range: string, chunks: Options[string]): Inputs {
  const { lo, hi } = parseRange(range);
  return { from: "range", lo, hi, count: Math.min(piecesOf(chunks), hi - lo) };
}

function piecesOf(chunks: Options[string]): number {
  return typeof chunks === "string" ? wholeNumber(chunks, "--chunks", 1, CHUNKS_MAX) : CHUNKS_DEFAULT;
}

/** Each number of the range on a line of its own. */
export async function* numbersOf(range: string, chunks: Options[string]): AsyncGenerator<Bytes, void, undefined> {
  const { lo, hi } = parseRange(range);
  const least = Math.ceil((hi - lo) / NUMBERS_MAX);
  if (least > CHUNKS_MAX) {
    throw new StarfishError("usage", `--range has more than ${CHUNKS_MAX * NUMBERS_MAX} numbers: cut it in several`);
  }
  for (const part of splitRange({ lo, hi }, Math.max(piecesOf(chunks), least))) yield utf8(listed(part));
}

function listed({ lo, hi }: Range): string {
  let lines = "";
  for (let number = lo; number < hi; number++) lines += `${number}\n`;
  return lines;
}

/** Lines of standard input, `--lines` at a time. */
export function linesOf({ lines }: Options, { stdin }: CommandContext): AsyncIterable<Bytes> {
  const linesMax = typeof lines === "string" ? wholeNumber(lines, "--lines", 1, LINES_MAX) : LINES_DEFAULT;
  return chunksOf(stdin, { linesMax, bytesMin: 0, bytesMax: CHUNK_BYTES_MAX, isBreak: (byte) => byte <= BLANK });
}

/** Names of files: those that were given, or the lines of standard input. */
async function* namesOf(words: readonly string[], { stdin }: CommandContext): AsyncGenerator<string, void, undefined> {
  if (words.length > 0) {
    yield* words;
    return;
  }
  let rest: Bytes = new Uint8Array();
  for await (const part of stdin) {
    const bytes = concat([rest, part]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    yield* linesIn(bytes.subarray(0, end));
    rest = bytes.slice(end);
  }
  yield* linesIn(rest);
}

function linesIn(bytes: Bytes): string[] {
  return text(bytes)
    .split("\n")
    .filter((line) => line !== "");
}

/** The bytes of each file, as one chunk. `names` is told of each file, in order. */
export async function* filesOf(
  words: readonly string[],
  context: CommandContext,
  named: (name: string) => void,
): AsyncGenerator<Bytes, void, undefined> {
  for await (const name of namesOf(words, context)) {
    const parts: Bytes[] = [];
    let length = 0;
    for await (const part of context.input(name)) {
      length += part.length;
      if (length > PAYLOAD_BYTES_MAX) {
        throw new StarfishError("too-large", `${name} has more than ${PAYLOAD_BYTES_MAX} bytes, the most of one task`);
      }
      parts.push(part);
    }
    named(name);
    yield concat(parts);
  }
}
