/** The command that a person is typing, as far as it goes: what completion and highlighting look at. Pure. */
import { forEachChild, parse, type Command, type SyntaxNode } from "unbash";

export interface TypedWords {
  /** The command's words without their quotes; the last is the one that is being typed, maybe "". */
  readonly words: readonly string[];
  /** Where the last word begins in the text, its quote included. */
  readonly from: number;
  readonly kind: "command" | "argument" | "redirection" | "none";
}

/** Stands at the cursor, so that there is a word there: a character for private use that nobody types. */
const MARK = "\ue000";

/** `text` is what stands before the cursor. */
export function typedWords(text: string): TypedWords {
  const end = text.length + MARK.length;
  let innermost: Command | undefined;
  const visit = (node: SyntaxNode): void => {
    if (node.end < end) return;
    if (node.type === "Command") innermost = node;
    forEachChild(node, visit);
  };
  for (const statement of parse(text + MARK).commands) visit(statement);
  const none: TypedWords = { words: [""], from: text.length, kind: "none" };
  return innermost === undefined ? none : (wordsOf(innermost, end) ?? none);
}

function wordsOf({ name, suffix }: Command, end: number): TypedWords | undefined {
  const words: string[] = [];
  const typed = (value: string): readonly string[] => [...words, value.replace(MARK, "")];
  if (name !== undefined) {
    if (name.end === end) return { words: typed(name.value), from: name.pos, kind: "command" };
    words.push(name.value);
  }
  for (const part of suffix) {
    if (part.type === "Word") {
      if (part.end === end) return { words: typed(part.value), from: part.pos, kind: "argument" };
      words.push(part.value);
    } else if (part.type === "Assignment") {
      if (part.end === end) return { words: typed(part.text), from: part.pos, kind: "argument" };
      words.push(part.text);
    } else if (part.type === "Redirect" && part.end === end && part.target !== undefined)
      return { words: typed(part.target.value), from: part.target.pos, kind: "redirection" };
  }
  return undefined;
}
