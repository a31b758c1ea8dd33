/**
 * Text for a terminal with escape sequences of ours: colours, cursor moves, pictures. Only what `sequence` makes
 * reaches a terminal unchanged; all other text, whoever wrote it, is made harmless when it is shown. A string is plain
 * text. So a command that knows nothing of this can't let anything through.
 */
import { harmless } from "./harmless.ts";
import { isPlain, widthOf } from "./width.ts";

/** What commands print: plain text, or styled text. */
export type Text = string | Styled;

interface Part {
  readonly text: string;
  /** Whether it is an escape sequence of ours. */
  readonly own: boolean;
}

export class Styled {
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }
}

/** An escape sequence that this program made, with nothing from others in it. */
export function sequence(own: string): Styled {
  return new Styled([{ text: own, own: true }]);
}

/** The texts one after the other. */
export function joined(texts: readonly Text[], separator: string = ""): Styled {
  const parts = texts.flatMap((text, i) => [
    ...(i > 0 && separator !== "" ? [{ text: separator, own: false }] : []),
    ...partsOf(text),
  ]);
  return new Styled(parts);
}

/** A template literal whose values stay styled: compose`${bold}${name}${plain}\n`. */
export function compose(literals: TemplateStringsArray, ...values: readonly (Text | number)[]): Styled {
  return joined(
    literals.flatMap((literal, i) => {
      const value = values[i];
      return value === undefined ? [literal] : [literal, typeof value === "number" ? String(value) : value];
    }),
  );
}

/** As a terminal is to be given it. */
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

/** The cells that it takes on a terminal. */
export function cellsOf(text: Text): number {
  if (typeof text === "string") return isPlain(text) ? text.length : widthOf(harmless(text));
  return text.parts.reduce((sum, part) => sum + (part.own ? 0 : cellsOf(part.text)), 0);
}

/** The pieces between blanks; blanks in escape sequences of ours don't count. */
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

/** Its lines, without their ends. */
export function linesOf(text: Text): Text[] {
  const lines: Part[][] = [[]];
  for (const part of partsOf(text)) {
    const [first = "", ...more] = part.own ? [part.text] : part.text.split("\n");
    lines.at(-1)?.push({ text: first, own: part.own });
    for (const line of more) lines.push([{ text: line, own: false }]);
  }
  // A text that ends with a line's end has no empty line after it.
  if (lines.at(-1)?.every(({ text }) => text === "") === true) lines.pop();
  return lines.map((parts) => new Styled(parts));
}

function partsOf(text: Text): readonly Part[] {
  return typeof text === "string" ? [{ text, own: false }] : text.parts;
}
