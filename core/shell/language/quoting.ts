/** Writes words so that the shell reads them back: `${x@Q}`, `printf %q`, `set`, `declare -p`, `set -x`. */

const PLAIN = /^[\w@%+=:,./^-]+$/;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x1f\x7f\ud800-\udfff]/;

/** As `printf %q`: with backslashes, or `$'…'` if there are control characters. */
export function quotePrintf(text: string): string {
  if (text === "") return "''";
  if (CONTROL.test(text)) return quoteAnsi(text);
  return text
    .replaceAll(/[^\w@%+=:./#~\u0080-\uffff-]/gu, "\\$&")
    .replace(/^#/, "\\#")
    .replaceAll(/(?<=^|[:=])~/g, "\\~");
}

/** As `${x@Q}` and the elements of `declare -p`: always single quotes. */
export function quoteAlways(text: string): string {
  if (CONTROL.test(text)) return quoteAnsi(text);
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** As `set` and `set -x` write values: unquoted if that is enough. */
export function quoteIfNeeded(text: string): string {
  if (PLAIN.test(text)) return text;
  if (text === "") return "''";
  return quoteAlways(text);
}

/** As `declare -p`: double quotes, or `$'…'`. */
export function quoteDouble(text: string): string {
  if (CONTROL.test(text)) return quoteAnsi(text);
  return `"${text.replaceAll(/[\\"$`]/g, "\\$&")}"`;
}

const LETTERS: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\x1b": "\\E",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  "'": "\\'",
};

function quoteAnsi(text: string): string {
  const inner = Array.from(text).map((character) => {
    if (Object.hasOwn(LETTERS, character)) return LETTERS[character] ?? "";
    const code = character.charCodeAt(0);
    if (code < 0x20 || code === 0x7f) return `\\${code.toString(8).padStart(3, "0")}`;
    if (character.length === 1 && code >= 0xdc80 && code <= 0xdcff) return `\\${(code - 0xdc00).toString(8)}`;
    return character;
  });
  return `$'${inner.join("")}'`;
}
