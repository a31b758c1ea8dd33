/**
 * Combines the outputs of a job's tasks into its result (spec.ts says how). Outputs come in the order of the tasks,
 * each once, so the same job gives the same bytes whichever node combines them.
 */
import { text, utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { COMBINED_BYTES_MAX } from "./limits.ts";

type Outputs = AsyncIterable<readonly [task: number, output: Uint8Array]>;

/** One task's output does not have the form that this way of combining needs. */
export class OutputError extends StarfishError {
  readonly task: number;

  constructor(task: number, code: "malformed" | "too-large", message: string) {
    super(code, message);
    this.task = task;
  }
}

export async function* concatenated(outputs: Outputs): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const [, output] of outputs) yield output;
}

/** "N\n" */
export async function* summed(outputs: Outputs): AsyncGenerator<Uint8Array, void, undefined> {
  let sum = 0n;
  for await (const [task, output] of outputs) for (const line of linesOf(output)) sum += numberOf(task, line.trim());
  yield utf8(`${sum}\n`);
}

/** "NUMBER KEY\n" for each key, the largest number first, then by key. */
export async function* merged(outputs: Outputs): AsyncGenerator<Uint8Array, void, undefined> {
  const sums = new Map<string, bigint>();
  let bytes = 0;
  for await (const [task, output] of outputs) {
    for (const line of linesOf(output)) {
      const blank = line.indexOf(" ");
      if (blank < 0) throw new OutputError(task, "malformed", "A line of the output is no 'NUMBER KEY'");
      const key = line.slice(blank + 1);
      const before = sums.get(key);
      if (before === undefined) bytes = roomFor(task, bytes, key.length);
      sums.set(key, (before ?? 0n) + numberOf(task, line.slice(0, blank)));
    }
  }
  const all = [...sums].sort(([a, m], [b, n]) => (n > m ? 1 : n < m ? -1 : byCodePoints(a, b)));
  yield* inPieces(all.map(([key, sum]) => `${sum} ${key}`));
}

/** All lines, sorted by their bytes. */
export async function* sorted(outputs: Outputs): AsyncGenerator<Uint8Array, void, undefined> {
  const all: string[] = [];
  let bytes = 0;
  for await (const [task, output] of outputs) {
    for (const line of linesOf(output)) {
      bytes = roomFor(task, bytes, line.length);
      all.push(line);
    }
  }
  yield* inPieces(all.sort(byCodePoints));
}

/** What a line or key costs beyond its letters. */
const LINE_BYTES = 32;
const LINES_PER_PIECE = 1_000;

function roomFor(task: number, bytes: number, length: number): number {
  const now = bytes + length + LINE_BYTES;
  if (now > COMBINED_BYTES_MAX) {
    throw new OutputError(task, "too-large", `The results take more than ${COMBINED_BYTES_MAX} bytes to combine`);
  }
  return now;
}

function linesOf(output: Uint8Array): string[] {
  const lines = text(output).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function numberOf(task: number, word: string): bigint {
  if (!/^-?\d{1,4000}$/.test(word)) {
    throw new OutputError(task, "malformed", `The output says '${word.slice(0, 40)}' where a whole number is wanted`);
  }
  return BigInt(word);
}

/** The order of UTF-8 bytes. It is the order of UTF-16 units, except for characters that take two units. */
function byCodePoints(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const [isPairX, isPairY] = [isHalf(x), isHalf(y)];
    return isPairX === isPairY ? x - y : isPairX ? 1 : -1;
  }
  return a.length - b.length;
}

function isHalf(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

async function* inPieces(lines: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (let i = 0; i < lines.length; i += LINES_PER_PIECE) {
    yield await Promise.resolve(
      utf8(
        lines
          .slice(i, i + LINES_PER_PIECE)
          .map((line) => `${line}\n`)
          .join(""),
      ),
    );
  }
}
