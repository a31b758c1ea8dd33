/** sort: lines in order. */
import { StarfishError } from "../../base/errors.ts";
import { encodeText } from "../language/bytes.ts";
import { FileWriter } from "../namespace/file-writer.ts";
import type { Command } from "../types.ts";
import { allLines } from "./lines.ts";
import { utility } from "./utility.ts";

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** Lines that are checked at once; then other work has its turn. */
const CHECK_LINES = 200_000;

interface Key {
  readonly from: number;
  readonly fromChar: number;
  readonly to: number;
  readonly toChar: number;
  readonly flags: string;
}

export const sort: Command = utility({
  name: "sort",
  summary: "lines in order",
  help: `
usage: sort [-bcdfghimMnrRsuVz] [-k KEY]… [-t SEPARATOR] [-o FILE] [FILE…]

Writes all lines of the FILEs, or of standard input, in the order of their bytes. -n sorts by number, -h by number with a
unit (2K, 1G), -V by version, -k 2,2n by a field; -f ignores case; -r reverses the order; -u writes equal lines once; -c
only checks whether the lines are in order.

  printf '10\\n9\\n' | sort -n
`,
  specs: {
    b: { long: "ignore-leading-blanks" },
    c: { long: "check", value: "optional" },
    C: {},
    d: { long: "dictionary-order" },
    f: { long: "ignore-case" },
    g: { long: "general-numeric-sort" },
    h: { long: "human-numeric-sort" },
    i: { long: "ignore-nonprinting" },
    k: { long: "key", value: true },
    m: { long: "merge" },
    M: { long: "month-sort" },
    n: { long: "numeric-sort" },
    o: { long: "output", value: true },
    r: { long: "reverse" },
    R: { long: "random-sort" },
    s: { long: "stable" },
    S: { long: "buffer-size", value: true },
    t: { long: "field-separator", value: true },
    T: { long: "temporary-directory", value: true },
    u: { long: "unique" },
    V: { long: "version-sort" },
    z: { long: "zero-terminated" },
    parallel: { value: true },
  },
  failed: 2,
  async run(context) {
    const { options, eachInput, out, problem, names, path, computer } = context;
    const end = options.has("z") ? "\0" : "\n";
    const separator = separatorOf(options.value("t"));
    const flags = ["b", "d", "f", "g", "h", "i", "M", "n", "r", "R", "V"].filter((name) => options.has(name)).join("");
    const keys = options.values("k").map((text) => keyOf(text, flags));
    const compare = comparison(keys, flags, separator, { isStable: options.has("s") || options.has("u") });
    const all: string[] = [];
    await eachInput(async (input) => {
      for (const line of await allLines(input, end)) all.push(line);
    });
    if (options.has("c") || options.has("C")) {
      const at = all.findIndex((line, i) => i > 0 && disordered(compare(all[i - 1] ?? "", line), options.has("u")));
      if (at < 0) return 0;
      if (options.has("c")) await problem(`${context.operands[0] ?? "-"}:${at + 1}: disorder: ${all[at] ?? ""}`);
      return 1;
    }
    if (options.has("R")) shuffle(all, computer.random.bytes(4 * Math.min(all.length, 1_000_000)));
    else sortLines(all, compare, keys.length === 0 && flags === "");
    const wanted = options.has("u") ? all.filter((line, i) => i === 0 || compare(all[i - 1] ?? "", line) !== 0) : all;
    const target = options.value("o");
    const writer = target === undefined ? undefined : new FileWriter(names, path(target), { isAppend: false });
    await writer?.begin();
    for (let at = 0; at < wanted.length; at += CHECK_LINES) {
      const text = wanted.slice(at, at + CHECK_LINES).join(end) + end;
      if (writer === undefined) await out(text);
      else await writer.write(encodeText(text));
    }
    await writer?.close();
    return 0;
  },
});

function disordered(order: number, isUnique: boolean): boolean {
  return isUnique ? order >= 0 : order > 0;
}

function sortLines(lines: string[], compare: (a: string, b: string) => number, isPlain: boolean): void {
  // UTF-16 order is byte order, except beyond the first plane.
  if (isPlain && !lines.some((line) => /[\ud800-\udfff]/.test(line))) lines.sort();
  else lines.sort(compare);
}

function shuffle(lines: string[], bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = lines.length - 1; i > 0; i--) {
    const at = view.byteLength === 0 ? 0 : view.getUint32((i * 4) % (view.byteLength - 3)) % (i + 1);
    [lines[i], lines[at]] = [lines[at] ?? "", lines[i] ?? ""];
  }
}

function separatorOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text === "\\0") return "\0";
  if (Array.from(text).length !== 1)
    throw new StarfishError("usage", text === "" ? "empty tab" : `multi-character tab '${text}'`);
  return text;
}

function keyOf(text: string, flags: string): Key {
  const match = /^(\d+)(?:\.(\d+))?([bdfghiMnrRV]*)(?:,(\d+)(?:\.(\d+))?([bdfghiMnrRV]*))?$/.exec(text);
  if (match === null) throw new StarfishError("usage", `invalid key '${text}'`);
  const [, from = "1", fromChar = "1", own = "", to, toChar, more = ""] = match;
  if (from === "0") throw new StarfishError("usage", `field number is zero: invalid field specification '${text}'`);
  return {
    from: Number(from) - 1,
    fromChar: Number(fromChar) - 1,
    to: to === undefined ? Infinity : Number(to) - 1,
    toChar: toChar === undefined || toChar === "0" ? Infinity : Number(toChar),
    flags: own + more === "" ? flags : own + more,
  };
}

function comparison(
  keys: readonly Key[],
  flags: string,
  separator: string | undefined,
  { isStable }: { isStable: boolean },
): (a: string, b: string) => number {
  const isReverse = flags.includes("r");
  const whole = (a: string, b: string): number => (isReverse ? byBytes(b, a) : byBytes(a, b));
  if (keys.length === 0) {
    const by = comparisonOf(flags);
    return (a, b) => {
      const order = isReverse ? by(b, a) : by(a, b);
      return order !== 0 || isStable ? order : whole(a, b);
    };
  }
  const compared = keys.map((key) => ({ key, by: comparisonOf(key.flags), isReverse: key.flags.includes("r") }));
  return (a, b) => {
    for (const { key, by, isReverse: isKeyReverse } of compared) {
      const [left, right] = [extract(a, key, separator), extract(b, key, separator)];
      const order = isKeyReverse ? by(right, left) : by(left, right);
      if (order !== 0) return order;
    }
    return isStable ? 0 : whole(a, b);
  };
}

/** The part of a line that a key means. */
function extract(line: string, key: Key, separator: string | undefined): string {
  if (separator !== undefined) {
    const fields = line.split(separator);
    if (key.from >= fields.length) return "";
    const last = Math.min(key.to, fields.length - 1);
    const chosen = fields.slice(key.from, last + 1);
    if (key.toChar !== Infinity && chosen.length > 0 && key.to < fields.length)
      chosen[chosen.length - 1] = (chosen.at(-1) ?? "").slice(0, key.toChar);
    return chosen.join(separator).slice(key.fromChar);
  }
  // A field includes the blanks before it.
  const fields = line.match(/[ \t]*[^ \t]+|[ \t]+$/g) ?? [];
  const last = Math.min(key.to, fields.length - 1);
  const chosen = fields.slice(key.from, last + 1);
  const [first = ""] = chosen;
  const start = key.flags.includes("b") || /[nghM]/.test(key.flags) ? first.length - first.trimStart().length : 0;
  if (key.toChar !== Infinity && chosen.length > 0 && key.to < fields.length)
    chosen[chosen.length - 1] = (chosen.at(-1) ?? "").slice(0, key.toChar);
  return chosen.join("").slice(start + key.fromChar);
}

/** Code points have the order of their UTF-8 bytes; UTF-16 units do not, because of surrogates. */
function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const [xs, ys] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff];
    if (xs !== ys) return xs ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

function comparisonOf(flags: string): (a: string, b: string) => number {
  if (flags.includes("n")) return (a, b) => numeric(a) - numeric(b);
  if (flags.includes("g")) return (a, b) => general(a) - general(b);
  if (flags.includes("h")) return (a, b) => human(a) - human(b);
  if (flags.includes("M")) return (a, b) => month(a) - month(b);
  if (flags.includes("V")) return byVersion;
  const prepare = (text: string): string => {
    let result = flags.includes("b") ? text.trimStart() : text;
    if (flags.includes("d")) result = result.replaceAll(/[^\p{L}\p{N} \t]/gu, "");
    // eslint-disable-next-line no-control-regex
    if (flags.includes("i")) result = result.replaceAll(/[\x00-\x1f\x7f]/g, "");
    return flags.includes("f") ? result.toUpperCase() : result;
  };
  return /[bdfi]/.test(flags) ? (a, b) => byBytes(prepare(a), prepare(b)) : byBytes;
}

function numeric(text: string): number {
  const match = /^\s*(-?\d*(?:\.\d*)?)/.exec(text)?.[1] ?? "";
  return match === "" || match === "-" || match === "." ? 0 : Number(match);
}

function general(text: string): number {
  const number = Number.parseFloat(text);
  return Number.isNaN(number) ? -Number.MAX_VALUE : number;
}

function human(text: string): number {
  const [, digits = "0", unit = ""] = /^\s*(-?\d+\.?\d*)\s*([kKMGTPEZY]?)/.exec(text) ?? [];
  const power = "KMGTPEZY".indexOf(unit.toUpperCase()) + 1;
  return Number(digits) * 1024 ** (unit === "" ? 0 : power);
}

function month(text: string): number {
  return MONTHS.indexOf(text.trimStart().slice(0, 3).toUpperCase());
}

function byVersion(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => text.match(/\d+|\D+/g) ?? []);
  for (let i = 0; i < Math.max(x?.length ?? 0, y?.length ?? 0); i++) {
    const [left, right] = [x?.[i], y?.[i]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    const isNumber = /^\d/.test(left) && /^\d/.test(right);
    const order = isNumber ? Number(left) - Number(right) : byBytes(left, right);
    if (order !== 0) return order;
  }
  return 0;
}
