/**
 * Tells pasted input from typed input: terminals put marks around a paste (bracketed paste, xterm). Pasted bytes must
 * not act as keys, so this comes before everything else that reads the keyboard. Pure.
 */
import { type Bytes, concat } from "../base/bytes.ts";
import { LINE_LENGTH_MAX } from "./language/limits.ts";

export type Input =
  | { readonly kind: "typed"; readonly bytes: Uint8Array }
  /** Begins a paste, which goes on until its end. */
  | { readonly kind: "paste" }
  /** A piece of the paste; `missing` is the number of bytes that could not be kept. */
  | { readonly kind: "pasted"; readonly bytes: Uint8Array; readonly missing: number }
  | { readonly kind: "paste-end" };

/** Bytes of one paste that are kept: a line can't have more letters, and a letter takes up to four bytes. */
export const PASTE_BYTES_MAX: number = 4 * LINE_LENGTH_MAX;

export const PASTE_BEGIN = "\x1b[200~";
export const PASTE_END = "\x1b[201~";
const BEGIN = Array.from(PASTE_BEGIN, (letter) => letter.charCodeAt(0));
const END = Array.from(PASTE_END, (letter) => letter.charCodeAt(0));

export class PasteSplitter {
  #inside = false;
  /** Bytes that may be the beginning of a mark. */
  #held: Uint8Array = new Uint8Array();

  /** The bytes may end anywhere, also within a mark. */
  feed(bytes: Bytes): Input[] {
    const inputs: Input[] = [];
    let rest = this.#held.length === 0 ? bytes : concat([this.#held, bytes]);
    this.#held = new Uint8Array();
    while (rest.length > 0) {
      const mark = this.#inside ? END : BEGIN;
      const at = markIn(rest, mark);
      const bytes = rest.slice(0, at);
      if (at > 0) inputs.push(this.#inside ? { kind: "pasted", bytes, missing: 0 } : { kind: "typed", bytes });
      if (rest.length - at < mark.length) {
        this.#held = rest.slice(at);
        break;
      }
      rest = rest.subarray(at + mark.length);
      inputs.push({ kind: this.#inside ? "paste-end" : "paste" });
      this.#inside = !this.#inside;
    }
    return inputs;
  }
}

/** Where the mark is, or where it begins at the end; the length if it is nowhere. */
function markIn(bytes: Bytes, mark: readonly number[]): number {
  for (let at = bytes.indexOf(0x1b); at >= 0; at = bytes.indexOf(0x1b, at + 1)) {
    if (mark.every((byte, i) => at + i >= bytes.length || bytes[at + i] === byte)) return at;
  }
  return bytes.length;
}

/** A paste that is being assembled, bounded. */
export class Paste {
  #parts: Uint8Array[] = [];
  #isWhole = true;
  /** Bytes that have arrived, kept or not. */
  length = 0;

  add(bytes: Bytes, missing: number = 0): void {
    this.length += bytes.length + missing;
    this.#isWhole &&= missing === 0 && this.length <= PASTE_BYTES_MAX;
    this.#parts = this.#isWhole ? [...this.#parts, bytes.slice()] : [];
  }

  /** Undefined if it is too large: a part of a paste would be worse than none. */
  text(): string | undefined {
    return this.#isWhole ? new TextDecoder().decode(concat(this.#parts)) : undefined;
  }
}

/** Assembles pastes from their pieces. */
export class PasteInput {
  #paste: Paste | undefined;

  /** The whole paste, once its end has arrived. */
  take(input: Exclude<Input, { readonly kind: "typed" }>): Paste | undefined {
    const paste = this.#paste;
    switch (input.kind) {
      case "paste":
        this.#paste = new Paste();
        return undefined;
      case "pasted":
        // Its beginning may have gone to the former owner of the keyboard.
        this.#paste ??= new Paste();
        this.#paste.add(input.bytes, input.missing);
        return undefined;
      default:
        this.#paste = undefined;
        return paste;
    }
  }
}
