/** Alias expansion, by text and before parsing: the first word of a simple command gives way to its alias. */
import { forEachChild, parse, type SyntaxNode, type Word } from "unbash";

/** Replacements in one line; aliases that lead to each other end here. */
const ROUNDS_MAX = 32;

export function expandAliases(text: string, aliases: ReadonlyMap<string, string>): string {
  let current = text;
  /** Where text of an alias stands, and which: within it the same alias means itself. */
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
  const visit = (node: SyntaxNode): void => {
    if (found !== undefined) return;
    if (node.type === "Command" && node.name !== undefined) {
      const { name } = node;
      if (isOpen(name)) found = name;
      else {
        // An alias that ends with a blank lets the next word be one too.
        const before = made.find(({ from, to }) => name.pos >= from && name.end <= to);
        const [next] = node.suffix;
        const value = before === undefined ? "" : (aliases.get(before.name) ?? "");
        if (
          /[ \t]$/.test(value) &&
          next?.type === "Word" &&
          before !== undefined &&
          next.pos >= before.to - 1 &&
          isOpen(next)
        )
          found = next;
      }
    }
    if (found === undefined) forEachChild(node, visit);
  };
  for (const statement of parse(text).commands) visit(statement);
  return found;
}
