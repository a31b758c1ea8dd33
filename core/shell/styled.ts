/**
 * Text for a terminal that holds escape sequences of our own: colours, cursor moves, pictures. Only what is made here by
 * `sequence` reaches a terminal as it is; all other text, whoever wrote it, is made harmless when it is shown. A string
 * is text: a command that knows nothing of this can let nothing through.
 */
import { harmless } from "./harmless.ts";
import { widthOf } from "./width.ts";

/** What commands put together: plain text, or styled. */
export type Text = string | Styled;

interface Part {
  readonly text: string;
  /** An escape sequence of our own. */
  readonly own: boolean;
}

export class Styled {
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }
}

/** A sequence that this program made, and in which nothing of others stands. */
export function sequence(own: string): Styled {
  return new Styled([{ text: own, own: true }]);
}

/** One after the other. */
export function joined(texts: readonly Text[], separator: string = ""): Styled {
  const parts = texts.flatMap((text, i) => [
    ...(i > 0 && separator !== "" ? [{ text: separator, own: false }] : []),
    ...partsOf(text),
  ]);
  return new Styled(parts);
}

/** A template literal whose values keep what they are: compose`${bold}${name}${plain}\n`. */
export function compose(literals: TemplateStringsArray, ...values: readonly (Text | number)[]): Styled {
  return joined(
    literals.flatMap((literal, i) => {
      const value = values[i];
      return value === undefined ? [literal] : [literal, typeof value === "number" ? String(value) : value];
    }),
  );
}

/** As a terminal is to show it. */
export function shown(text: Text): string {
  return partsOf(text)
    .map((part) => (part.own ? part.text : harmless(part.text)))
    .join("");
}

/** As a pipe or a file gets it. */
export function plain(text: Text): string {
  return partsOf(text)
    .map((part) => part.text)
    .join("");
}

/** Cells that it takes on a terminal. */
export function cellsOf(text: Text): number {
  return partsOf(text).reduce((sum, part) => sum + (part.own ? 0 : widthOf(harmless(part.text))), 0);
}

/** The pieces between blanks; blanks in sequences of our own don't count. */
export function wordsOf(text: Text): Text[] {
  if (typeof text === "string") return text.split(" ");
  const words: Part[][] = [[]];
  for (const part of text.parts) {
    const [first = "", ...more] = part.own ? [part.text] : part.text.split(" ");
    words.at(-1)?.push({ text: first, own: part.own });
    for (const word of more) words.push([{ text: word, own: false }]);
  }
  return words.map((parts) => new Styled(parts));
}

/** The lines of it, without their ends. */
export function linesOf(text: Text): Text[] {
  const lines: Part[][] = [[]];
  for (const part of partsOf(text)) {
    const [first = "", ...more] = part.own ? [part.text] : part.text.split("\n");
    lines.at(-1)?.push({ text: first, own: part.own });
    for (const line of more) lines.push([{ text: line, own: false }]);
  }
  // What ends with a line's end has no empty line behind it.
  if (lines.at(-1)?.every(({ text }) => text === "") === true) lines.pop();
  return lines.map((parts) => new Styled(parts));
}

function partsOf(text: Text): readonly Part[] {
  return typeof text === "string" ? [{ text, own: false }] : text.parts;
}
