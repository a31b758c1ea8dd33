/**
 * What stands between a stranger's bytes and the sandbox: one pass over a module that refuses what must not run and
 * writes the limits into the binary, so that the engine itself enforces them. Pure; the same bytes and limits give the
 * same module on every node. The engine still validates the result: this pass only has to see all that it looks for.
 *
 * Fuel and call depth, when they come, are written in the same way as the watch on memory (grow-watch.ts): `walkCode`
 * finds the places.
 */
import { type Bytes, concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { MODULE_BYTES_MAX, PAGE_BYTES, TABLE_ENTRIES_MAX } from "../limits.ts";
import { type Body, type Section, watchGrowth } from "./grow-watch.ts";
import { skipInstruction, unsupported } from "./instructions.ts";
import { leb, Reader } from "./reader.ts";

/** "\0asm", version 1. */
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = { custom: 0, type: 1, import: 2, function: 3, table: 4, memory: 5, export: 7, code: 10, dataCount: 12 };
const I32 = 0x7f;
const I64 = 0x7e;
const FUNCTION = 0;
const MEMORY = 2;
const MEMORY_GROW = 0x40;
/** Imports that the message names; a module of Emscripten has hundreds. */
const IMPORTS_NAMED_MAX = 5;

interface Found {
  readonly types: string[];
  /** The type of each function. */
  readonly functions: number[];
  readonly exports: Map<string, { kind: number; index: number }>;
  readonly bodies: Body[];
}

/**
 * The module with its limits in it. Throws "too-large", "not-wasm", "wasm-imports", "wasm-unsupported", "wasm-abi", or
 * "out-of-memory" when it asks for more than `memoryBytesMax` from the start.
 */
export function prepareModule(bytes: Bytes, memoryBytesMax: number): Uint8Array<ArrayBuffer> {
  if (bytes.length > MODULE_BYTES_MAX) {
    throw new StarfishError("too-large", `The module has ${bytes.length} bytes, the most is ${MODULE_BYTES_MAX}`);
  }
  const reader = new Reader(bytes);
  if (HEADER.some((byte) => reader.done || reader.byte() !== byte)) {
    throw new StarfishError("not-wasm", 'Not a WebAssembly module: it does not begin with "\\0asm" and version 1');
  }
  const found: Found = { types: [], functions: [], exports: new Map(), bodies: [] };
  const sections: Section[] = [];
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.sized();
    // Custom sections are hints and names: nothing that a task needs.
    if (id === SECTION.custom) continue;
    const content = bytes.subarray(section.at, section.end);
    const rewritten = visitSection(id, section, found, memoryBytesMax);
    sections.push({ id, content: rewritten === undefined ? content : Uint8Array.from(rewritten) });
  }
  checkAbi(found);
  const parts: Bytes[] = [Uint8Array.from(HEADER)];
  for (const { id, content } of watchGrowth(sections, bytes, found.bodies)) {
    parts.push(Uint8Array.from([id, ...leb(content.length)]), content);
  }
  return concat(parts);
}

/** Reads a section, and returns its new content if it changes. */
function visitSection(id: number, section: Reader, found: Found, memoryBytesMax: number): number[] | undefined {
  switch (id) {
    case SECTION.type:
      for (let left = section.count(); left > 0; left--) found.types.push(readType(section));
      return undefined;
    case SECTION.import:
      return refuseImports(section);
    case SECTION.function:
      for (let left = section.count(); left > 0; left--) found.functions.push(section.u32());
      return undefined;
    case SECTION.table:
      return clampTables(section);
    case SECTION.memory:
      return clampMemory(section, memoryBytesMax);
    case SECTION.export:
      for (let left = section.count(); left > 0; left--) {
        const name = readName(section);
        found.exports.set(name, { kind: section.byte(), index: section.u32() });
      }
      return undefined;
    case SECTION.code:
      walkCode(section, found.bodies);
      return undefined;
    default:
      if (id > SECTION.dataCount) throw unsupported(id === 13 ? "exceptions" : `a section of the unknown kind ${id}`);
      return undefined;
  }
}

/** A function type in letters: "ii>I" takes two i32 and gives an i64. */
function readType(section: Reader): string {
  const form = section.byte();
  if (form !== 0x60) throw unsupported("types other than those of functions");
  return `${readValueTypes(section)}>${readValueTypes(section)}`;
}

function readValueTypes(section: Reader): string {
  let types = "";
  for (let left = section.count(); left > 0; left--) {
    const type = section.byte();
    // i32, i64, f32, f64, v128, funcref, externref; the typed references of later proposals take further bytes.
    if ((type < 0x7b || type > I32) && type !== 0x70 && type !== 0x6f)
      throw unsupported("reference types of garbage collection");
    types += type === I32 ? "i" : type === I64 ? "I" : "?";
  }
  return types;
}

function refuseImports(section: Reader): undefined {
  const count = section.count();
  if (count === 0) return undefined;
  const names: string[] = [];
  for (let i = 0; i < Math.min(count, IMPORTS_NAMED_MAX); i++) {
    names.push(`${readName(section)}.${readName(section)}`);
    skipImportDescription(section);
  }
  const more = count > names.length ? ` and ${count - names.length} more` : "";
  throw new StarfishError(
    "wasm-imports",
    `The module imports ${names.join(", ")}${more}; a task may import nothing (AssemblyScript: --use abort=)`,
  );
}

function skipImportDescription(section: Reader): void {
  const kind = section.byte();
  if (kind === 0) return section.skipLeb(32); // function
  if (kind === 3) return section.skip(2); // global
  if (kind === 4) section.skip(1); // tag
  else if (kind === 1) section.skip(1); // table
  if (kind === 4) return section.skipLeb(32);
  const flags = section.byte();
  section.skipLeb(64);
  if ((flags & 1) !== 0) section.skipLeb(64);
}

function clampTables(section: Reader): number[] {
  const count = section.count();
  const content = leb(count);
  for (let i = 0; i < count; i++) {
    const type = section.byte();
    if (type !== 0x70 && type !== 0x6f) throw unsupported("tables of typed references");
    const flags = section.byte();
    if (flags > 1) throw unsupported("64-bit tables");
    const initial = section.u32();
    const maximum = flags === 1 ? section.u32() : TABLE_ENTRIES_MAX;
    if (initial > TABLE_ENTRIES_MAX) {
      throw new StarfishError(
        "out-of-memory",
        `The module has a table of ${initial} entries, the most is ${TABLE_ENTRIES_MAX}`,
      );
    }
    // Never below the initial size: a maximum that was wrong before is the engine's to refuse.
    content.push(type, 1, ...leb(initial), ...leb(Math.min(maximum, TABLE_ENTRIES_MAX)));
  }
  return content;
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

function walkCode(section: Reader, bodies: Body[]): void {
  for (let left = section.count(); left > 0; left--) {
    const body = section.sized();
    const from = body.at;
    for (let locals = body.count(); locals > 0; locals--) {
      body.skipLeb(32);
      body.skip(1);
    }
    const grows: { from: number; to: number }[] = [];
    while (!body.done) {
      const at = body.at;
      skipInstruction(body);
      if (body.bytes[at] === MEMORY_GROW) grows.push({ from: at, to: body.at });
    }
    bodies.push({ from, to: body.end, grows });
  }
}

function readName(section: Reader): string {
  const name = section.sized();
  return new TextDecoder().decode(section.bytes.subarray(name.at, name.end));
}

function checkAbi(found: Found): void {
  const memory = found.exports.get("memory");
  if (memory?.kind !== MEMORY) throw abi("does not export its memory as `memory`");
  requireFunction(found, "alloc", "i>i", "alloc(len: i32) -> i32");
  requireFunction(found, "run", "ii>I", "run(ptr: i32, len: i32) -> i64");
}

function requireFunction(found: Found, name: string, type: string, signature: string): void {
  const exported = found.exports.get(name);
  if (exported?.kind !== FUNCTION) throw abi(`does not export a function \`${signature}\``);
  // There are no imports, so that functions count from the module's own first.
  const actual = found.types[found.functions[exported.index] ?? -1];
  if (actual !== type) throw abi(`exports \`${name}\` with another type than \`${signature}\``);
}

function abi(what: string): StarfishError {
  return new StarfishError("wasm-abi", `The module ${what}; see wasm-tasks/README.md for what a task has to export`);
}
