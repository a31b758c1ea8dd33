/** The types of values and functions that are allowed. Other types take more bytes, and must not be skipped. */
import { TYPE_VALUES_MAX, TYPE_VALUES_SUM_MAX, TYPES_MAX } from "../limits.ts";
import { bounded } from "./bounded.ts";
import { unsupported } from "./opcodes.ts";
import type { Reader } from "./reader.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
const FUNCTION_REFERENCE = 0x70;
const EXTERNAL_REFERENCE = 0x6f;
const FUNCTION_FORM = 0x60;

export interface FunctionType {
  /** In letters: "ii>I" takes two i32 and returns an i64; any other type is a "?". */
  readonly signature: string;
  readonly takes: number;
  readonly gives: number;
  /** Slots of 8 bytes that its parameters take on the stack. */
  readonly slots: number;
}

export function isReferenceType(type: number): boolean {
  return type === FUNCTION_REFERENCE || type === EXTERNAL_REFERENCE;
}

export function isValueType(type: number): boolean {
  return (type >= V128 && type <= I32) || isReferenceType(type);
}

/** The type section. Throws "too-large", "wasm-unsupported". */
export function readTypes(section: Reader): FunctionType[] {
  const types: FunctionType[] = [];
  let values = 0;
  for (let left = bounded(section.count(), TYPES_MAX, "types"); left > 0; left--) {
    if (section.byte() !== FUNCTION_FORM) throw unsupported("types other than those of functions");
    const parameters = readValueTypes(section);
    const results = readValueTypes(section);
    values += parameters.letters.length + results.letters.length;
    bounded(values, TYPE_VALUES_SUM_MAX, "parameters and results in all its types");
    types.push({
      signature: `${parameters.letters}>${results.letters}`,
      takes: parameters.letters.length,
      gives: results.letters.length,
      slots: parameters.slots,
    });
  }
  return types;
}

function readValueTypes(section: Reader): { letters: string; slots: number } {
  let letters = "";
  let slots = 0;
  for (let left = bounded(section.count(), TYPE_VALUES_MAX, "values in one type"); left > 0; left--) {
    const type = section.byte();
    if (!isValueType(type)) throw unsupported("reference types of garbage collection");
    letters += type === I32 ? "i" : type === I64 ? "I" : "?";
    slots += type === V128 ? 2 : 1;
  }
  return { letters, slots };
}
