/** printf's formats (POSIX "printf", with bash's %q, %b and %(…)T). Pure. */
import { unescape } from "./ansi-c.ts";
import { encodeText, textOfBytes } from "./bytes.ts";
import { ELEMENTS_MAX, TEXT_CHARS_MAX } from "./limits.ts";
import { ShellFault } from "./faults.ts";
import { quotePrintf } from "./quoting.ts";
import { formatTime } from "./strftime.ts";

export interface Formatted {
  readonly text: string;
  /** Arguments that could not be read; each makes the status 1. */
  readonly problems: readonly string[];
  /** Reported, but no failure. */
  readonly warnings: readonly string[];
}

export interface FormatTimes {
  readonly nowMs: number;
  readonly startedMs: number;
}

const DIRECTIVE = /%(%|([-+ #0']*)(\*|\d+)?(?:\.(\*|-?\d*))?(?:hh|h|ll|l|q|j|z|t|L)?(\([^)]*\)T|[a-zA-Z]))/g;

export function format(pattern: string, words: readonly string[], times: FormatTimes): Formatted {
  return new Formatter(words, times).run(pattern);
}

class Formatter {
  readonly #words: readonly string[];
  readonly #times: FormatTimes;
  readonly #problems: string[] = [];
  readonly #warnings: string[] = [];
  #at = 0;
  #isEnded = false;

  constructor(words: readonly string[], times: FormatTimes) {
    this.#words = words;
    this.#times = times;
  }

  run(pattern: string): Formatted {
    let text = "";
    for (let rounds = 0; rounds < ELEMENTS_MAX; rounds++) {
      const before = this.#at;
      text += this.#once(pattern);
      if (text.length > TEXT_CHARS_MAX) throw new ShellFault(`the output has more than ${TEXT_CHARS_MAX} characters`);
      // The format is repeated as long as it uses words and there are some.
      if (this.#isEnded || this.#at >= this.#words.length || this.#at === before) break;
    }
    return { text, problems: this.#problems, warnings: this.#warnings };
  }

  #once(pattern: string): string {
    const parts: string[] = [];
    let last = 0;
    for (const match of pattern.matchAll(DIRECTIVE)) {
      const before = pattern.slice(last, match.index);
      const bad = /(^|[^%])(%%)*%[^%]?/.exec(before);
      if (bad !== null) return parts.join("") + this.#invalid(before);
      if (!this.#literal(before, parts)) return parts.join("");
      parts.push(this.#directive(match));
      if (this.#isEnded) return parts.join("");
      last = match.index + match[0].length;
    }
    const rest = pattern.slice(last);
    if (rest.includes("%")) return parts.join("") + this.#invalid(rest);
    this.#literal(rest, parts);
    return parts.join("");
  }

  #invalid(text: string): string {
    const at = text.indexOf("%");
    this.#problems.push(
      `\`${text.slice(at, at + 2)}': ${text.length - at < 2 ? "missing format character" : "invalid format character"}`,
    );
    this.#isEnded = true;
    return unescape(text.slice(0, at), { style: "printf" }).text;
  }

  /** Returns whether the text goes on after it. */
  #literal(source: string, parts: string[]): boolean {
    const { text, isEnded } = unescape(source, { style: "printf" });
    parts.push(text);
    if (isEnded) this.#isEnded = true;
    return !isEnded;
  }

  #directive(match: RegExpMatchArray): string {
    if (match[1] === "%") return "%";
    const [, , flagText = "", widthText, precisionText, conversion = ""] = match;
    let flags = flagText;
    let width = widthText === "*" ? Number(this.#integer(this.#next() ?? "")) : Number(widthText ?? 0);
    if (width < 0) {
      flags += "-";
      width = -width;
    }
    const hasPrecision = precisionText !== undefined;
    const star = precisionText === "*" ? Number(this.#integer(this.#next() ?? "")) : Number(precisionText ?? "");
    const precision = hasPrecision && star >= 0 ? star : undefined;
    if (width > TEXT_CHARS_MAX || (precision ?? 0) > TEXT_CHARS_MAX) throw new ShellFault("a field is too wide");
    const isOver = this.#at >= this.#words.length;
    return pad(this.#convert(conversion, flags, precision, isOver), width, flags, conversion, precision);
  }

  #next(): string | undefined {
    const word = this.#words[this.#at];
    if (word !== undefined) this.#at++;
    return word;
  }

  #convert(conversion: string, flags: string, precision: number | undefined, isOver: boolean): string {
    if (conversion.startsWith("(")) return this.#time(conversion.slice(1, -2), isOver);
    switch (conversion) {
      case "s":
        return cut(this.#next() ?? "", precision);
      case "b": {
        const { text, isEnded } = unescapeB(this.#next() ?? "");
        if (isEnded) this.#isEnded = true;
        return cut(text, precision);
      }
      case "q":
      case "Q":
        return quotePrintf(this.#next() ?? "");
      case "c":
        // The first byte, as in bash and C.
        return textOfBytes([...encodeText(this.#next() ?? "").subarray(0, 1)]);
      case "d":
      case "i":
        return signed(this.#integer(this.#next() ?? ""), flags, precision);
      case "u":
      case "o":
      case "x":
      case "X":
        return unsigned(this.#integer(this.#next() ?? "", false), conversion, flags, precision);
      case "e":
      case "E":
      case "f":
      case "F":
      case "g":
      case "G":
      case "a":
      case "A":
        return real(this.#float(this.#next() ?? ""), conversion, flags, precision);
      default:
        this.#problems.push(`\`%${conversion}': invalid format character`);
        this.#isEnded = true;
        return "";
    }
  }

  #integer(word: string, isSigned = true): bigint {
    // Blanks before a number are ignored; after it they make it invalid.
    const text = word.trimStart();
    if (text === "") return 0n;
    if (/^['"]/.test(text)) return BigInt(codeOf(word.trimStart().slice(1)));
    const number = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)/.exec(text);
    if (number === null || number[0].length < text.length) this.#problems.push(`${word}: invalid number`);
    if (number === null) return 0n;
    const [, sign = "", digits = "0"] = number;
    const value = /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
    const result = sign === "-" ? -value : value;
    return this.#inRange(word, result, isSigned);
  }

  /** As in strtoll and strtoull: a number that is too large becomes the largest, with a warning. */
  #inRange(word: string, value: bigint, isSigned: boolean): bigint {
    const [least, most] = isSigned ? [-(2n ** 63n), 2n ** 63n - 1n] : [1n - 2n ** 64n, 2n ** 64n - 1n];
    if (value >= least && value <= most) return value;
    this.#warnings.push(`warning: ${word}: Numerical result out of range`);
    return isSigned && value < 0n ? least : most;
  }

  #float(word: string): number {
    const text = word.trim();
    if (text === "") return 0;
    if (/^['"]/.test(text)) return codeOf(text.slice(1));
    if (/^[+-]?(inf(inity)?|nan)$/i.test(text))
      return /nan/i.test(text) ? Number.NaN : text.startsWith("-") ? -Infinity : Infinity;
    if (/^[+-]?0[xX]/.test(text)) return Number(text.replace(/^[+-]/, "")) * (text.startsWith("-") ? -1 : 1);
    const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/.exec(text)?.[0];
    if (number === undefined || number.length < text.length) this.#problems.push(`${word}: invalid number`);
    return Number(number ?? 0);
  }

  #time(pattern: string, isOver: boolean): string {
    const word = this.#next();
    const seconds = isOver || word === undefined || word === "" ? -1 : Number(this.#integer(word));
    const ms = seconds === -1 ? this.#times.nowMs : seconds === -2 ? this.#times.startedMs : seconds * 1000;
    return formatTime(pattern === "" ? "%X" : pattern, ms);
  }
}

function unescapeB(word: string): { text: string; isEnded: boolean } {
  // %b takes octal with and without the leading zero.
  return unescape(word.replaceAll(/\\([1-7][0-7]{0,2})/g, "\\0$1"), { style: "echo" });
}

function codeOf(text: string): number {
  const code = text.codePointAt(0) ?? 0;
  return code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
}

/** Precision counts bytes in POSIX, characters in bash's UTF-8 locales. */
function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : Array.from(text).slice(0, precision).join("");
}

function pad(text: string, width: number, flags: string, conversion: string, precision: number | undefined): string {
  const length = Array.from(text).length;
  if (length >= width) return text;
  const fill = width - length;
  if (flags.includes("-")) return text + " ".repeat(fill);
  const isNumber = /^[diuoxXeEfFgGaA]$/.test(conversion);
  const isInteger = /^[diuoxX]$/.test(conversion);
  if (flags.includes("0") && isNumber && !(isInteger && precision !== undefined) && !/inf|nan/i.test(text)) {
    const [, prefix = "", digits = ""] = /^([+ -]?(?:0[xX])?)(.*)$/s.exec(text) ?? [];
    return prefix + "0".repeat(fill) + digits;
  }
  return " ".repeat(fill) + text;
}

function sign(isNegative: boolean, flags: string): string {
  if (isNegative) return "-";
  if (flags.includes("+")) return "+";
  return flags.includes(" ") ? " " : "";
}

function signed(value: bigint, flags: string, precision: number | undefined): string {
  const wrapped = BigInt.asIntN(64, value);
  const digits = (wrapped < 0n ? -wrapped : wrapped).toString();
  return sign(wrapped < 0n, flags) + (precision === 0 && wrapped === 0n ? "" : digits.padStart(precision ?? 0, "0"));
}

function unsigned(value: bigint, conversion: string, flags: string, precision: number | undefined): string {
  const number = BigInt.asUintN(64, value);
  const base = conversion === "o" ? 8 : conversion === "u" ? 10 : 16;
  let digits = precision === 0 && number === 0n ? "" : number.toString(base).padStart(precision ?? 0, "0");
  if (flags.includes("#") && base === 8 && !digits.startsWith("0")) digits = `0${digits}`;
  if (flags.includes("#") && base === 16 && number !== 0n) digits = `0x${digits}`;
  return conversion === "X" ? digits.toUpperCase() : digits;
}

function real(value: number, conversion: string, flags: string, precision: number | undefined): string {
  const isUpper = conversion === conversion.toUpperCase();
  const isNegative = value < 0 || Object.is(value, -0);
  const magnitude = Math.abs(value);
  let text: string;
  if (Number.isNaN(value)) text = "nan";
  else if (magnitude === Infinity) text = "inf";
  else text = magnitudeText(magnitude, conversion.toLowerCase(), Math.min(precision ?? 6, 100), flags);
  return sign(isNegative && !Number.isNaN(value), flags) + (isUpper ? text.toUpperCase() : text);
}

function magnitudeText(value: number, conversion: string, precision: number, flags: string): string {
  if (conversion === "f") return fixed(value, precision) + (flags.includes("#") && precision === 0 ? "." : "");
  if (conversion === "e") return exponential(value, precision);
  if (conversion === "a") return hexFloat(value);
  const significant = precision === 0 ? 1 : precision;
  const exponent = value === 0 ? 0 : Number(/e([+-]\d+)$/.exec(value.toExponential(significant - 1))?.[1] ?? 0);
  const text =
    exponent < -4 || exponent >= significant
      ? exponential(value, significant - 1)
      : fixed(value, significant - 1 - exponent);
  if (flags.includes("#")) return text;
  return text.replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1");
}

/** From 1e21 on toFixed writes an exponent; then all digits come from the whole number. */
function fixed(value: number, precision: number): string {
  if (value < 1e21) return value.toFixed(precision);
  return BigInt(value).toString() + (precision > 0 ? `.${"0".repeat(precision)}` : "");
}

function exponential(value: number, precision: number): string {
  return value.toExponential(precision).replace(/e([+-])(\d)$/, "e$10$2");
}

function hexFloat(value: number): string {
  if (value === 0) return "0x0p+0";
  let exponent = Math.floor(Math.log2(value));
  let mantissa = value / 2 ** exponent;
  if (mantissa >= 2) {
    mantissa /= 2;
    exponent++;
  }
  const digits = mantissa.toString(16);
  return `0x${digits}p${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`;
}
