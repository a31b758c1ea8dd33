/** Reads a line from a descriptor; the bytes after it stay for the next reader. */
import { concat } from "../../base/bytes.ts";
import { decodeText, encodeText } from "./bytes.ts";
import type { Descriptor } from "./descriptor.ts";
import { ShellFault } from "./faults.ts";
import { TEXT_CHARS_MAX } from "./limits.ts";

export interface ReadOptions {
  /** One character; "" is NUL. */
  readonly delimiter: string;
  /** At most this many characters, if given. */
  readonly count?: number | undefined;
  /** Whether the delimiter does not end the line (`read -N`). */
  readonly isExact?: boolean;
  /** Whether a backslash quotes the delimiter and joins lines, so that reading goes on. */
  readonly hasEscapes?: boolean;
}

export interface Line {
  /** Without the delimiter. */
  readonly text: string;
  /** Whether the line ended as it should, and not at the end of the input. */
  readonly isEnded: boolean;
}

export async function readLine(input: Descriptor, options: ReadOptions): Promise<Line | undefined> {
  const [delimiter = 0] = options.delimiter === "" ? [0] : encodeText(options.delimiter);
  const parts: Uint8Array[] = [];
  let length = 0;
  let isEscaped = false;
  for (;;) {
    const piece = await input.read();
    if (piece === undefined) {
      return length === 0 ? undefined : { text: decodeText(concat(parts)), isEnded: false };
    }
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i] ?? 0;
      if (isEscaped) {
        isEscaped = false;
      } else if (options.hasEscapes === true && byte === 0x5c) isEscaped = true;
      else if (byte === delimiter && options.isExact !== true) {
        parts.push(piece.subarray(0, i));
        input.unread(piece.subarray(i + 1));
        return { text: decodeText(concat(parts)), isEnded: true };
      }
      if (options.count !== undefined && isCounted([...parts, piece.subarray(0, i + 1)], options, piece, i)) {
        parts.push(piece.subarray(0, i + 1));
        input.unread(piece.subarray(i + 1));
        return { text: decodeText(concat(parts)), isEnded: true };
      }
    }
    parts.push(piece);
    length += piece.length;
    if (length > TEXT_CHARS_MAX) throw new ShellFault(`a line has at most ${TEXT_CHARS_MAX} bytes`);
  }
}

function isCounted(
  parts: readonly Uint8Array[],
  { count = 0, hasEscapes }: ReadOptions,
  piece: Uint8Array,
  at: number,
): boolean {
  // The next byte may belong to the same character.
  if (((piece[at + 1] ?? 0) & 0xc0) === 0x80) return false;
  const text = decodeText(concat(parts));
  const counted = hasEscapes === true ? text.replaceAll(/\\\n/g, "").replaceAll(/\\(.)/gsu, "$1") : text;
  return Array.from(counted).length >= count && !(hasEscapes === true && /(?:^|[^\\])(?:\\\\)*\\$/.test(text));
}
