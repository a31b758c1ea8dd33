/**
 * JSON that is stored exactly as it was written. JSON.parse silently changes what it can't represent: numbers with too
 * many digits, 1e400, -0, half a surrogate pair, a field name that is there twice. All of that is refused here. Pure.
 */
import { DEPTH_MAX } from "../../base/codec.ts";
import { messageOf, StarfishError } from "../../base/errors.ts";

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;

/** Throws "usage". */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StarfishError("usage", `the value is not JSON (${messageOf(error)}); text needs "" around it there`);
  }
  checkExact(text);
  return value;
}

interface Level {
  /** For an object: the fields so far. */
  readonly fields: Set<string> | undefined;
  isField: boolean;
}

/** Checks a text that is known to be JSON. */
function checkExact(text: string): void {
  const levels: Level[] = [];
  for (let at = 0; at < text.length;) {
    const level = levels.at(-1);
    const character = text[at] ?? "";
    if (character === '"') {
      at += string(match(STRING, text, at), level);
      continue;
    }
    if (character === "-" || (character >= "0" && character <= "9")) {
      at += number(match(NUMBER, text, at));
      continue;
    }
    if (character === "{" || character === "[") {
      levels.push({ fields: character === "{" ? new Set() : undefined, isField: character === "{" });
      if (levels.length > DEPTH_MAX) throw refused(`it is nested more than ${DEPTH_MAX} levels deep`);
    }
    if (character === "}" || character === "]") levels.pop();
    if (character === "," && level !== undefined) level.isField = level.fields !== undefined;
    at++;
  }
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

/** Returns its length. */
function string(source: string, level: Level | undefined): number {
  const value: unknown = JSON.parse(source);
  if (typeof value !== "string" || !value.isWellFormed()) throw refused(`${source} has half a surrogate pair`);
  if (level?.isField === true) {
    if (level.fields?.has(value) === true) throw refused(`the field ${source} is there twice`);
    level.fields?.add(value);
    level.isField = false;
  }
  return source.length;
}

/** Returns its length. */
function number(source: string): number {
  const value = Number(source);
  if (!Number.isFinite(value)) throw refused(`${source} is too large a number; in "" it is kept as text`);
  if (Object.is(value, -0)) throw refused(`${source} would be shown as 0; write 0, or put it in ""`);
  if (decimal(source) !== decimal(String(value))) {
    throw refused(`${source} has more digits than a number keeps, and would become ${value}; in "" it is kept as text`);
  }
  return source.length;
}

/** The same text for the same number, however it is written. */
function decimal(source: string): string {
  const [, sign = "", whole = "", part = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const digits = (whole + part).replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  return `${sign}${short}e${short === "" ? 0 : Number(power) - part.length + digits.length - short.length}`;
}

function refused(why: string): StarfishError {
  return new StarfishError("usage", `this JSON can't be kept as it is: ${why}`);
}
