/** Turns the bytes that are typed on a terminal's keyboard into keys (ECMA-48, xterm's sequences). Pure. */

export type Key =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "paste"; readonly text: string }
  | { readonly kind: "named"; readonly name: KeyName };

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
  | "delete-word"
  | "kill-end"
  | "kill-start"
  | "interrupt"
  | "end-of-file"
  | "clear-screen";

/** Longest escape sequence that a key makes; what is longer is no key and dropped. */
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
};

/** By what follows ESC: CSI (`[`), SS3 (`O`) and Alt with a key. */
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
  "\x7f": "delete-word",
};

export class KeyDecoder {
  readonly #decoder = new TextDecoder();
  #rest = "";
  /** Bytes may end anywhere: inside a character or a sequence. */
  feed(bytes: Uint8Array): void {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
  }

  /** The next key, or undefined until more bytes come. */
  next(): Key | undefined {
    while (this.#rest !== "") {
      const key = this.#rest.startsWith("\x1b") ? this.#sequence() : this.#plain();
      if (key === "more") return undefined;
      if (key !== "none") return key;
    }
    return undefined;
  }

  #plain(): Key | "none" {
    const name = CONTROL[this.#rest.charAt(0)];
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

  #sequence(): Key | "none" | "more" {
    const after = this.#rest.slice(1);
    if (after === "") return "more";
    // CSI and SS3 end with a letter or ~; anything else after ESC is one key with Alt.
    // eslint-disable-next-line no-control-regex
    const match = /^(?:\[[\x20-\x3f]*[\x40-\x7e]|O[\x40-\x7e]|[^[O])/u.exec(after);
    if (match === null) {
      if (after.length < SEQUENCE_LENGTH_MAX) return "more";
      this.#rest = this.#rest.slice(1);
      return "none";
    }
    this.#rest = this.#rest.slice(1 + match[0].length);
    const name = SEQUENCES[match[0]];
    return name === undefined ? "none" : { kind: "named", name };
  }
}
