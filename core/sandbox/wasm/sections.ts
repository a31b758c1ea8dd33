/** The sections of a module other than types and code: what is read of each, and what is refused or clamped. */
import { StarfishError } from "../../base/errors.ts";
import {
  ELEMENT_SEGMENTS_MAX,
  ELEMENTS_SUM_MAX,
  EXPORTS_MAX,
  GLOBALS_MAX,
  NAME_BYTES_SUM_MAX,
  PAGE_BYTES,
  TABLE_ENTRIES_MAX,
  TABLES_MAX,
} from "../limits.ts";
import type { Exported } from "./abi-check.ts";
import { bounded } from "./bounded.ts";
import { OP, unsupported } from "./opcodes.ts";
import { LEB32, LEB64, leb, lebEnd, type Reader } from "./reader.ts";
import { isReferenceType, isValueType } from "./types.ts";

export function readExports(section: Reader): Map<string, Exported> {
  const exports = new Map<string, Exported>();
  let nameBytes = 0;
  for (let left = bounded(section.count(), EXPORTS_MAX, "exports"); left > 0; left--) {
    const start = section.at;
    const name = readName(section);
    nameBytes += section.at - start;
    bounded(nameBytes, NAME_BYTES_SUM_MAX, "bytes in the names of its exports");
    exports.set(name, { kind: section.byte(), index: section.u32() });
  }
  return exports;
}

/** All forms of segments (specification 5.5.12); the engine checks their contents. */
export function countElements(section: Reader): void {
  let elements = 0;
  for (let left = bounded(section.count(), ELEMENT_SEGMENTS_MAX, "element segments"); left > 0; left--) {
    const flags = section.u32();
    if (flags > 7) throw section.malformed("an element segment of an unknown kind");
    const isActive = (flags & 1) === 0;
    if (isActive && (flags & 2) !== 0) section.skipLeb(32); // the table
    if (isActive) skipConstant(section); // the offset
    const hasExpressions = (flags & 4) !== 0;
    if ((flags & 3) !== 0) {
      const type = section.byte();
      if (hasExpressions ? !isReferenceType(type) : type !== 0) throw unsupported("tables of typed references");
    }
    const count = section.count();
    elements += count;
    bounded(elements, ELEMENTS_SUM_MAX, "references in all its element segments");
    for (let i = 0; i < count; i++) {
      if (hasExpressions) skipConstant(section);
      else section.skipLeb(32);
    }
  }
}

/** Reads the globals to their end, so that nothing can hide between them and the added ones. */
export function countGlobals(section: Reader): number {
  const count = bounded(section.count(), GLOBALS_MAX, "globals");
  for (let left = count; left > 0; left--) {
    if (!isValueType(section.byte())) throw unsupported("reference types of garbage collection");
    if (section.byte() > 1) throw unsupported("threads (shared globals)");
    skipConstant(section);
  }
  return count;
}

/** Skips a constant expression. */
function skipConstant(section: Reader): void {
  for (;;) {
    const opcode = section.byte();
    if (opcode === OP.end) return;
    const isVector = opcode === OP.vector && section.u32() === 12; // v128.const
    const length = isVector ? 16 : CONSTANTS.get(opcode)?.(section);
    if (length === undefined) throw unsupported("an unknown instruction in a constant");
    section.skip(length);
  }
}

/** Instructions in constants, with what gives the length of their operands. */
const lebLength =
  (bytesMax: number) =>
  ({ bytes, at }: Reader): number =>
    lebEnd(bytes, at, bytesMax) - at;
const CONSTANTS: ReadonlyMap<number, (section: Reader) => number> = new Map([
  ...[OP.i32Const, OP.globalGet, OP.refNull, OP.refFunc].map((opcode) => [opcode, lebLength(LEB32)] as const),
  [OP.i64Const, lebLength(LEB64)],
  [OP.f32Const, () => 4],
  [OP.f64Const, () => 8],
  // add, sub, mul of i32 and i64
  ...[0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e].map((opcode) => [opcode, () => 0] as const),
]);

/** Tables may grow while a task runs. The final size of all of them together is bounded, and divided evenly. */
export function clampTables(section: Reader): number[] {
  const count = bounded(section.count(), TABLES_MAX, "tables");
  const tables: { type: number; initial: number; maximum: number }[] = [];
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const type = section.byte();
    if (!isReferenceType(type)) throw unsupported("tables of typed references");
    const flags = section.byte();
    if (flags > 1) throw unsupported("64-bit tables");
    const initial = section.u32();
    tables.push({ type, initial, maximum: flags === 1 ? section.u32() : Number.POSITIVE_INFINITY });
    sum += initial;
  }
  if (sum > TABLE_ENTRIES_MAX) {
    throw new StarfishError(
      "out-of-memory",
      `The module starts with ${sum} entries in its tables, the most is ${TABLE_ENTRIES_MAX}`,
    );
  }
  const share = Math.floor((TABLE_ENTRIES_MAX - sum) / Math.max(1, count));
  // If a maximum was invalid before, the engine refuses it.
  const limits = tables.map(({ type, initial, maximum }) => [
    ...[type, 1],
    ...leb(initial),
    ...leb(Math.min(maximum, initial + share)),
  ]);
  return [...leb(count), ...limits.flat()];
}

export interface Memory {
  readonly content: number[];
  /** The most pages that it may have. */
  readonly pagesMax: number;
}

export function clampMemory(section: Reader, memoryBytesMax: number): Memory {
  const most = Math.floor(memoryBytesMax / PAGE_BYTES);
  const count = section.count();
  if (count > 1) throw unsupported("several memories");
  if (count === 0) return { content: [0], pagesMax: 0 };
  const flags = section.byte();
  if (flags >= 8) throw unsupported("memory pages of another size");
  if (flags >= 4) throw unsupported("64-bit memory");
  if (flags >= 2) throw unsupported("threads (shared memory)");
  const initial = section.u32();
  const maximum = flags === 1 ? section.u32() : most;
  if (initial > most) {
    throw new StarfishError(
      "out-of-memory",
      `The module starts with ${(initial * PAGE_BYTES) / 2 ** 20} MiB of memory, the limit is ${memoryBytesMax / 2 ** 20} MiB`,
    );
  }
  const pagesMax = Math.min(maximum, most);
  return { content: [1, 1, ...leb(initial), ...leb(pagesMax)], pagesMax };
}

function readName(section: Reader): string {
  const name = section.sized();
  return new TextDecoder().decode(section.bytes.subarray(name.at, name.end));
}
