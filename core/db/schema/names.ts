/**
 * How tables, columns and rows are named in the map `db`. Pure.
 *
 *     !o/NAME/EPOCH         a table, view, index or trigger (model.ts)
 *     !x/NAME/EPOCH         that it was dropped
 *     !c/TABLE/COLUMN       a column of a table
 *     !n/TABLE              what the table was renamed to (labels.ts)
 *     !n/TABLE/COLUMN       what the column was renamed to
 *     TABLE/KEY             a row: its cells, packed
 *     TABLE/KEY COLUMN      a cell that was changed after its row was inserted, or is too large to share an entry
 *
 *     TABLE/KEY COLUMN+PART what writers added to a counter (counts.ts), or an element of a set (parts.ts)
 *
 * TABLE and COLUMN are hashes of names. A primary key (keys.ts) has no letter up to the space, so that a row's cells
 * follow it in the map's order.
 */

const ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/** Digits in the order of their character codes, so that numbers written with them sort as numbers. */
export const DIGITS: string = ALPHABET;

export const TABLE_ID_CHARS = 8;
export const TABLE_ID: RegExp = /^[-0-9A-Z_a-z]{8}$/;

/** A 53-bit hash of a text: two multiplicative hashes side by side (cyrb53, public domain). */
function hash53(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2_654_435_761);
    b = Math.imul(b ^ unit, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & b) + (a >>> 0);
}

/** That many digits, of six bits each. */
export function digitsOf(value: number, chars: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < chars; i++) {
    text = (ALPHABET[rest % 64] ?? "") + text;
    rest = Math.floor(rest / 64);
  }
  return text;
}

/** The value of each digit by its character code; -1: it is none. */
const VALUES: Int8Array = new Int8Array(128).fill(-1);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/** The number that the digits from `from` up to `to` write; -1: one of them is no digit. At most eight are exact. */
export function digitsValue(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = VALUES[text.charCodeAt(i)] ?? -1;
    if (digit < 0) return -1;
    value = value * 64 + digit;
  }
  return value;
}

export function fromDigits(text: string): number {
  return digitsValue(text, 0, text.length);
}

/**
 * The name of the hidden key of a table without a primary key. SQLite's sessions find rows by it, so no column of such
 * a table can have it. (`rowid` and `oid` are other names for the same key, and columns may have these.)
 */
export const ROWID = "_rowid_";

/** SQLite ignores the case of ASCII letters in names. */
export function folded(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Tables of the same name with different keys are different tables. */
export function tableId(name: string, epoch: number, primaryKey: readonly string[]): string {
  return digitsOf(hash53(JSON.stringify([folded(name), epoch, primaryKey.map(folded)])), TABLE_ID_CHARS);
}

/** 32 bits. `generation`: how often a column of this name was dropped before. */
export function columnId(name: string, generation: number): number {
  return hash53(JSON.stringify([folded(name), generation])) % 4_294_967_296;
}

const COLUMN_ID_CHARS = 6;

export function columnKey(table: string, column: number): string {
  return `!c/${table}/${digitsOf(column, COLUMN_ID_CHARS)}`;
}

export function labelKey(table: string, column: number | undefined): string {
  return column === undefined ? `!n/${table}` : `!n/${table}/${digitsOf(column, COLUMN_ID_CHARS)}`;
}

const LABEL: RegExp = /^!n\/([-0-9A-Z_a-z]{8})(?:\/([-0-9A-Z_a-z]{6}))?$/;

export function partsOfLabelKey(
  key: string,
): { readonly table: string; readonly column: number | undefined } | undefined {
  const [, table, column] = LABEL.exec(key) ?? [];
  return table === undefined ? undefined : { table, column: column === undefined ? undefined : fromDigits(column) };
}

export function objectKey(name: string, epoch: number): string {
  return `!o/${folded(name)}/${epoch}`;
}

export function dropKey(name: string, epoch: number): string {
  return `!x/${folded(name)}/${epoch}`;
}

/** The key of a part of a cell that merges by parts; with "" the beginning of all of them. */
export function partKey(row: string, column: number, part: string): string {
  return `${cellKey(row, column)}+${part}`;
}

/** The name of a set's element. */
export function elementPart(json: string): string {
  return digitsOf(hash53(json), ELEMENT_CHARS);
}

const ELEMENT_CHARS = 9;
const PART: RegExp = /^\+[-0-9A-Z_a-z]{1,12}$/;

export function cellKey(row: string, column: number): string {
  return `${row} ${digitsOf(column, COLUMN_ID_CHARS)}`;
}

/** The row and the column to which a key of the map belongs; undefined: it does not belong to a row. */
export function partsOfKey(key: string): KeyParts | undefined {
  if (key[TABLE_ID_CHARS] !== "/" || key.startsWith("!")) return undefined;
  const space = key.indexOf(" ");
  if (space < 0) return { row: key, column: undefined, part: undefined };
  const end = space + 1 + COLUMN_ID_CHARS;
  const column = key.length < end ? -1 : digitsValue(key, space + 1, end);
  if (column < 0) return undefined;
  if (key.length === end) return { row: key.slice(0, space), column, part: undefined };
  return PART.test(key.slice(end)) ? { row: key.slice(0, space), column, part: key.slice(end + 1) } : undefined;
}

/** The row of `partsOfKey` alone. */
export function rowOfKey(key: string): string | undefined {
  if (key[TABLE_ID_CHARS] !== "/" || key.startsWith("!")) return undefined;
  return key.includes(" ") ? partsOfKey(key)?.row : key;
}

interface KeyParts {
  readonly row: string;
  readonly column: number | undefined;
  /** For a part of a cell that merges by parts. */
  readonly part: string | undefined;
}
