/** The text of a script, its lines, and its parse. */
import { parse, type ParsedScript, type ParseError, type Statement, type Word } from "unbash";

export class SourceText {
  readonly text: string;
  /** The file, or "main". */
  readonly name: string;
  readonly firstLine: number;
  #lineStarts: number[] | undefined;

  constructor(text: string, name = "main", firstLine = 1) {
    this.text = text;
    this.name = name;
    this.firstLine = firstLine;
  }

  /** From `firstLine` on. */
  lineAt(position: number): number {
    const starts = (this.#lineStarts ??= lineStarts(this.text));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return this.firstLine + low;
  }

  /** Line and column, both from 1. */
  placeOf(position: number): { line: number; column: number } {
    const line = this.lineAt(position);
    const start = this.#lineStarts?.[line - this.firstLine] ?? 0;
    return { line, column: position - start + 1 };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

export interface Script {
  readonly source: SourceText;
  readonly statements: readonly Statement[];
  readonly errors: readonly ParseError[];
}

export function parseScript(source: SourceText): Script {
  const { commands, errors = [] } = parse(source.text);
  return { source, statements: commands, errors };
}

/** Texts whose parse is kept, because they are parsed again and again, as command substitutions in a loop. */
const CACHED_MAX = 512;
const CACHED_CHARS_MAX = 2_048;
const words = new Map<string, Word>();
const templates = new Map<string, Word>();

function cached<T>(cache: Map<string, T>, text: string, make: () => T): T {
  const found = cache.get(text);
  if (found !== undefined) return found;
  const made = make();
  if (text.length <= CACHED_CHARS_MAX) {
    if (cache.size >= CACHED_MAX) cache.clear();
    cache.set(text, made);
  }
  return made;
}

/** A text as one word of a command. */
export function wordOf(text: string): Word {
  return cached(words, text, () => {
    const [statement] = parse(`: ${text}`).commands;
    const command = statement?.command;
    const word = command?.type === "Command" ? command.suffix[0] : undefined;
    if (word?.type === "Word" && word.text === text) return word;
    return { type: "Word", text, value: text, pos: 0, end: text.length };
  });
}

/** A text in which only `$`, backquotes and backslashes are special. */
export function templateOf(text: string): Word {
  return cached(templates, text, () => {
    const script: ParsedScript = parse(`: <<_end_\n${text}\n_end_\n`);
    const command = script.commands[0]?.command;
    const [document] = command?.type === "Command" ? command.redirects : [];
    const body = document?.type === "HereDoc" ? document.body : undefined;
    if (body === undefined || body.parts === undefined) return plain(text);
    // The document's last line break is not part of the text.
    const parts = [...body.parts];
    const last = parts.at(-1);
    if (last?.type === "Literal") {
      const { pos, end } = last;
      parts[parts.length - 1] = {
        type: "Literal",
        pos,
        end,
        text: last.text.slice(0, -1),
        value: last.value.slice(0, -1),
      };
    }
    return { type: "Word", text, value: text, pos: 0, end: text.length, parts };
  });
}

function plain(text: string): Word {
  return { type: "Word", text, value: text, pos: 0, end: text.length };
}
