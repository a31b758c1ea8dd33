/**
 * How many values each instruction leaves on the operand stack beyond those it takes: what is needed to know how high the
 * stack stands without knowing any types. Control instructions, calls and those that depend on an index are the caller's.
 */
import type { Reader } from "./reader.ts";

/** By opcode, for instructions of one byte that have always the same effect. */
const EFFECTS = new Int8Array(256);

function set(effect: number, ...ranges: readonly (readonly [first: number, last: number])[]): void {
  for (const [first, last] of ranges) EFFECTS.fill(effect, first, last + 1);
}
set(1, [0x20, 0x20], [0x23, 0x23], [0x3f, 0x3f], [0x41, 0x44], [0xd0, 0xd0], [0xd2, 0xd2]); // get, memory.size, const, ref
set(-1, [0x1a, 0x1a], [0x21, 0x21], [0x24, 0x24], [0x0d, 0x0e]); // drop, set, br_if, br_table
set(-2, [0x1b, 0x1c], [0x26, 0x26], [0x36, 0x3e]); // select, table.set, stores
set(-1, [0x46, 0x4f], [0x51, 0x66]); // comparisons
set(-1, [0x6a, 0x78], [0x7c, 0x8a], [0x92, 0x98], [0xa0, 0xa6]); // arithmetic of two operands

/** By the operation behind 0xfc: truncations, memory.init, data.drop, .copy, .fill, and the same of tables. */
const BULK_EFFECTS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, -3, 0, -3, -3, -3, 0, -3, -1, 1, -3];

/** Vector instructions that take one value for the one they leave; most others take two. */
const VECTOR_UNARY = new Set<number>();
for (const [first, last] of [
  ...[
    [0, 10],
    [15, 22],
    [24, 25],
    [27, 27],
    [29, 29],
    [31, 31],
    [33, 33],
    [77, 77],
    [83, 83],
    [92, 100],
    [103, 106],
  ],
  ...[
    [116, 117],
    [122, 122],
    [124, 129],
    [131, 132],
    [135, 138],
    [148, 148],
    [160, 161],
    [163, 164],
    [167, 170],
  ],
  ...[
    [192, 193],
    [195, 196],
    [199, 202],
    [224, 225],
    [227, 227],
    [236, 237],
    [239, 239],
    [248, 255],
  ],
]) {
  for (let operation = first ?? 0; operation <= (last ?? 0); operation++) VECTOR_UNARY.add(operation);
}

/** `operands` stands behind the opcode. */
export function stackEffect(opcode: number, operands: Reader): number {
  if (opcode === 0xfc) return BULK_EFFECTS[operands.u32()] ?? 0;
  if (opcode === 0xfd) return vectorEffect(operands.u32());
  return EFFECTS[opcode] ?? 0;
}

function vectorEffect(operation: number): number {
  if (operation === 12) return 1; // v128.const
  if (operation === 11 || operation === 82 || (operation >= 88 && operation <= 91)) return -2; // stores, bitselect
  return VECTOR_UNARY.has(operation) ? 0 : -1;
}
