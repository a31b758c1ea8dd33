/**
 * What the rewriter adds to a module: three globals, exported under names that no module may use itself, and functions
 * for code that is too long to write in place.
 */
import { FUEL_PAGE } from "../limits.ts";
import { OP } from "./opcodes.ts";
import { leb } from "./reader.ts";
import { I32, I64 } from "./types.ts";

/** A module's own exports must not begin with this. */
export const RESERVED = "starfish:";
/** The fuel that is left, i64: set before each task, below zero when it has run out. */
export const FUEL = "starfish:fuel";
/**
 * The room that is left on the stack, in slots of 8 bytes, i64: set before each call, below zero when calls nest too
 * deeply.
 */
export const STACK = "starfish:stack";
/** Whether memory could not grow, i32 (GROWN). */
export const GROW_FAILED = "starfish:grow-failed";
/** The start function, if there is one: it is called once fuel and room are set. */
export const START = "starfish:start";

/** Values of GROW_FAILED: memory could grow; the module's own limit was reached; the device had no more. */
export const GROWN = { well: 0, limit: 1, device: 2 } as const;

const MUTABLE = 1;
const FUNCTION_KIND = 0;
const GLOBAL_KIND = 3;
const EMPTY_BLOCK = 0x40;
const I32_EQ = 0x46;
const I64_LT_S = 0x53;
const I64_LE_U = 0x58;
const I64_ADD = 0x7c;
const I64_SUB = 0x7d;
const I64_MUL = 0x7e;
const I64_SHR_U = 0x88;
const I64_EXTEND_U = 0xad;
const MEMORY_SIZE = 0x3f;
/** Memory is paid for in units of 8 bytes. */
const BYTES_SHIFT = 3;

export interface Numbers {
  /** The numbers of the first global, function and type that are added. */
  readonly globals: number;
  readonly functions: number;
  readonly types: number;
  /** Pages that the memory may have. */
  readonly pagesMax: number;
}

export const ADDED_GLOBALS = 3;
export const ADDED_FUNCTIONS = 3;

/** Elements of sections, which are appended to the existing ones. */
export interface Elements {
  readonly types: readonly number[];
  readonly functions: readonly number[];
  readonly globals: readonly number[];
  readonly exports: readonly (readonly number[])[];
  readonly bodies: readonly (readonly number[])[];
}

export function addedElements(numbers: Numbers, start: number | undefined): Elements {
  const [fuel, stack, flag] = [numbers.globals, numbers.globals + 1, numbers.globals + 2];
  return {
    types: [0x60, 1, I32, 1, I32],
    functions: [...leb(numbers.types), ...leb(numbers.types), ...leb(numbers.types)],
    globals: [
      ...[I64, MUTABLE, OP.i64Const, 0, OP.end],
      ...[I64, MUTABLE, OP.i64Const, 0, OP.end],
      ...[I32, MUTABLE, OP.i32Const, 0, OP.end],
    ],
    exports: [
      exported(FUEL, GLOBAL_KIND, fuel),
      exported(STACK, GLOBAL_KIND, stack),
      exported(GROW_FAILED, GLOBAL_KIND, flag),
      ...(start === undefined ? [] : [exported(START, FUNCTION_KIND, start)]),
    ],
    bodies: [growBody(fuel, flag, numbers.pagesMax), payBody(fuel, BYTES_SHIFT), payBody(fuel, 0)],
  };
}

function exported(name: string, kind: number, index: number): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...leb(bytes.length), ...bytes, kind, ...leb(index)];
}

/**
 * The replacement of `memory.grow`. Growth can fail because of the limit, which is the same everywhere; then allocators
 * can only trap, and the flag tells the reason. Or it can fail because this device has no more memory. Then the task
 * would compute another result than elsewhere, so it is ended.
 */
function growBody(fuel: number, flag: number, pagesMax: number): number[] {
  return sized([
    ...[1, 1, I32], // a local: what memory.grow gave
    ...[OP.localGet, 0, OP.memoryGrow, 0, OP.localTee, 1],
    ...[OP.i32Const, 0x7f, I32_EQ, OP.if, EMPTY_BLOCK], // -1
    ...[MEMORY_SIZE, 0, I64_EXTEND_U, OP.localGet, 0, I64_EXTEND_U, I64_ADD],
    ...[OP.i64Const, ...signedLeb(pagesMax), I64_LE_U, OP.if, EMPTY_BLOCK],
    ...[OP.i32Const, GROWN.device, OP.globalSet, ...leb(flag), OP.unreachable, OP.end],
    ...[OP.i32Const, GROWN.limit, OP.globalSet, ...leb(flag)],
    OP.else,
    ...[OP.globalGet, ...leb(fuel), OP.localGet, 0, I64_EXTEND_U],
    ...[OP.i64Const, ...signedLeb(FUEL_PAGE), I64_MUL, I64_SUB, OP.globalSet, ...leb(fuel)],
    ...[OP.end, OP.localGet, 1, OP.end],
  ]);
}

/** Pays for `count >> shift`, and returns the count. */
function payBody(fuel: number, shift: number): number[] {
  return sized([
    ...[0, OP.globalGet, ...leb(fuel), OP.localGet, 0, I64_EXTEND_U, OP.i64Const, shift, I64_SHR_U, I64_SUB],
    ...[OP.globalSet, ...leb(fuel), OP.globalGet, ...leb(fuel), OP.i64Const, 0, I64_LT_S],
    ...[OP.if, EMPTY_BLOCK, OP.unreachable, OP.end, OP.localGet, 0, OP.end],
  ]);
}

function sized(body: readonly number[]): number[] {
  return [...leb(body.length), ...body];
}

/** Signed LEB128 of a whole number that is not negative. */
function signedLeb(value: number): number[] {
  const bytes = leb(value);
  const last = bytes.at(-1) ?? 0;
  return (last & 0x40) === 0 ? bytes : [...bytes.slice(0, -1), last | 0x80, 0];
}
