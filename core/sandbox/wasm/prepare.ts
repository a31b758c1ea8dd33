/**
 * The pass between a stranger's bytes and the sandbox. It refuses modules that must not run, and writes the limits into
 * the binary, so that every engine enforces them in the same way. Pure: the same bytes and limits give the same module
 * on every node. The engine still validates the result; this pass only must not overlook anything that it checks.
 *
 * It writes in fuel and room on the stack (write-body.ts), the maxima of memory and tables (sections.ts), canonical
 * NaNs (nan-watch.ts), and a check of growing memory (added.ts). With these, and without imports, threads and relaxed
 * SIMD, a module has one result for one input, and uses one amount of fuel for it, wherever it runs.
 *
 * A module takes memory of the engine besides its own: tables, functions, types, names, and what compiling it takes.
 * Each of these is bounded here (limits.ts), since engines do not bound them to what a lent core may use.
 */
import { type Bytes, concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { ProgramKind } from "../../ports/sandbox.ts";
import { DATA_SEGMENTS_MAX, FUNCTIONS_MAX, LOCALS_SUM_MAX, MODULE_BYTES_MAX, SECTIONS_MAX } from "../limits.ts";
import { checkAbi, type Exported } from "./abi-check.ts";
import { ADDED_FUNCTIONS, ADDED_GLOBALS, addedElements } from "./added.ts";
import { bounded } from "./bounded.ts";
import { readImports } from "./imports.ts";
import { unsupported } from "./opcodes.ts";
import { Output } from "./output.ts";
import { leb, malformed, Reader } from "./reader.ts";
import { clampMemory, clampTables, countElements, countGlobals, readExports } from "./sections.ts";
import { type FunctionType, readTypes } from "./types.ts";
import { Walker } from "./walk.ts";
import { BodyWriter } from "./write-body.ts";

/**
 * Count it up when the code that is written into modules changes. It is part of the key of a task, because results and
 * fuel of two versions may differ.
 */
export const REWRITER_VERSION = 2;

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
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
};
/** The order of the sections in a file. */
const ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
/** The usual growth of a module's code. */
const GROWTH = 1.5;

interface Found {
  types: readonly FunctionType[];
  /** The types of the functions, the imported ones first. */
  readonly functions: number[];
  imported: number;
  globals: number;
  pagesMax: number;
  start: number | undefined;
  exports: ReadonlyMap<string, Exported>;
  readonly contents: Map<number, Bytes>;
}

/**
 * The module with its limits. Throws "too-large", "not-wasm", "wasm-imports", "wasm-unsupported", "wasm-abi", or
 * "out-of-memory" if it asks for more than `memoryBytesMax` at the start.
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
  const found: Found = {
    ...{
      types: [],
      functions: [],
      imported: 0,
      globals: 0,
      pagesMax: 0,
      start: undefined,
      exports: new Map(),
      contents: new Map(),
    },
  };
  let last = -1;
  for (let count = 1; !reader.done; count++) {
    bounded(count, SECTIONS_MAX, "sections");
    const id = reader.byte();
    const section = reader.sized();
    // Custom sections are hints and names, which no task needs.
    if (id === SECTION.custom) continue;
    if (id > SECTION.dataCount) throw unsupported(id === 13 ? "exceptions" : `a section of the unknown kind ${id}`);
    const place = ORDER.indexOf(id);
    if (found.contents.has(id)) throw reader.malformed(`it has two sections of the kind ${id}`);
    if (place < last) throw reader.malformed(`a section of the kind ${id} is out of order`);
    last = place;
    // Set before the code is read, which needs to know what exists.
    found.contents.set(id, bytes.subarray(section.at, section.end));
    const rewritten = visitSection(id, section, found, { memoryBytesMax, kind });
    // Data sections are copied unchanged. In all others nothing may follow the last element, because more elements are
    // appended there.
    if (!section.done && id !== SECTION.data) throw section.malformed(`its section ${id} is longer than what is in it`);
    if (rewritten !== undefined) found.contents.set(id, rewritten);
  }
  checkAbi(found, kind);
  return assemble(found);
}

/** Reads a section, and returns its new content if it changes. */
function visitSection(
  id: number,
  section: Reader,
  found: Found,
  { memoryBytesMax, kind }: { readonly memoryBytesMax: number; readonly kind: ProgramKind },
): Bytes | undefined {
  switch (id) {
    case SECTION.type:
      found.types = readTypes(section);
      return undefined;
    case SECTION.import:
      for (const type of readImports(section, kind)) found.functions.push(type);
      found.imported = bounded(found.functions.length, FUNCTIONS_MAX, "imports");
      return undefined;
    case SECTION.function:
      for (let left = bounded(section.count(), FUNCTIONS_MAX, "functions"); left > 0; left--)
        found.functions.push(section.u32());
      return undefined;
    case SECTION.table:
      return Uint8Array.from(clampTables(section));
    case SECTION.memory: {
      const { content, pagesMax } = clampMemory(section, memoryBytesMax);
      found.pagesMax = pagesMax;
      return Uint8Array.from(content);
    }
    case SECTION.global:
      found.globals = countGlobals(section);
      return undefined;
    case SECTION.export:
      found.exports = readExports(section);
      return undefined;
    case SECTION.start:
      found.start = section.u32();
      if (found.types[found.functions[found.start] ?? -1]?.signature !== ">")
        throw section.malformed("its start function is missing, or has parameters or results");
      return undefined;
    case SECTION.element:
      countElements(section);
      return undefined;
    case SECTION.code:
      return rewriteCode(section, found);
    default:
      bounded(section.u32(), DATA_SEGMENTS_MAX, "data segments");
      return undefined;
  }
}

function numbers(found: Found): Parameters<typeof addedElements>[0] {
  const { globals, functions, types, pagesMax } = found;
  return { globals, functions: functions.length, types: types.length, pagesMax };
}

/** The bodies of all functions, and of those that are added. */
function rewriteCode(section: Reader, found: Found): Bytes {
  const count = section.count();
  const { imported } = found;
  if (count !== found.functions.length - imported)
    throw section.malformed("its number of function bodies differs from that of its functions");
  const { bodies } = addedElements(numbers(found), undefined);
  const source = section.bytes;
  const out = new Output(Math.ceil((section.end - section.at) * GROWTH));
  const walker = new Walker(source, found);
  const writer = new BodyWriter(out, source, walker.plan, {
    ...{ fuel: found.globals, stack: found.globals + 1 },
    ...{ grow: imported + count, payBytes: imported + count + 1, payEntries: imported + count + 2 },
  });
  out.reserve(8);
  out.leb(count + ADDED_FUNCTIONS);
  let locals = 0;
  for (let index = 0; index < count; index++) {
    const type = found.types[found.functions[imported + index] ?? -1];
    if (type === undefined) throw malformed("a type that is not there", section.at);
    walker.walk(section.sized(), index, type);
    locals += walker.plan.locals;
    bounded(locals, LOCALS_SUM_MAX, "locals in all its functions");
    writer.write();
  }
  for (const body of bodies) {
    out.reserve(body.length);
    out.all(body);
  }
  return out.written();
}

/** The file, with the additions in each section. */
function assemble(found: Found): Uint8Array<ArrayBuffer> {
  const elements = addedElements(numbers(found), found.start);
  const more = new Map<number, { count: number; bytes: readonly number[] }>([
    [SECTION.type, { count: 1, bytes: elements.types }],
    [SECTION.function, { count: ADDED_FUNCTIONS, bytes: elements.functions }],
    [SECTION.global, { count: ADDED_GLOBALS, bytes: elements.globals }],
    [SECTION.export, { count: elements.exports.length, bytes: elements.exports.flat() }],
  ]);
  const parts: Bytes[] = [Uint8Array.from(HEADER)];
  for (const id of ORDER) {
    // The host calls the start function, once it has given the task its fuel.
    if (id === SECTION.start) continue;
    const added = more.get(id);
    const there = found.contents.get(id);
    const content = added === undefined ? there : extended(there, added.count, added.bytes);
    if (content !== undefined) parts.push(Uint8Array.from([id, ...leb(content.length)]), content);
  }
  return concat(parts);
}

/** A section with that many more elements at its end. */
function extended(content: Bytes | undefined, more: number, elements: readonly number[]): Bytes {
  const reader = new Reader(content ?? Uint8Array.of(0));
  const count = reader.u32();
  return concat([Uint8Array.from(leb(count + more)), reader.bytes.subarray(reader.at), Uint8Array.from(elements)]);
}
