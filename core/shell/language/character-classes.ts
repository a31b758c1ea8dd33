/** POSIX character classes, in the form for the brackets of a JavaScript set with the flag `u`. */
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
  // Only in shell patterns; POSIX regular expressions have neither.
  ascii: "\\x00-\\x7f",
  word: "\\w",
};

/** Undefined for an unknown name. */
export function characterClass(name: string): string {
  return Object.hasOwn(CLASSES, name) ? (CLASSES[name] ?? "") : "";
}
