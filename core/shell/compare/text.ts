/** Whole files in memory, up to a bound. */
import { concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { bytesWords } from "../format.ts";
import { decodeText } from "../language/bytes.ts";
import type { Side } from "./hunks.ts";
import { BINARY_LOOK_BYTES, TEXT_BYTES_MAX } from "./limits.ts";

export async function wholeBytes(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > TEXT_BYTES_MAX)
      throw new StarfishError("too-large", `it is larger than ${bytesWords(TEXT_BYTES_MAX)}`);
    pieces.push(Uint8Array.from(piece));
  }
  return concat(pieces);
}

export function looksBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, BINARY_LOOK_BYTES).includes(0);
}

export function sideOf(bytes: Uint8Array): Side {
  const lines = decodeText(bytes).split("\n");
  const isEnded = lines.at(-1) === "";
  if (isEnded) lines.pop();
  return { lines, isEnded };
}
