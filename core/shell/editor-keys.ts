/** Turns the bytes of a terminal's keyboard into keys (ECMA-48, xterm's sequences). Pure. */

export type Key<Name extends string = KeyName> =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "paste"; readonly text: string }
  | { readonly kind: "named"; readonly name: Name };

/** The names of keys, and the bytes that they send. */
export interface Keys<Name extends string> {
  readonly control: Readonly<Record<string, Name>>;
  /** By what follows ESC: CSI (`[`), SS3 (`O`), or Alt with a key. */
  readonly sequences: Readonly<Record<string, Name>>;
  /** The key ESC itself. Without it, ESC always begins a sequence. */
  readonly escape?: Name;
}

export type KeyName =
  | "enter"
  | "tab"
  | "backspace"
  | "delete"
  | "left"
  | "right"
  | "up"
  | "down"
  | "home"
  | "end"
  | "word-left"
  | "word-right"
  /** Deletes back to the space before. */
  | "delete-word"
  /** Deletes back to the beginning of letters and digits. */
  | "delete-part"
  | "kill-word"
  | "yank"
  | "yank-before"
  | "undo"
  | "newline"
  | "search"
  | "search-on"
  | "cancel"
  | "kill-end"
  | "kill-start"
  | "interrupt"
  | "end-of-file"
  | "clear-screen";

/** The longest escape sequence of a key. A longer one is no key, and is dropped. */
const SEQUENCE_LENGTH_MAX = 32;

const CONTROL: Readonly<Record<string, KeyName>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x01": "home",
  "\x05": "end",
  "\x02": "left",
  "\x06": "right",
  "\x10": "up",
  "\x0e": "down",
  "\x0b": "kill-end",
  "\x15": "kill-start",
  "\x17": "delete-word",
  "\x03": "interrupt",
  "\x04": "end-of-file",
  "\x0c": "clear-screen",
  "\x19": "yank",
  "\x1f": "undo",
  "\x12": "search",
  "\x13": "search-on",
  "\x07": "cancel",
};

const SEQUENCES: Readonly<Record<string, KeyName>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "[H": "home",
  "[F": "end",
  "[1~": "home",
  "[4~": "end",
  "[7~": "home",
  "[8~": "end",
  "[3~": "delete",
  OA: "up",
  OB: "down",
  OC: "right",
  OD: "left",
  OH: "home",
  OF: "end",
  "[1;5C": "word-right",
  "[1;5D": "word-left",
  "[1;3C": "word-right",
  "[1;3D": "word-left",
  f: "word-right",
  b: "word-left",
  d: "kill-word",
  y: "yank-before",
  "\r": "newline",
  "\n": "newline",
  "\x7f": "delete-part",
  "\b": "delete-part",
};

const EDITOR_KEYS: Keys<KeyName> = { control: CONTROL, sequences: SEQUENCES };

export class KeyDecoder<Name extends string = KeyName> {
  readonly #decoder = new TextDecoder();
  readonly #keys: Keys<Name>;
  #rest = "";

  constructor(keys: Keys<Name>) {
    this.#keys = keys;
  }

  /** For the line editor. */
  static forLines(): KeyDecoder {
    return new KeyDecoder(EDITOR_KEYS);
  }

  /** The bytes may end anywhere, inside of a character or a sequence. */
  feed(bytes: Uint8Array): void {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
  }

  /** The next key; undefined until more bytes arrive. */
  next(): Key<Name> | undefined {
    while (this.#rest !== "") {
      const key = this.#rest.startsWith("\x1b") ? this.#sequence() : this.#plain();
      if (key === "more") return undefined;
      if (key !== "none") return key;
    }
    return undefined;
  }

  #plain(): Key<Name> | "none" {
    const name = this.#keys.control[this.#rest.charAt(0)];
    if (name !== undefined) {
      this.#rest = this.#rest.slice(1);
      return { kind: "named", name };
    }
    // eslint-disable-next-line no-control-regex
    const length = this.#rest.search(/[\0-\x1f\x7f]/);
    const text = length < 0 ? this.#rest : this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(Math.max(1, text.length));
    return text === "" ? "none" : { kind: "text", text };
  }

  #sequence(): Key<Name> | "none" | "more" {
    const after = this.#rest.slice(1);
    const { escape, sequences } = this.#keys;
    if (after === "" && escape === undefined) return "more";
    // Terminals send the bytes of a key together, so bytes that come later are another key.
    if (escape !== undefined && (after === "" || after.startsWith("\x1b"))) {
      this.#rest = after;
      return { kind: "named", name: escape };
    }
    // CSI and SS3 end with a letter or ~; anything else after ESC is one key with Alt.
    // eslint-disable-next-line no-control-regex
    const match = /^(?:\[[\x20-\x3f]*[\x40-\x7e]|O[\x40-\x7e]|[^[O])/u.exec(after);
    if (match === null) {
      if (after.length < SEQUENCE_LENGTH_MAX) return "more";
      this.#rest = this.#rest.slice(1);
      return "none";
    }
    this.#rest = this.#rest.slice(1 + match[0].length);
    const name = Object.hasOwn(sequences, match[0]) ? sequences[match[0]] : undefined;
    return name === undefined ? "none" : { kind: "named", name };
  }
}
