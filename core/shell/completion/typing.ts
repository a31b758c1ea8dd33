/** How candidates of a completion are typed, so that the shell reads them back. Pure; the prompt needs it before the shell. */
import type { Candidate } from "./candidates.ts";
import { quoteIfNeeded } from "../language/quoting.ts";

/** Candidates shown at most; beyond that a list is no help. */
export const CANDIDATES_MAX = 200;

export interface Completion {
  /** The part of the line that a candidate replaces, up to the cursor. */
  readonly from: number;
  /** The quote that is open at `from`. */
  readonly quote: "" | "'" | '"';
  /** Sorted; all begin with what is there. */
  readonly candidates: readonly Candidate[];
  /** Names of variables: they take no quotes, and a brace after them where one was opened. */
  readonly variable?: "bare" | "braced" | undefined;
}

/** A candidate as it is typed, with what follows it. */
export function typedWhole({ quote, variable }: Completion, { text, isPart }: Candidate): string {
  if (variable !== undefined) return text + (variable === "braced" ? "}" : "");
  if (isPart) return typedBeginning({ quote }, text);
  if (quote === "") return `${quoted(text)} `;
  return `${within(text, quote)}${quote} `;
}

/** A beginning as it is typed: the quote that it needs, if it does, is left open. */
export function typedBeginning({ quote, variable }: Pick<Completion, "quote" | "variable">, text: string): string {
  if (variable !== undefined || text === "") return text;
  if (quote !== "") return within(text, quote);
  const whole = quoted(text);
  return whole === text ? text : whole.slice(0, -1);
}

/** What all of them begin with. */
export function commonBeginning(texts: readonly string[]): string {
  let prefix = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  // Half of a character is none.
  return prefix.isWellFormed() ? prefix : prefix.slice(0, -1);
}

function within(text: string, quote: string): string {
  return quote === "'" ? text.replaceAll("'", "'\\''") : text.replaceAll(/[\\"$`]/g, "\\$&");
}

/** `-x` and `~` at the beginning mean something else than a name would, and so does `a=b` before a command. */
function quoted(text: string): string {
  return /^[A-Za-z_]\w*\+?=/.test(text) ? quote(text) : quoteIfNeeded(text);
}

/** The word so that the shell reads it back as it is. */
export function quote(word: string): string {
  if (/^[\w./:@%+,^-][\w./:@%+,=^#-]*$/.test(word) && !/^[A-Za-z_]\w*\+?=/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}
