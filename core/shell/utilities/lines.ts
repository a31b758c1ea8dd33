/** Streams as lines of text. Bytes that are not UTF-8 are written as they were read (language/bytes.ts). */
import { concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { decodeText } from "../language/bytes.ts";

/** An endless line is refused before it fills the memory. */
export const LINE_BYTES_MAX: number = 64 * 1024 * 1024;

/** Blocks of whole lines; only the last may lack its line break. */
export async function* textBlocks(
  stream: AsyncIterable<Uint8Array>,
  delimiter = 0x0a,
): AsyncGenerator<string, void, undefined> {
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  for await (const piece of stream) {
    const end = piece.lastIndexOf(delimiter) + 1;
    if (end === 0) {
      kept.push(Uint8Array.from(piece));
      keptBytes += piece.length;
      if (keptBytes > LINE_BYTES_MAX) {
        throw new StarfishError("too-large", `a line has more than ${LINE_BYTES_MAX} bytes`);
      }
      continue;
    }
    // Only a line that lies in two pieces is copied.
    const first = keptBytes === 0 ? 0 : piece.indexOf(delimiter) + 1;
    if (first > 0) yield decodeText(concat([...kept, piece.subarray(0, first)]));
    if (first < end) yield decodeText(piece.subarray(first, end));
    kept = end < piece.length ? [piece.slice(end)] : [];
    keptBytes = piece.length - end;
  }
  if (keptBytes > 0) yield decodeText(concat(kept));
}

/** The same stream; `opened` is called once it is known to be readable, before its first piece. */
export async function* announced(
  stream: AsyncIterable<Uint8Array>,
  opened: () => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = stream[Symbol.asyncIterator]();
  const first = await pieces.next();
  await opened();
  if (first.done === true) return;
  yield first.value;
  yield* { [Symbol.asyncIterator]: () => pieces };
}

/** The lines of a block, without their breaks. */
export function linesOf(block: string, delimiter = "\n"): string[] {
  const lines = block.split(delimiter);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Line by line. Commands that do little with each line are faster with blocks. */
export async function* lines(
  stream: AsyncIterable<Uint8Array>,
  delimiter = "\n",
): AsyncGenerator<string, void, undefined> {
  for await (const block of textBlocks(stream, delimiter.charCodeAt(0))) yield* linesOf(block, delimiter);
}

/** All lines. Rejects above `bytesMax` bytes. */
export async function allLines(stream: AsyncIterable<Uint8Array>, delimiter = "\n"): Promise<string[]> {
  const all: string[] = [];
  for await (const block of textBlocks(stream, delimiter.charCodeAt(0)))
    for (const line of linesOf(block, delimiter)) all.push(line);
  return all;
}
