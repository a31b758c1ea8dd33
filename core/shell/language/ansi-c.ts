/** Backslash escapes of `$'…'`, `echo -e` and `printf`, as the bash manual lists them ("ANSI-C Quoting"). */
import { rejoined, textOfBytes } from "./bytes.ts";

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  e: "\x1b",
  E: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

export interface EscapeOptions {
  /** `$'…'` knows `\'`, `\"`, `\?`, `\cx` and octal without a zero; `echo -e` wants `\0nnn` and knows `\c`. */
  readonly style: "quoted" | "echo" | "printf";
}

/** The text with its escapes read, and whether `\c` ended it (echo and %b only). */
export function unescape(source: string, { style }: EscapeOptions): { text: string; isEnded: boolean } {
  if (!source.includes("\\")) return { text: source, isEnded: false };
  const parts: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) parts.push(textOfBytes(bytes));
    bytes = [];
  };
  let at = 0;
  while (at < source.length) {
    const backslash = source.indexOf("\\", at);
    if (backslash < 0 || backslash === source.length - 1) break;
    if (backslash > at) {
      flush();
      parts.push(source.slice(at, backslash));
    }
    const rest = source.slice(backslash + 1, backslash + 12);
    if (rest.startsWith("c") && style !== "quoted") {
      flush();
      return { text: rejoined(parts.join("")), isEnded: true };
    }
    const escape = readEscape(rest, style);
    at = backslash + 1 + escape.length;
    if (escape.byte === undefined) {
      flush();
      parts.push(escape.text);
    } else bytes.push(escape.byte);
  }
  flush();
  parts.push(source.slice(at));
  // A NUL ends the text of `$'…'`, since no word can contain one.
  const text = rejoined(parts.join(""));
  return { text: style === "quoted" ? (text.split("\0", 1)[0] ?? "") : text, isEnded: false };
}

interface Escape {
  /** Characters after the backslash. */
  readonly length: number;
  readonly text: string;
  /** A byte in place of text. */
  readonly byte?: number;
}

function readEscape(rest: string, style: EscapeOptions["style"]): Escape {
  const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0x5c);
  if (Object.hasOwn(SIMPLE, letter)) return { length: 1, text: SIMPLE[letter] ?? "" };
  if (style !== "echo" && /^['"?]/.test(letter)) return { length: 1, text: letter };
  if (style === "quoted" && letter === "c" && rest.length > 1) {
    return { length: 2, text: String.fromCharCode(rest.charCodeAt(1) & 0x1f) };
  }
  const octal = (style === "echo" ? /^0[0-7]{0,3}/ : /^[0-7]{1,3}/).exec(rest)?.[0];
  if (octal !== undefined) return { length: octal.length, text: "", byte: Number.parseInt(octal, 8) & 0xff };
  const hex = /^x([0-9a-fA-F]{1,2})/.exec(rest) ?? (style === "quoted" ? /^x\{([0-9a-fA-F]{1,8})\}/.exec(rest) : null);
  if (hex !== null) return { length: hex[0].length, text: "", byte: Number.parseInt(hex[1] ?? "0", 16) & 0xff };
  const unicode = /^u([0-9a-fA-F]{1,4})/.exec(rest) ?? /^U([0-9a-fA-F]{1,8})/.exec(rest);
  if (unicode !== null) {
    const code = Number.parseInt(unicode[1] ?? "0", 16);
    return { length: unicode[0].length, text: code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd" };
  }
  return { length: letter.length, text: `\\${letter}` };
}
