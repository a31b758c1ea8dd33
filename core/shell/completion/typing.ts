/** How a chosen candidate is typed, so that the shell reads it back. Pure; the prompt needs it before the shell. */
import type { Candidate } from "./candidates.ts";
import { quoteIfNeeded } from "../language/quoting.ts";

/** The most candidates that are shown; a longer list is no help. */
export const CANDIDATES_MAX = 200;

export interface Completion {
  /** The part of the line that a candidate replaces, up to the cursor. */
  readonly from: number;
  /** The quote that is open at `from`. */
  readonly quote: "" | "'" | '"';
  /** Sorted; all begin with what is typed. */
  readonly candidates: readonly Candidate[];
  /** Set for names of variables. They are not quoted; a brace follows them if one was opened. */
  readonly variable?: "bare" | "braced" | undefined;
}

/** A whole candidate as it is typed, with what follows it. */
export function typedWhole({ quote, variable }: Completion, { text, isPart }: Candidate): string {
  if (variable !== undefined) return text + (variable === "braced" ? "}" : "");
  if (isPart) return typedBeginning({ quote }, text);
  if (quote === "") return `${quoted(text)} `;
  return `${within(text, quote)}${quote} `;
}

/** The beginning of candidates as it is typed; a quote that it needs is left open. */
export function typedBeginning({ quote, variable }: Pick<Completion, "quote" | "variable">, text: string): string {
  if (variable !== undefined || text === "") return text;
  if (quote !== "") return within(text, quote);
  const whole = quoted(text);
  return whole === text ? text : whole.slice(0, -1);
}

/** The beginning that all of them share. */
export function commonBeginning(texts: readonly string[]): string {
  let prefix = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  // Never half of a character.
  return prefix.isWellFormed() ? prefix : prefix.slice(0, -1);
}

function within(text: string, quote: string): string {
  return quote === "'" ? text.replaceAll("'", "'\\''") : text.replaceAll(/[\\"$`]/g, "\\$&");
}

/** At the beginning of a word `-x` and `~` are not names, and before a command `a=b` is none. */
function quoted(text: string): string {
  return /^[A-Za-z_]\w*\+?=/.test(text) ? quote(text) : quoteIfNeeded(text);
}

/** Quotes the word, so that the shell reads it back unchanged. */
export function quote(word: string): string {
  if (/^[\w./:@%+,^-][\w./:@%+,=^#-]*$/.test(word) && !/^[A-Za-z_]\w*\+?=/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
