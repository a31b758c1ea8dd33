/**
 * Word splitting by IFS (POSIX 2.6.5): the results of expansions are split into fields; quoted and typed text is not.
 */
import type { Piece } from "./pattern.ts";
import { WORDS_MAX } from "./limits.ts";
import { ShellFault } from "./faults.ts";

export type Token =
  | { readonly kind: "text"; readonly text: string; readonly isQuoted: boolean; readonly isSplit: boolean }
  /** Between the elements of "$@", where a field ends. */
  | { readonly kind: "break" };

export function splitFields(tokens: readonly Token[], ifs: string): Piece[][] {
  const splitter = new Splitter(ifs);
  for (const token of tokens) {
    if (token.kind === "break") splitter.end("none");
    else if (token.isSplit && ifs !== "") splitter.cut(token.text);
    else splitter.add(token.text, token.isQuoted);
  }
  splitter.end("none");
  return splitter.fields;
}

class Splitter {
  readonly fields: Piece[][] = [];
  readonly #spaces: ReadonlySet<string>;
  readonly #others: ReadonlySet<string>;
  #field: Piece[] | undefined;
  /** The kind of the last delimiter, if nothing has followed it. */
  #last: "none" | "space" | "other" = "none";

  constructor(ifs: string) {
    this.#spaces = new Set(Array.from(ifs).filter((character) => /[ \t\n]/.test(character)));
    this.#others = new Set(Array.from(ifs).filter((character) => !/[ \t\n]/.test(character)));
  }

  add(text: string, isQuoted: boolean): void {
    if (text === "" && !isQuoted) return;
    (this.#field ??= []).push({ text, isQuoted });
    this.#last = "none";
  }

  cut(text: string): void {
    let start = 0;
    for (let i = 0; i < text.length;) {
      const character = String.fromCodePoint(text.codePointAt(i) ?? 0);
      const isSpace = this.#spaces.has(character);
      if (!isSpace && !this.#others.has(character)) {
        i += character.length;
        continue;
      }
      this.add(text.slice(start, i), false);
      if (isSpace) this.#space();
      else this.#other();
      i += character.length;
      start = i;
    }
    this.add(text.slice(start), false);
  }

  #space(): void {
    if (this.#field !== undefined) this.end("space");
  }

  #other(): void {
    if (this.#field !== undefined) this.end("other");
    else if (this.#last === "space") this.#last = "other";
    else {
      this.#push([]);
      this.#last = "other";
    }
  }

  end(last: "none" | "space" | "other"): void {
    if (this.#field !== undefined) this.#push(this.#field);
    this.#field = undefined;
    this.#last = last;
  }

  #push(field: Piece[]): void {
    if (this.fields.length >= WORDS_MAX) throw new ShellFault(`more than ${WORDS_MAX} words`);
    this.fields.push(field);
  }
}

/** The text that joins `$*`: the first character of IFS, or a space if IFS is unset. */
export function joiner(ifs: string | undefined): string {
  return ifs === undefined
    ? " "
    : String.fromCodePoint(
        ...Array.from(ifs)
          .slice(0, 1)
          .map((c) => c.codePointAt(0) ?? 32),
      );
}
