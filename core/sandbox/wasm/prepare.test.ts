import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostile, i32, i64, mirror, type ModuleParts, repeated, string, wasm } from "../../../test/fixtures/wasm.ts";
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import {
  DATA_SEGMENTS_MAX,
  ELEMENT_SEGMENTS_MAX,
  EXPORTS_MAX,
  FUNCTION_BYTES_MAX,
  FUNCTIONS_MAX,
  GLOBALS_MAX,
  LOCALS_MAX,
  MODULE_BYTES_MAX,
  PAGE_BYTES,
  SECTIONS_MAX,
  TABLE_ENTRIES_MAX,
  TYPES_MAX,
} from "../limits.ts";
import { FUEL, GROW_FAILED, STACK } from "./added.ts";
import { prepareModule } from "./prepare.ts";
import { leb } from "./reader.ts";

const PAGES_MAX = 16;
const LIMIT = PAGES_MAX * PAGE_BYTES;

function prepare(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return prepareModule(bytes, LIMIT);
}

function instance(bytes: Uint8Array<ArrayBuffer>): Readonly<Record<string, unknown>> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  for (const name of [FUEL, STACK]) (exports[name] as WebAssembly.Global).value = 1_000_000n;
  return exports;
}

const ABI: NonNullable<ModuleParts["exports"]> = [
  ["memory", 2, 0],
  ["alloc", 0, 0],
  ["run", 0, 1],
];

/** A file with one section that has this many equal items. */
function withSection(id: number, count: number, item: readonly number[]): Uint8Array {
  const content = [...leb(count), ...repeated(count, item)];
  return Uint8Array.from([...wasm().subarray(0, 8), id, ...leb(content.length), ...content]);
}

/** An import section that takes one thing of each kind. */
const imports = [
  ...leb(4),
  ...string("env"),
  ...string("abort"),
  ...[0, 0],
  ...string("env"),
  ...string("memory"),
  ...[2, 0, 1],
  ...string("wasi_snapshot_preview1"),
  ...string("fd_write"),
  ...[0, 0],
  ...string("env"),
  ...string("g"),
  ...[3, 0x7f, 0],
];

describe("what is refused", () => {
  test.each<[string, Uint8Array, string, RegExp]>([
    ["nothing", new Uint8Array(), "not-wasm", /does not begin/],
    ["text", utf8("#!/bin/sh\n"), "not-wasm", /does not begin/],
    ["a component", Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), "not-wasm", /does not begin/],
    ["half a module", mirror().subarray(0, 60), "not-wasm", /ends too early/],
    [
      "an endless number",
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff),
      "not-wasm",
      /32 bits/,
    ],
    [
      "imports",
      wasm({ extra: [[2, imports]] }),
      "wasm-imports",
      /env\.abort, env\.memory, wasi_snapshot_preview1\.fd_write, env\.g;/,
    ],
    [
      "no memory",
      wasm({
        exports: [
          ["alloc", 0, 0],
          ["run", 0, 1],
        ],
      }),
      "wasm-abi",
      /memory/,
    ],
    [
      "no run",
      wasm({
        exports: [
          ["memory", 2, 0],
          ["alloc", 0, 0],
        ],
      }),
      "wasm-abi",
      /run\(ptr/,
    ],
    [
      "no alloc",
      wasm({
        exports: [
          ["memory", 2, 0],
          ["run", 0, 1],
        ],
      }),
      "wasm-abi",
      /alloc\(len/,
    ],
    [
      "run as another function",
      wasm({
        exports: [
          ["memory", 2, 0],
          ["alloc", 0, 0],
          ["run", 0, 0],
        ],
      }),
      "wasm-abi",
      /another type/,
    ],
    [
      "run as a memory",
      wasm({
        exports: [
          ["memory", 2, 0],
          ["alloc", 0, 0],
          ["run", 2, 0],
        ],
      }),
      "wasm-abi",
      /run\(ptr/,
    ],
    [
      "run that is not there",
      wasm({
        exports: [
          ["memory", 2, 0],
          ["alloc", 0, 0],
          ["run", 0, 99],
        ],
      }),
      "wasm-abi",
      /another type/,
    ],
    ["shared memory", wasm({ memory: [3, 1, 1] }), "wasm-unsupported", /threads/],
    ["64-bit memory", wasm({ memory: [4, 1] }), "wasm-unsupported", /64-bit/],
    ["odd pages", wasm({ memory: [8, 1, 0] }), "wasm-unsupported", /another size/],
    ["an atomic", wasm({ run: [...i32(0), 0xfe, 0x10, 2, 0, 0xad] }), "wasm-unsupported", /threads/],
    ["relaxed SIMD", wasm({ run: [0xfd, 0x80, 0x02, 0x42, 0] }), "wasm-unsupported", /relaxed/],
    ["garbage collection", wasm({ run: [0xfb, 0x00, 0] }), "wasm-unsupported", /garbage/],
    ["exceptions", wasm({ extra: [[13, [1, 0, 2]]] }), "wasm-unsupported", /exceptions/],
    ["two memories in use", wasm({ run: [...i32(0), 0x28, 0x42, 1, 0, 0xad] }), "wasm-unsupported", /several memories/],
    ["much memory from the start", wasm({ memory: [0, PAGES_MAX + 1] }), "out-of-memory", /limit is 1 MiB/],
    ["a giant table", wasm({ extra: [[4, [1, 0x70, 0, ...leb(TABLE_ENTRIES_MAX + 1)]]] }), "out-of-memory", /table/],
    ["many tables", hostile.manyTables(), "too-large", /20000 tables/],
    [
      "tables that are large together",
      wasm({ extra: [[4, [...leb(50), ...repeated(50, [0x70, 0, ...leb(TABLE_ENTRIES_MAX / 49)])]]] }),
      "out-of-memory",
      /entries in its tables/,
    ],
    ["many types", withSection(1, TYPES_MAX + 1, [0x60, 0, 0]), "too-large", /types/],
    [
      "a type of many parameters",
      wasm({ extra: [[1, [1, 0x60, ...leb(1_001), ...repeated(1_001, [0x7f]), 0]]] }),
      "too-large",
      /one type/,
    ],
    [
      "types of many parameters",
      withSection(1, 200, [0x60, ...leb(600), ...repeated(600, [0x7f]), 0]),
      "too-large",
      /all its types/,
    ],
    ["many functions", withSection(3, FUNCTIONS_MAX + 1, [0]), "too-large", /functions/],
    ["many globals", withSection(6, GLOBALS_MAX + 1, [0x7f, 0, ...i32(0), 0x0b]), "too-large", /globals/],
    ["many exports", withSection(7, EXPORTS_MAX + 1, [0, 0, 0]), "too-large", /exports/],
    ["long names", withSection(7, 1, [...string("x".repeat(2 ** 20)), 0, 0]), "too-large", /names/],
    ["many element segments", withSection(9, ELEMENT_SEGMENTS_MAX + 1, [1, 0, 0]), "too-large", /element segments/],
    [
      "many references",
      withSection(9, 3, [5, 0x70, ...leb(70_000), ...repeated(70_000, [0xd0, 0x70, 0x0b])]),
      "too-large",
      /references/,
    ],
    ["many data segments", withSection(11, DATA_SEGMENTS_MAX + 1, [1, 0]), "too-large", /data segments/],
    ["many sections", Uint8Array.from([...wasm(), ...repeated(SECTIONS_MAX, [0, 1, 0])]), "too-large", /sections/],
    ["a section twice", wasm({ extra: [[1, [0]]] }), "not-wasm", /two sections/],
    [
      "a giant function",
      wasm({ run: [...repeated(FUNCTION_BYTES_MAX, [1]), ...i64(0n)] }),
      "too-large",
      /bytes in function 1/,
    ],
    ["many locals", wasm({ locals: LOCALS_MAX + 1 }), "too-large", /locals in function 1/],
    [
      "many locals, again and again",
      wasm({ third: [], more: Array.from({ length: 100 }, () => [1, ...leb(48_000), 0x7f, 0x0b]) }),
      "too-large",
      /all its functions/,
    ],
    [
      "locals to remember at many ifs",
      wasm({ locals: 48_000, run: [...repeated(100, [...i32(1), 0x04, 0x40, 0x0b]), ...i64(0n)] }),
      "too-large",
      /blocks of function 1/,
    ],
    [
      "operands to remember at many ifs",
      wasm({
        run: [
          ...repeated(50_000, i32(1)),
          ...repeated(100, [...i32(1), 0x04, 0x40, 0x0b]),
          ...repeated(50_000, [0x1a]),
          ...i64(0n),
        ],
      }),
      "too-large",
      /blocks of function 1/,
    ],
    ["too many blocks", wasm({ run: [...repeated(110_000, [0x02, 0x40]), 0x00] }), "too-large", /blocks of function 1/],
    ["a program with a main", wasm({ third: [], exports: [...ABI, ["_start", 0, 2]] }), "wasm-abi", /_start.*reactor/],
    ["constructors that want something", wasm({ exports: [...ABI, ["_initialize", 0, 0]] }), "wasm-abi", /_initialize/],
    [
      "our own name",
      wasm({ globals: [1, 0x7f, 1, ...i32(1), 0x0b], exports: [...ABI, [GROW_FAILED, 3, 0]] }),
      "wasm-abi",
      /grow-failed/,
    ],
    ["a giant file", new Uint8Array(MODULE_BYTES_MAX + 1), "too-large", /bytes/],
  ])("%s", (_what, bytes, code, message) => {
    let caught: unknown;
    try {
      prepare(bytes);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code });
    expect(String(caught)).toMatch(message);
  });
});

describe("what is let through", () => {
  test("has the same meaning", () => {
    const exports = instance(prepare(wasm()));
    expect(Object.keys(exports)).toEqual(["memory", "alloc", "run", FUEL, STACK, GROW_FAILED]);
    expect((exports["run"] as (pointer: number, length: number) => bigint)(0, 0)).toBe(0n);
  });

  test.each<[string, number[], number]>([
    ["none", [0, 1], PAGES_MAX],
    ["a higher one", [1, 1, ...leb(65_536)], PAGES_MAX],
    ["a lower one", [1, 1, 3], 3],
  ])("a memory with a maximum of: %s", (_what, memory, pages) => {
    const exported = instance(prepare(wasm({ memory })))["memory"] as WebAssembly.Memory;
    const size = exported.grow(0);
    expect(() => exported.grow(pages - size + 1)).toThrow(RangeError);
    expect(exported.grow(pages - size)).toBe(size);
  });

  test.each<[string, ModuleParts]>([
    ["none", {}],
    ["one", { globals: [1, 0x7f, 1, ...i32(7), 0x0b] }],
  ])("growth of memory is watched in a module whose globals are: %s", (_what, parts) => {
    // Twice in one body, the second with a longer index than it needs.
    const run = [...i32(3), 0x40, 0x00, 0x1a, ...i32(PAGES_MAX), 0x40, 0x80, 0x00, 0xac];
    const exports = instance(prepare(wasm({ ...parts, run })));
    const flag = exports[GROW_FAILED] as WebAssembly.Global;
    expect(flag.value).toBe(0);
    expect((exports["run"] as (pointer: number, length: number) => bigint)(0, 0)).toBe(-1n);
    expect((exports["memory"] as WebAssembly.Memory).buffer.byteLength).toBe(4 * PAGE_BYTES);
    expect(flag.value).toBe(1);
  });

  test("a table stays small", () => {
    const bytes = prepare(
      wasm({
        extra: [[4, [1, 0x70, 0, 1]]],
        exports: [
          ["memory", 2, 0],
          ["alloc", 0, 0],
          ["run", 0, 1],
          ["t", 1, 0],
        ],
      }),
    );
    const table = instance(bytes)["t"] as WebAssembly.Table;
    expect(() => table.grow(TABLE_ENTRIES_MAX)).toThrow(RangeError);
  });

  test("tables share what they may have in the end", () => {
    const bytes = prepare(
      wasm({
        extra: [[4, [2, 0x70, 0, ...leb(50_000), 0x6f, 1, 1, ...leb(60_000)]]],
        exports: [...ABI, ["t", 1, 0], ["u", 1, 1]],
      }),
    );
    const { t, u } = instance(bytes) as Record<string, WebAssembly.Table>;
    const share = (TABLE_ENTRIES_MAX - 50_001) / 2;
    for (const table of [t, u]) {
      expect(() => table?.grow(Math.floor(share) + 1)).toThrow(RangeError);
      table?.grow(Math.floor(share));
    }
  });

  test("what programs have of everything is far within the bounds", () => {
    const run = [
      ...repeated(1_000, [...i32(1), 0x04, 0x7f, ...i32(2), 0x05, ...i32(3), 0x0b, 0x1a]), // if (result i32) else end
      ...repeated(5_000, [0x20, 2, 0x20, 3, 0x6a, 0x21, 4]), // local = local + local
      ...repeated(5_000, [...i32(0), 0x10, 0, 0x1a]), // drop (call alloc)
      ...i64(0n),
    ];
    expect(WebAssembly.validate(prepare(wasm({ locals: 500, run })))).toBe(true);
  });

  test("custom sections are left out", () => {
    const plain = wasm();
    const named = Uint8Array.from([...plain, 0, 8, ...string("name"), 1, 2, 3]);
    expect(prepare(named)).toEqual(prepare(plain));
  });

  test("the instructions of every kind are passed over whole", () => {
    // Each ends balanced, so that the engine takes the module as well.
    const run = [
      ...[0x02, 0x40, 0x0b], // block end
      ...[0x03, 0x7f, ...i32(1), 0x0b, 0x1a], // loop (result i32) … end drop
      ...[...i32(0), 0x04, 0x40, 0x05, 0x0b], // if else end
      ...[0x02, 0x40, ...i32(0), 0x0e, 2, 0, 0, 0, 0x0b], // br_table
      ...[...i32(1), ...i32(2), ...i32(0), 0x1c, 1, 0x7f, 0x1a], // select (i32)
      ...[0x43, 0, 0, 0x80, 0x3f, 0x1a, 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x1a], // f32.const, f64.const
      ...[0xd0, 0x70, 0xd1, 0x1a], // ref.null func, ref.is_null
      ...[0x3f, 0, 0x40, 0, 0x1a], // memory.size memory.grow
      ...[...i32(0), ...i32(0), ...i32(0), 0xfc, 11, 0], // memory.fill
      ...[...i32(0), ...i32(0), ...i32(0), 0xfc, 10, 0, 0], // memory.copy
      ...[0xfd, 12, ...Array.from({ length: 16 }, () => 0x0b), 0xfd, 21, 3, 0x1a], // v128.const, i8x16.extract_lane_s
      ...[...i32(0), 0xfd, 0, 4, 0, 0xfd, 98, 0x1a], // v128.load, i8x16.popcnt
      ...[...i32(0), ...i32(0), 0xfd, 15, 0xfd, 84, 0, 0, 5, 0x1a], // i8x16.splat, v128.load8_lane
      ...[0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0xfc, 2, 0x1a], // i32.trunc_sat_f64_s
      ...[0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f], // i64.const of ten bytes
    ];
    expect(WebAssembly.validate(prepare(wasm({ run })))).toBe(true);
  });
});

describe("whatever the bytes", () => {
  const seeds = [mirror(), hostile.memoryEater(), hostile.counter(), wasm({ extra: [[4, [1, 0x70, 1, 2, 9]]] })];

  test("either a StarfishError, or a module that the engine holds to the limits", () => {
    const edits = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), edits, (seed, changes) => {
        const bytes = seed.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        let prepared: Uint8Array<ArrayBuffer>;
        try {
          prepared = prepare(bytes);
        } catch (error) {
          if (isStarfishError(error)) return;
          throw error;
        }
        if (!WebAssembly.validate(prepared)) return;
        const module = new WebAssembly.Module(prepared);
        expect(WebAssembly.Module.imports(module)).toEqual([]);
        expect(WebAssembly.Module.exports(module)).toContainEqual({ name: "memory", kind: "memory" });
      }),
      { numRuns: 3_000 },
    );
  });
});
