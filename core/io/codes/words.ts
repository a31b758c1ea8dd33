/**
 * Codes in the form in which people tell them to each other: "7-brisk-otter-meadow". The number identifies the code at
 * a node. The three words, from the lists for friendly names, are the secret (2^21 possibilities). A link has them
 * after the "#", which browsers send nowhere.
 */
import { StarfishError } from "../../base/errors.ts";
import { ADJECTIVES, NOUNS } from "../../net/identity/names.ts";
import { integer, type Random } from "../../ports/random.ts";
import { NUMBER_MAX } from "./limits.ts";

const LISTS: readonly (readonly string[])[] = [ADJECTIVES, NOUNS, NOUNS];
/** The path beside the page. */
export const CODE_PLACE = "code";
const IN_LINK = "code=";
/** Only this much of a pasted or typed text is looked at. */
const CHARS_MAX = 2_000;

export interface Code {
  readonly number: number;
  /** In the form that both ends use: "7-brisk-otter-meadow". */
  readonly text: string;
}

export function makeCode(number: number, random: Random): Code {
  const words = LISTS.map((list) => list[integer(random, list.length)] ?? "");
  return { number, text: [number, ...words].join("-") };
}

export function codeLink(base: string, { text }: Code): string {
  return `${base}#${IN_LINK}${text}`;
}

/** The address at which the node that serves the page accepts strangers. */
export function codeSocketUrl(base: string): string {
  return new URL(CODE_PLACE, base).href.replace(/^http/, "ws");
}

/** The page's address in a link with a code. */
export function codeBaseIn(pasted: string): string | undefined {
  const [, base] = /(https?:\/\/[^\s#<>"']{1,300})#code=/.exec(pasted.slice(0, CHARS_MAX)) ?? [];
  return base;
}

/**
 * The code in a link, or as it was typed, in upper or lower case, with blanks or hyphens. Throws "usage" if it can't be
 * a code. So a mistyped word that is not on the lists costs no guess.
 */
export function parseCode(pasted: string): Code {
  const given = pasted.slice(0, CHARS_MAX);
  const at = given.lastIndexOf(IN_LINK);
  const text = at < 0 ? given : given.slice(at + IN_LINK.length);
  const parts = text
    .trim()
    .toLowerCase()
    .split(/[\s\-_.,+]+|%20/);
  const [first = "", ...words] = parts.filter((part) => part !== "");
  const number = /^\d{1,4}$/.test(first) ? Number(first) : 0;
  if (number < 1 || number > NUMBER_MAX || words.length !== LISTS.length) {
    throw new StarfishError("usage", "A code is a number and three words, as in 7-brisk-otter-meadow");
  }
  for (const [i, word] of words.entries()) {
    if (LISTS[i]?.includes(word) !== true) {
      throw new StarfishError(
        "usage",
        `'${word}' is no word of a code, or stands in the wrong place: look at it again`,
      );
    }
  }
  return { number, text: [number, ...words].join("-") };
}
