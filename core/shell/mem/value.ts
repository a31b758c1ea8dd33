/** Values of the shared memory as people type and read them: text, bytes, JSON, and each on one line. Pure. */
import { base64pad } from "multiformats/bases/base64";
import { toHex } from "../../base/bytes.ts";
import { bytesWords } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { cut, UNITS_A_CELL_MAX } from "../width.ts";

export { harmless, oneLine } from "../harmless.ts";

/** Bytes of a binary value that its line shows. */
const HEX_BYTES_SHOWN = 16;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text if the bytes are UTF-8, else the bytes. */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}

/** On one line. Bytes, which JSON lacks, become {"base64": "…"}; large integers and infinities become text. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, jsonable) ?? "null";
}

function jsonable(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: base64pad.baseEncode(value) };
  // JSON lacks these too.
  const isOther = typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value));
  return isOther ? String(value) : value;
}

/**
 * The value on one line of at most this many cells. Nothing in it can move the cursor or change what is around it,
 * whoever wrote it.
 */
export function preview(value: unknown, cells: number): string {
  if (value instanceof Uint8Array) return cut(bytesPreview(value), cells);
  const whole = typeof value === "string" ? value : toJson(value);
  return cut(oneLine(whole.slice(0, cells * UNITS_A_CELL_MAX + 1)), cells);
}

function bytesPreview(bytes: Uint8Array): string {
  const more = bytes.length > HEX_BYTES_SHOWN ? "…" : "";
  return `${bytesWords(bytes.length)} of binary data: ${toHex(bytes.subarray(0, HEX_BYTES_SHOWN))}${more}`;
}
