/**
 * Primary keys as text for the map's keys: equal values have equal texts, numbers sort as numbers and text as text.
 * Letters up to `"` (0x22) are escaped, so that the space and the `"` are free to separate. Pure.
 *
 *     A…W  an integer: a tag for sign and number of digits (base 64), then the digits
 *     r    another number: 16 hex digits of its bits, changed so that they sort as the numbers do
 *     u    a UUID as it is usually written, in 22 digits
 *     x    text, escaped
 *     y    bytes as hex
 */
import { toHex } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { PRIMARY_KEY_BYTES_MAX } from "../limits.ts";
import { DIGITS, digitsValue } from "../schema/names.ts";
import type { SqlValue } from "../types.ts";

const SEPARATOR = '"';
const UUID: RegExp = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ESCAPED: RegExp = /[\0-\x22]/g;
const INTEGER_DIGITS_MAX = 11;
/** Digits of a number that is exact in any case. */
const EXACT_DIGITS = 8;
/** Tags of integers: negative ones with 11 digits first, then fewer, then the others with 0, 1, … digits. */
const TAGS = "ABCDEFGHIJKLMNOPQRSTUVW";
const INT64_MAX: bigint = 2n ** 63n - 1n;

/** Throws "too-large". */
export function keyOf(values: readonly SqlValue[]): string {
  const key = values.map(keyPart).join(SEPARATOR);
  // A UTF-16 unit has at most three bytes of UTF-8.
  if (3 * key.length > PRIMARY_KEY_BYTES_MAX && utf8Length(key) > PRIMARY_KEY_BYTES_MAX) {
    throw new StarfishError("too-large", `A primary key has at most ${PRIMARY_KEY_BYTES_MAX} bytes`);
  }
  return key;
}

function keyPart(value: SqlValue): string {
  if (typeof value === "string") return UUID.test(value) ? `u${uuidDigits(value)}` : `x${escaped(value)}`;
  if (typeof value === "bigint") return integerKey(value);
  if (typeof value === "number") return Number.isInteger(value) ? numberKey(value) : realKey(value);
  if (value === null) throw new StarfishError("constraint", "A primary key can't be NULL");
  return `y${toHex(value)}`;
}

/** The values of a key; undefined if it is not a key of `count` values. */
export function valuesOfKey(key: string, count: number): SqlValue[] | undefined {
  if (count === 1 && !key.includes(SEPARATOR)) {
    const value = valueOfPart(key);
    return value === undefined || keyPart(value) !== key ? undefined : [value];
  }
  const parts = key.split(SEPARATOR);
  if (parts.length !== count) return undefined;
  const values: SqlValue[] = [];
  for (const part of parts) {
    const value = valueOfPart(part);
    if (value === undefined) return undefined;
    values.push(value);
  }
  // Each value has one encoding, so that two keys are never the same row.
  return isSame(values, key) ? values : undefined;
}

function isSame(values: readonly SqlValue[], key: string): boolean {
  return values.map(keyPart).join(SEPARATOR) === key;
}

function valueOfPart(part: string): SqlValue | undefined {
  const tag = part[0] ?? "";
  const rest = part.slice(1);
  switch (tag) {
    case "u":
      return uuidOf(rest);
    case "x":
      return unescaped(rest);
    case "y":
      return /^(?:[0-9a-f]{2})*$/.test(rest) ? fromHex(rest) : undefined;
    case "r":
      return /^[0-9a-f]{16}$/.test(rest) ? realOf(rest) : undefined;
    default:
      return integerOfKey(tag, rest);
  }
}

function numberKey(value: number): string {
  if (!Number.isSafeInteger(value)) return Math.abs(value) < 2 ** 63 ? integerKey(BigInt(value)) : realKey(value);
  if (value === 0) return "L";
  let digits = "";
  for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 64)) digits = (DIGITS[rest % 64] ?? "") + digits;
  return tagged(digits, value < 0);
}

function integerKey(value: bigint): string {
  if (value === 0n) return "L";
  let digits = "";
  for (let rest = value < 0n ? -value : value; rest > 0n; rest /= 64n) {
    digits = (DIGITS[Number(rest % 64n)] ?? "") + digits;
  }
  return tagged(digits, value < 0n);
}

function tagged(digits: string, isNegative: boolean): string {
  if (!isNegative) return (TAGS[INTEGER_DIGITS_MAX + digits.length] ?? "") + digits;
  let complement = "";
  for (const digit of digits) complement += DIGITS[63 - DIGITS.indexOf(digit)] ?? "";
  return (TAGS[INTEGER_DIGITS_MAX - digits.length] ?? "") + complement;
}

function integerOfKey(tag: string, rest: string): number | bigint | undefined {
  const at = TAGS.indexOf(tag);
  if (at < 0 || tag === "" || rest.length !== Math.abs(at - INTEGER_DIGITS_MAX)) return undefined;
  const isNegative = at < INTEGER_DIGITS_MAX;
  if (rest.length <= EXACT_DIGITS) {
    const value = digitsValue(rest, 0, rest.length);
    return value < 0 ? undefined : isNegative ? value - (64 ** rest.length - 1) : value;
  }
  let value = 0n;
  for (const digit of rest) {
    const digitValue = DIGITS.indexOf(digit);
    if (digitValue < 0) return undefined;
    value = value * 64n + BigInt(isNegative ? 63 - digitValue : digitValue);
  }
  if (value > INT64_MAX + (isNegative ? 1n : 0n)) return undefined;
  const signed = isNegative ? -value : value;
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}

const view = new DataView(new ArrayBuffer(8));

function realKey(value: number): string {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const sorted = value < 0 || Object.is(value, -0) ? ~bits & 0xffff_ffff_ffff_ffffn : bits | 0x8000_0000_0000_0000n;
  return `r${sorted.toString(16).padStart(16, "0")}`;
}

function realOf(hex: string): number {
  const sorted = BigInt(`0x${hex}`);
  const isPositive = sorted >> 63n === 1n;
  view.setBigUint64(0, isPositive ? sorted & 0x7fff_ffff_ffff_ffffn : ~sorted & 0xffff_ffff_ffff_ffffn);
  return view.getFloat64(0);
}

/** 32 hex digits; three of them are two of these digits (12 bits). */
function uuidDigits(uuid: string): string {
  const hex = `${uuid.replaceAll("-", "")}0`;
  let digits = "";
  for (let at = 0; at < 33; at += 3) {
    const bits = Number.parseInt(hex.slice(at, at + 3), 16);
    digits += (DIGITS[bits >> 6] ?? "") + (DIGITS[bits & 63] ?? "");
  }
  return digits;
}

function uuidOf(digits: string): string | undefined {
  if (digits.length !== 22) return undefined;
  let hex = "";
  for (let at = 0; at < 22; at += 2) {
    const [high, low] = [DIGITS.indexOf(digits[at] ?? " "), DIGITS.indexOf(digits[at + 1] ?? " ")];
    if (high < 0 || low < 0) return undefined;
    hex += (high * 64 + low).toString(16).padStart(3, "0");
  }
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  return parts.join("-");
}

function escaped(text: string): string {
  return text.replace(ESCAPED, (char) => `!${String.fromCharCode(0x30 + char.charCodeAt(0))}`);
}

function unescaped(text: string): string {
  return text.replace(/!(.)/gs, (_, char: string) => String.fromCharCode(char.charCodeAt(0) - 0x30));
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
