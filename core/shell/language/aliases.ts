/** Alias expansion, on the text and before parsing: an alias as the first word of a simple command is replaced. */
import { forEachChild, parse, type SyntaxNode, type Word } from "unbash";

/** Replacements in one line, which ends aliases that lead to each other. */
const ROUNDS_MAX = 32;

export function expandAliases(text: string, aliases: ReadonlyMap<string, string>): string {
  let current = text;
  /** Where the text of each alias is; inside of it the same alias is not expanded again. */
  let made: { from: number; to: number; name: string }[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const word = nextWord(current, aliases, made);
    if (word === undefined) break;
    const value = aliases.get(word.text) ?? "";
    const growth = value.length - word.text.length;
    const next = made.map((one) => ({
      ...one,
      from: one.from > word.pos ? one.from + growth : one.from,
      to: one.to >= word.end ? one.to + growth : one.to,
    }));
    made = [...next, { from: word.pos, to: word.pos + value.length, name: word.text }];
    current = current.slice(0, word.pos) + value + current.slice(word.end);
  }
  return current;
}

function nextWord(
  text: string,
  aliases: ReadonlyMap<string, string>,
  made: readonly { from: number; to: number; name: string }[],
): Word | undefined {
  let found: Word | undefined;
  const isOpen = (word: Word): boolean =>
    aliases.has(word.text) &&
    !made.some(({ from, to, name }) => name === word.text && word.pos >= from && word.end <= to);
  /** If an alias ends with a blank, the word after it may be an alias too. */
  const follows = ({ pos }: Word): boolean =>
    made.some(
      ({ from, to, name }) =>
        pos >= to && /[ \t]$/.test(text.slice(from, to)) && aliases.has(name) && isGap(text.slice(to, pos)),
    );
  const visit = (node: SyntaxNode): void => {
    if (found !== undefined) return;
    if (node.type === "Command") {
      const { name, suffix } = node;
      if (name !== undefined && isOpen(name)) found = name;
      else found = suffix.find((part): part is Word => part.type === "Word" && follows(part) && isOpen(part));
    }
    if (found === undefined) forEachChild(node, visit);
  };
  for (const statement of parse(text).commands) visit(statement);
  return found;
}

function isGap(text: string): boolean {
  return /^(?:[ \t]|\\\n)*$/.test(text);
}
