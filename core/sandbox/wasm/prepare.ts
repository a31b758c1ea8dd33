/**
 * What stands between a stranger's bytes and the sandbox: one pass over a module that refuses what must not run and
 * writes the limits into the binary, so that the engine itself enforces them. Pure; the same bytes and limits give the
 * same module on every node. The engine still validates the result: this pass only has to see all that it looks for.
 *
 * A module reserves memory of the engine beyond its own: tables, functions, types, names and what compiling it takes.
 * Each is bounded here (limits.ts), since engines bound none of it by what a lent core may use.
 *
 * Fuel and call depth, when they come, are written in the same way as the watch on memory (grow-watch.ts): `walkCode`
 * finds the places.
 */
import { type Bytes, concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { ProgramKind } from "../../ports/sandbox.ts";
import {
  DATA_SEGMENTS_MAX,
  ELEMENT_SEGMENTS_MAX,
  ELEMENTS_SUM_MAX,
  EXPORTS_MAX,
  FUNCTIONS_MAX,
  GLOBALS_MAX,
  MODULE_BYTES_MAX,
  NAME_BYTES_SUM_MAX,
  PAGE_BYTES,
  SECTIONS_MAX,
  TABLE_ENTRIES_MAX,
  TABLES_MAX,
  TYPE_VALUES_MAX,
  TYPE_VALUES_SUM_MAX,
  TYPES_MAX,
} from "../limits.ts";
import { checkAbi, type Exported } from "./abi-check.ts";
import { bounded, walkCode } from "./code.ts";
import { type Body, type Section, watchGrowth } from "./grow-watch.ts";
import { skipInstruction, unsupported } from "./instructions.ts";
import { readImports } from "./imports.ts";
import { leb, Reader } from "./reader.ts";

/** "\0asm", version 1. */
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
};
const I32 = 0x7f;
const I64 = 0x7e;
const END = 0x0b;

interface Found {
  readonly types: string[];
  /** The type of each function, those that are imported first. */
  readonly functions: number[];
  imported: number;
  readonly exports: Map<string, Exported>;
  bodies: readonly Body[];
}

/**
 * The module with its limits in it. Throws "too-large", "not-wasm", "wasm-imports", "wasm-unsupported", "wasm-abi", or
 * "out-of-memory" when it asks for more than `memoryBytesMax` from the start.
 */
export function prepareModule(
  bytes: Bytes,
  memoryBytesMax: number,
  kind: ProgramKind = "bytes",
): Uint8Array<ArrayBuffer> {
  if (bytes.length > MODULE_BYTES_MAX) {
    throw new StarfishError("too-large", `The module has ${bytes.length} bytes, the most is ${MODULE_BYTES_MAX}`);
  }
  const reader = new Reader(bytes);
  if (HEADER.some((byte) => reader.done || reader.byte() !== byte)) {
    throw new StarfishError("not-wasm", 'Not a WebAssembly module: it does not begin with "\\0asm" and version 1');
  }
  const found: Found = { types: [], functions: [], imported: 0, exports: new Map(), bodies: [] };
  const sections: Section[] = [];
  const seen = new Set<number>();
  for (let count = 1; !reader.done; count++) {
    bounded(count, SECTIONS_MAX, "sections");
    const id = reader.byte();
    const section = reader.sized();
    // Custom sections are hints and names: nothing that a task needs.
    if (id === SECTION.custom) continue;
    if (seen.has(id)) throw reader.malformed(`it has two sections of the kind ${id}`);
    seen.add(id);
    const content = bytes.subarray(section.at, section.end);
    const rewritten = visitSection(id, section, found, { memoryBytesMax, kind });
    sections.push({ id, content: rewritten === undefined ? content : Uint8Array.from(rewritten) });
  }
  checkAbi(found, kind);
  const parts: Bytes[] = [Uint8Array.from(HEADER)];
  for (const { id, content } of watchGrowth(sections, bytes, found.bodies, found.imported)) {
    parts.push(Uint8Array.from([id, ...leb(content.length)]), content);
  }
  return concat(parts);
}

/** Reads a section, and returns its new content if it changes. */
function visitSection(
  id: number,
  section: Reader,
  found: Found,
  { memoryBytesMax, kind }: { readonly memoryBytesMax: number; readonly kind: ProgramKind },
): number[] | undefined {
  switch (id) {
    case SECTION.type:
      readTypes(section, found.types);
      return undefined;
    case SECTION.import:
      found.functions.push(...readImports(section, kind));
      found.imported = found.functions.length;
      return undefined;
    case SECTION.function:
      for (let left = bounded(section.count(), FUNCTIONS_MAX, "functions"); left > 0; left--)
        found.functions.push(section.u32());
      return undefined;
    case SECTION.table:
      return clampTables(section);
    case SECTION.memory:
      return clampMemory(section, memoryBytesMax);
    case SECTION.global:
      bounded(section.count(), GLOBALS_MAX, "globals");
      return undefined;
    case SECTION.export:
      readExports(section, found.exports);
      return undefined;
    case SECTION.element:
      countElements(section);
      return undefined;
    case SECTION.code:
      found.bodies = walkCode(section, { types: found.types.map(arityOf), functions: found.functions }, found.imported);
      return undefined;
    case SECTION.data:
    case SECTION.dataCount:
      bounded(section.u32(), DATA_SEGMENTS_MAX, "data segments");
      return undefined;
    default:
      if (id > SECTION.dataCount) throw unsupported(id === 13 ? "exceptions" : `a section of the unknown kind ${id}`);
      return undefined;
  }
}

function readTypes(section: Reader, types: string[]): void {
  let values = 0;
  for (let left = bounded(section.count(), TYPES_MAX, "types"); left > 0; left--) {
    const type = readType(section);
    values += type.length - 1;
    bounded(values, TYPE_VALUES_SUM_MAX, "parameters and results in all its types");
    types.push(type);
  }
}

/** A function type in letters: "ii>I" takes two i32 and gives an i64. */
function readType(section: Reader): string {
  const form = section.byte();
  if (form !== 0x60) throw unsupported("types other than those of functions");
  return `${readValueTypes(section)}>${readValueTypes(section)}`;
}

function arityOf(type: string): { takes: number; gives: number } {
  const takes = type.indexOf(">");
  return { takes, gives: type.length - 1 - takes };
}

function readValueTypes(section: Reader): string {
  let types = "";
  for (let left = bounded(section.count(), TYPE_VALUES_MAX, "values in one type"); left > 0; left--) {
    const type = section.byte();
    // i32, i64, f32, f64, v128, funcref, externref; the typed references of later proposals take further bytes.
    if ((type < 0x7b || type > I32) && type !== 0x70 && type !== 0x6f)
      throw unsupported("reference types of garbage collection");
    types += type === I32 ? "i" : type === I64 ? "I" : "?";
  }
  return types;
}

function readExports(section: Reader, exports: Map<string, Exported>): void {
  let nameBytes = 0;
  for (let left = bounded(section.count(), EXPORTS_MAX, "exports"); left > 0; left--) {
    const start = section.at;
    const name = readName(section);
    nameBytes += section.at - start;
    bounded(nameBytes, NAME_BYTES_SUM_MAX, "bytes in the names of its exports");
    exports.set(name, { kind: section.byte(), index: section.u32() });
  }
}

/** All forms of segments (specification 5.5.12); what they are made of is the engine's to check. */
function countElements(section: Reader): void {
  let elements = 0;
  for (let left = bounded(section.count(), ELEMENT_SEGMENTS_MAX, "element segments"); left > 0; left--) {
    const flags = section.u32();
    if (flags > 7) throw section.malformed("an element segment of an unknown kind");
    const isActive = (flags & 1) === 0;
    if (isActive && (flags & 2) !== 0) section.skipLeb(32); // the table
    if (isActive) skipExpression(section); // the offset
    if ((flags & 3) !== 0) section.skip(1); // the type
    const count = section.count();
    elements += count;
    bounded(elements, ELEMENTS_SUM_MAX, "references in all its element segments");
    for (let i = 0; i < count; i++) {
      if ((flags & 4) !== 0) skipExpression(section);
      else section.skipLeb(32);
    }
  }
}

function skipExpression(section: Reader): void {
  for (;;) {
    const at = section.at;
    skipInstruction(section);
    if (section.bytes[at] === END) return;
  }
}

/** Tables may grow while a task runs: what all of them may have in the end is bounded, shared out evenly. */
function clampTables(section: Reader): number[] {
  const count = bounded(section.count(), TABLES_MAX, "tables");
  const tables: { type: number; initial: number; maximum: number }[] = [];
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const type = section.byte();
    if (type !== 0x70 && type !== 0x6f) throw unsupported("tables of typed references");
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
  // A maximum that was wrong before is the engine's to refuse.
  const limits = tables.map(({ type, initial, maximum }) => [
    ...[type, 1],
    ...leb(initial),
    ...leb(Math.min(maximum, initial + share)),
  ]);
  return [...leb(count), ...limits.flat()];
}

function clampMemory(section: Reader, memoryBytesMax: number): number[] {
  const pagesMax = Math.floor(memoryBytesMax / PAGE_BYTES);
  const count = section.count();
  if (count > 1) throw unsupported("several memories");
  if (count === 0) return [0];
  const flags = section.byte();
  if (flags >= 8) throw unsupported("memory pages of another size");
  if (flags >= 4) throw unsupported("64-bit memory");
  if (flags >= 2) throw unsupported("threads (shared memory)");
  const initial = section.u32();
  const maximum = flags === 1 ? section.u32() : pagesMax;
  if (initial > pagesMax) {
    throw new StarfishError(
      "out-of-memory",
      `The module starts with ${(initial * PAGE_BYTES) / 2 ** 20} MiB of memory, the limit is ${memoryBytesMax / 2 ** 20} MiB`,
    );
  }
  return [1, 1, ...leb(initial), ...leb(Math.min(maximum, pagesMax))];
}

function readName(section: Reader): string {
  const name = section.sized();
  return new TextDecoder().decode(section.bytes.subarray(name.at, name.end));
}
