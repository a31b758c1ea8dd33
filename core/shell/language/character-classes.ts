/** POSIX character classes, as what stands between the brackets of a JavaScript set with the flag `u`. */
const CLASSES: Readonly<Record<string, string>> = {
  alpha: "\\p{L}",
  digit: "0-9",
  alnum: "\\p{L}\\p{N}",
  upper: "\\p{Lu}",
  lower: "\\p{Ll}",
  space: "\\s",
  blank: " \\t",
  punct: "!-\\/:-@\\[-`\\{-~",
  print: "\\x20-\\x7e\\u{a0}-\\u{10ffff}",
  graph: "\\x21-\\x7e\\u{a1}-\\u{10ffff}",
  cntrl: "\\x00-\\x1f\\x7f",
  xdigit: "0-9A-Fa-f",
  // Of shell patterns; regular expressions of POSIX have neither.
  ascii: "\\x00-\\x7f",
  word: "\\w",
};

/** Nothing for a name that is none. */
export function characterClass(name: string): string {
  return Object.hasOwn(CLASSES, name) ? (CLASSES[name] ?? "") : "";
}
