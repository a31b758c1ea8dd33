/**
 * Values of the shared memory as a file's bytes, and back. Text and bytes are unchanged; any other value is its JSON on
 * one line. Written bytes become text if they are UTF-8, else bytes: exactly what was written comes back. Pure.
 */
import { utf8 } from "../../../base/bytes.ts";
import { textOrBytes, toJson } from "../../mem/value.ts";

export function bytesOfValue(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return utf8(typeof value === "string" ? value : `${toJson(value)}\n`);
}

export function valueOfBytes(bytes: Uint8Array): string | Uint8Array {
  return textOrBytes(bytes);
}
