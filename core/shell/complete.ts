/** Completion of the word before the cursor: command names first, then whatever the command itself proposes. */
import type { Computer } from "../computer.ts";
import { typedWords } from "./language/typed-words.ts";
import { oneLine } from "./mem/value.ts";
import type { Command } from "./types.ts";

/** Candidates shown at most; beyond that a list is no help. */
const CANDIDATES_MAX = 200;

export interface Completion {
  /** The part of the line that a candidate replaces, up to the cursor. */
  readonly from: number;
  /** Whole words, unquoted, sorted; all begin with what is there. None with control characters: a name is any member's. */
  readonly candidates: readonly string[];
}

export function complete(
  line: string,
  cursor: number,
  commands: ReadonlyMap<string, Command>,
  computer: Computer,
): Completion {
  const { words, from, kind } = typedWords(line.slice(0, cursor));
  const typed = words.at(-1) ?? "";
  const proposed =
    kind === "command"
      ? [...commands.keys()]
      : kind === "argument"
        ? (commands.get(words[0] ?? "")?.complete?.(words, computer) ?? [])
        : [];
  const candidates = [...new Set(proposed)].filter((word) => word.startsWith(typed) && oneLine(word) === word).sort();
  return { from, candidates: candidates.slice(0, CANDIDATES_MAX) };
}

/** What all words begin with, as it is typed: the quote that it needs, if it does, is left open. */
export function typedPrefix(words: readonly string[]): string {
  const prefix = commonPrefix(words);
  const quoted = quote(prefix);
  return quoted === prefix || prefix === "" ? prefix : quoted.slice(0, -1);
}

/** What all words begin with. */
function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? "";
  for (const word of words) while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}

/** The word so that the shell reads it back as it is. */
export function quote(word: string): string {
  if (/^[\w./:@%+,^-][\w./:@%+,=^#-]*$/.test(word) && !/^[A-Za-z_]\w*\+?=/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
