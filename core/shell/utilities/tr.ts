/** tr: replaces, deletes or squeezes characters. */
import { StarfishError } from "../../base/errors.ts";
import { unescape } from "../language/ansi-c.ts";
import { noMoreOperands } from "../operands.ts";
import type { Command } from "../types.ts";
import { textBlocks } from "./lines.ts";
import { utility } from "./utility.ts";

const ASCII: readonly string[] = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // eslint-disable-next-line no-control-regex
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /\d/,
  graph: /[\x21-\x7e]/,
  lower: /[a-z]/,
  print: /[\x20-\x7e]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t-\r ]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

export const tr: Command = utility({
  name: "tr",
  summary: "change, delete or squeeze characters",
  help: `
usage: tr [-cCdst] SET1 [SET2]

Replaces each character of SET1 by the one at the same place in SET2. -d deletes the characters of SET1; -s writes repeated
ones once; -c takes all characters that are not in SET1. A set may have ranges (a-z), classes ([:digit:]), escapes (\\n).

  echo hello | tr a-z A-Z
`,
  specs: {
    c: { long: "complement" },
    C: {},
    d: { long: "delete" },
    s: { long: "squeeze-repeats" },
    t: { long: "truncate-set1" },
  },
  parsing: { isPosix: true },
  async run({ options, operands, stdin, out, flush }) {
    noMoreOperands(operands, options.has("d") && !options.has("s") ? 1 : 2);
    const [first, second] = operands;
    if (first === undefined) throw new StarfishError("usage", "missing operand");
    const isDeleting = options.has("d");
    if (second === undefined && !isDeleting && !options.has("s"))
      throw new StarfishError("usage", `missing operand after '${first}'`);
    const isComplement = options.has("c") || options.has("C");
    const from = setOf(first, Infinity);
    const to = second === undefined ? [] : setOf(second, isComplement ? Infinity : from.length);
    const members = new Set(from);
    const isIn = (character: string): boolean => members.has(character) !== isComplement;
    const map = new Map<string, string>();
    const last = to.at(-1) ?? "";
    if (!isDeleting && second !== undefined && !isComplement) {
      for (const [i, character] of from.entries()) {
        if (i >= to.length && options.has("t")) break;
        map.set(character, to[i] ?? last);
      }
    }
    const squeezed = new Set(second === undefined || (isDeleting && second === undefined) ? from : to);
    const isSqueezed = (character: string): boolean => {
      if (!options.has("s")) return false;
      return second === undefined ? isIn(character) : squeezed.has(character);
    };
    let before: string | undefined;
    for await (const block of anyBlocks(stdin)) {
      let text = "";
      for (const character of block) {
        if (isDeleting && isIn(character)) continue;
        const changed =
          isDeleting || second === undefined
            ? character
            : isComplement
              ? isIn(character)
                ? last
                : character
              : (map.get(character) ?? character);
        if (changed === before && isSqueezed(changed)) continue;
        before = changed;
        text += changed;
      }
      await out(text);
      await flush();
    }
    return 0;
  },
});

/** Whole characters as they arrive, without waiting for the ends of lines. */
async function* anyBlocks(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  // An endless line would be collected whole, but `yes | tr -d '\n'` has to work.
  async function* cut(): AsyncGenerator<Uint8Array, void, undefined> {
    let kept: Uint8Array = new Uint8Array();
    for await (const piece of stream) {
      const joined = kept.length === 0 ? piece : Uint8Array.from([...kept, ...piece]);
      let end = joined.length;
      for (let back = 1; back <= 3 && back <= joined.length; back++) {
        const byte = joined[joined.length - back] ?? 0;
        if ((byte & 0xc0) === 0x80) continue;
        if (byte >= 0xc0 && back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2)) end = joined.length - back;
        break;
      }
      kept = joined.slice(end);
      if (end > 0) yield joined.subarray(0, end);
    }
    if (kept.length > 0) yield kept;
  }
  for await (const piece of cut()) for await (const block of textBlocks(one(piece))) yield block;
}

async function* one(piece: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(piece);
}

/** The characters of a set; `[x*]` is repeated up to `length`. */
function setOf(source: string, length: number): string[] {
  const characters: string[] = [];
  const text = source;
  let fill: { at: number; character: string } | undefined;
  for (let i = 0; i < text.length;) {
    const named = /^\[:(\w+):\]/.exec(text.slice(i));
    if (named !== null) {
      const test = Object.hasOwn(CLASSES, named[1] ?? "") ? CLASSES[named[1] ?? ""] : undefined;
      if (test === undefined) throw new StarfishError("usage", `invalid character class '${named[1] ?? ""}'`);
      characters.push(...ASCII.filter((character) => test.test(character)));
      i += named[0].length;
      continue;
    }
    const repeated = /^\[(\\?.)\*(\d*)\]/su.exec(text.slice(i));
    if (repeated !== null) {
      const character = unescape(repeated[1] ?? "", { style: "printf" }).text;
      const digits = repeated[2] ?? "";
      if (digits === "" || Number(digits) === 0) fill = { at: characters.length, character };
      else
        characters.push(
          ...Array.from(
            { length: Math.min(Number.parseInt(digits, digits.startsWith("0") ? 8 : 10), 65_536) },
            () => character,
          ),
        );
      i += repeated[0].length;
      continue;
    }
    const equal = /^\[=(.)=\]/su.exec(text.slice(i));
    if (equal !== null) {
      characters.push(equal[1] ?? "");
      i += equal[0].length;
      continue;
    }
    const low = characterAt(text, i);
    i += low.length;
    if (text[i] === "-" && i + 1 < text.length) {
      const high = characterAt(text, i + 1);
      i += 1 + high.length;
      const [a, b] = [low.character.codePointAt(0) ?? 0, high.character.codePointAt(0) ?? 0];
      if (b < a)
        throw new StarfishError(
          "usage",
          `range-endpoints of '${low.character}-${high.character}' are in reverse collating sequence order`,
        );
      for (let code = a; code <= b; code++) characters.push(String.fromCodePoint(code));
    } else characters.push(low.character);
  }
  if (fill !== undefined && length !== Infinity) {
    const { at, character } = fill;
    characters.splice(at, 0, ...Array.from({ length: Math.max(0, length - characters.length) }, () => character));
  }
  return characters;
}

function characterAt(text: string, at: number): { character: string; length: number } {
  const escape = /^\\(?:[0-7]{1,3}|.)/su.exec(text.slice(at))?.[0];
  if (escape === undefined) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    return { character, length: character.length };
  }
  const read = unescape(escape, { style: "printf" }).text;
  return { character: read.startsWith("\\") && read.length > 1 ? read.slice(1) : read, length: escape.length };
}
