/** Words with a special meaning in the place of a command. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  "if",
  "then",
  "elif",
  "else",
  "fi",
  "time",
  "for",
  "in",
  "until",
  "while",
  "do",
  "done",
  "case",
  "esac",
  "coproc",
  "select",
  "function",
  "{",
  "}",
  "[[",
  "]]",
  "!",
]);

export function isKeyword(word: string): boolean {
  return KEYWORDS.has(word);
}
