/**
 * The known instructions: WebAssembly 2.0 with SIMD and tail calls. For each: what follows its opcode, how many
 * operands it takes and leaves, what it costs in fuel, and how it treats NaNs. All other opcodes are refused as
 * "wasm-unsupported": threads and relaxed SIMD because their results differ between machines, the rest (garbage
 * collection, exceptions, several memories) because nobody has assigned costs to them yet.
 *
 * An opcode that this code skipped but an engine executed could hide code from the rewriter. So the tables list what is
 * known, not what is refused.
 */
import { StarfishError } from "../../base/errors.ts";
import { CALL_FUEL } from "../limits.ts";

/** What follows an opcode. */
export const FORM = {
  refused: 0,
  nothing: 1,
  /** A number of up to 32 bits. */
  index: 2,
  /** A signed number of up to 64 bits. */
  i64: 3,
  /** Alignment and offset. */
  memory: 4,
  bytes4: 5,
  bytes8: 6,
  bytes16: 7,
  /** Two numbers. */
  indices: 8,
  /** The number of a lane. */
  lane: 9,
  memoryLane: 10,
  local: 11,
  global: 12,
  /** Blocks, branches, calls, prefixes: each is handled by itself. */
  special: 13,
} as const;

/** The shapes whose NaNs matter: the bits of a NaN can be recognised only by its shape. */
export const SHAPE = { none: 0, f32: 1, f64: 2, f32x4: 3, f64x2: 4 } as const;

/** Instructions that the rewriter handles one by one. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  refNull: 0xd0,
  refFunc: 0xd2,
  bulk: 0xfc,
  vector: 0xfd,
} as const;

/** Properties by opcode, for one table. The opcodes after a prefix (0xfc, 0xfd) have tables of their own. */
export interface Opcodes {
  readonly form: Uint8Array;
  readonly takes: Uint8Array;
  readonly gives: Uint8Array;
  /** In quarters of a unit of fuel. */
  readonly fuel: Uint8Array;
  /** The shape whose NaNs it takes without regard to their bits: arithmetic and comparisons. */
  readonly absorbs: Uint8Array;
  /** The shape of the NaNs that it makes, whose bits the specification leaves open. */
  readonly makes: Uint8Array;
}

/** Fuel is counted in quarters while a function is read, and rounded up where it is paid. */
export const QUARTERS = 4;
/** An operation, or a branch. */
const OPERATION = QUARTERS;
/** Instructions that bring a value to where it is needed: compilers usually make no code for them. */
const VALUE = 1;
/** A turn of a loop is paid for even if the loop is empty, so that an empty loop does not run for long. */
const TURN = 4 * QUARTERS;
/** Division and square roots: many cycles, in every engine. */
const DIVISION = 8 * QUARTERS;
/** Asking the system for memory, or moving it: the cost besides that of its length. */
const BULK_WORK = 16 * QUARTERS;
const CALL = CALL_FUEL * QUARTERS;

function table(): Opcodes {
  const make = (): Uint8Array => new Uint8Array(256);
  const opcodes = { form: make(), takes: make(), gives: make(), fuel: make(), absorbs: make(), makes: make() };
  opcodes.fuel.fill(OPERATION);
  return opcodes;
}

type Range = readonly [first: number, last: number];

function set(
  { form, takes, gives }: Opcodes,
  effect: readonly [form: number, takes: number, gives: number],
  ...ranges: readonly Range[]
): void {
  for (const [first, last] of ranges) {
    form.fill(effect[0], first, last + 1);
    takes.fill(effect[1], first, last + 1);
    gives.fill(effect[2], first, last + 1);
  }
}

function fill(column: Uint8Array, value: number, ...ranges: readonly Range[]): void {
  for (const [first, last] of ranges) column.fill(value, first, last + 1);
}

export const PLAIN: Opcodes = table();
set(PLAIN, [FORM.special, 0, 0], [0x00, 0x00], [0x02, 0x05], [0x0b, 0x13]);
set(PLAIN, [FORM.nothing, 0, 0], [0x01, 0x01]); // nop
set(PLAIN, [FORM.nothing, 1, 0], [OP.drop, OP.drop]);
set(PLAIN, [FORM.nothing, 3, 1], [OP.select, OP.select]);
set(PLAIN, [FORM.special, 3, 1], [OP.selectTyped, OP.selectTyped]);
set(PLAIN, [FORM.local, 0, 1], [OP.localGet, OP.localGet]);
set(PLAIN, [FORM.local, 1, 0], [OP.localSet, OP.localSet]);
set(PLAIN, [FORM.local, 1, 1], [OP.localTee, OP.localTee]);
set(PLAIN, [FORM.global, 0, 1], [OP.globalGet, OP.globalGet]);
set(PLAIN, [FORM.global, 1, 0], [OP.globalSet, OP.globalSet]);
set(PLAIN, [FORM.index, 1, 1], [OP.tableGet, OP.tableGet]);
set(PLAIN, [FORM.index, 2, 0], [OP.tableSet, OP.tableSet]);
set(PLAIN, [FORM.memory, 1, 1], [0x28, 0x35]); // loads
set(PLAIN, [FORM.memory, 2, 0], [0x36, 0x3e]); // stores
set(PLAIN, [FORM.index, 0, 1], [0x3f, 0x3f]); // memory.size
set(PLAIN, [FORM.index, 1, 1], [OP.memoryGrow, OP.memoryGrow]);
set(PLAIN, [FORM.index, 0, 1], [OP.i32Const, OP.i32Const]);
set(PLAIN, [FORM.i64, 0, 1], [OP.i64Const, OP.i64Const]);
set(PLAIN, [FORM.bytes4, 0, 1], [OP.f32Const, OP.f32Const]);
set(PLAIN, [FORM.bytes8, 0, 1], [OP.f64Const, OP.f64Const]);
set(PLAIN, [FORM.nothing, 1, 1], [0x45, 0x45], [0x50, 0x50]); // eqz
set(PLAIN, [FORM.nothing, 2, 1], [0x46, 0x4f], [0x51, 0x66]); // comparisons
set(PLAIN, [FORM.nothing, 1, 1], [0x67, 0x69], [0x79, 0x7b], [0x8b, 0x91], [0x99, 0x9f], [0xa7, 0xc4]);
set(PLAIN, [FORM.nothing, 2, 1], [0x6a, 0x78], [0x7c, 0x8a], [0x92, 0x98], [0xa0, 0xa6]); // arithmetic of two operands
set(PLAIN, [FORM.special, 0, 1], [OP.refNull, OP.refNull], [OP.refFunc, OP.refFunc]);
set(PLAIN, [FORM.nothing, 1, 1], [0xd1, 0xd1]); // ref.is_null
set(PLAIN, [FORM.special, 0, 0], [OP.bulk, OP.vector]);

// The begin and end of a block cost nothing.
fill(PLAIN.fuel, 0, [0x01, 0x02], [0x05, 0x05], [0x0b, 0x0b], [OP.bulk, OP.vector]);
fill(PLAIN.fuel, VALUE, [OP.drop, OP.drop], [OP.localGet, OP.localTee], [OP.i32Const, OP.f64Const]);
fill(PLAIN.fuel, TURN, [OP.loop, OP.loop]);
fill(PLAIN.fuel, CALL, [OP.call, OP.returnCallIndirect]);
fill(PLAIN.fuel, DIVISION, [0x6d, 0x70], [0x7f, 0x82], [0x91, 0x91], [0x95, 0x95], [0x9f, 0x9f], [0xa3, 0xa3]);
fill(PLAIN.fuel, BULK_WORK, [OP.memoryGrow, OP.memoryGrow]);

// Without abs, neg and copysign, which work on the bits of a NaN, as loads and stores do.
fill(PLAIN.absorbs, SHAPE.f32, [0x5b, 0x60], [0x8d, 0x97], [0xa8, 0xa9], [0xae, 0xaf], [0xbb, 0xbb]);
fill(PLAIN.absorbs, SHAPE.f64, [0x61, 0x66], [0x9b, 0xa5], [0xaa, 0xab], [0xb0, 0xb1], [0xb6, 0xb6]);
fill(PLAIN.makes, SHAPE.f32, [0x8d, 0x97], [0xb6, 0xb6]); // ceil to max, demote
fill(PLAIN.makes, SHAPE.f64, [0x9b, 0xa5], [0xbb, 0xbb]); // ceil to max, promote

/** After 0xfc: saturating truncations, and operations on ranges of memories and tables. */
export const BULK: Opcodes = table();
set(BULK, [FORM.nothing, 1, 1], [0, 7]);
set(BULK, [FORM.indices, 3, 0], [8, 8], [10, 10], [12, 12], [14, 14]); // memory.init, .copy, table.init, .copy
set(BULK, [FORM.index, 0, 0], [9, 9], [13, 13]); // data.drop, elem.drop
set(BULK, [FORM.index, 3, 0], [11, 11], [17, 17]); // memory.fill, table.fill
set(BULK, [FORM.index, 2, 1], [15, 15]); // table.grow
set(BULK, [FORM.index, 0, 1], [16, 16]); // table.size
fill(BULK.fuel, BULK_WORK, [8, 15], [17, 17]);
fill(BULK.absorbs, SHAPE.f32, [0, 1], [4, 5]);
fill(BULK.absorbs, SHAPE.f64, [2, 3], [6, 7]);
/** Instructions whose last operand is a number of bytes. */
export const BULK_BYTES: ReadonlySet<number> = new Set([8, 10, 11]);
/** Instructions whose last operand is a number of table entries. */
export const BULK_ENTRIES: ReadonlySet<number> = new Set([12, 14, 15, 17]);

/** After 0xfd. */
export const VECTOR: Opcodes = table();
set(VECTOR, [FORM.memory, 1, 1], [0, 10], [92, 93]); // loads
set(VECTOR, [FORM.memory, 2, 0], [11, 11]); // v128.store
set(VECTOR, [FORM.bytes16, 0, 1], [12, 12]); // v128.const
set(VECTOR, [FORM.bytes16, 2, 1], [13, 13]); // i8x16.shuffle
set(VECTOR, [FORM.nothing, 2, 1], [14, 14]); // i8x16.swizzle
set(VECTOR, [FORM.nothing, 1, 1], [15, 20]); // splats
set(VECTOR, [FORM.lane, 1, 1], [21, 22], [24, 25], [27, 27], [29, 29], [31, 31], [33, 33]); // extract_lane
set(VECTOR, [FORM.lane, 2, 1], [23, 23], [26, 26], [28, 28], [30, 30], [32, 32], [34, 34]); // replace_lane
set(VECTOR, [FORM.nothing, 2, 1], [35, 76]); // comparisons
set(VECTOR, [FORM.nothing, 1, 1], [77, 77], [83, 83], [94, 100]);
set(VECTOR, [FORM.nothing, 2, 1], [78, 81]);
set(VECTOR, [FORM.nothing, 3, 1], [82, 82]); // bitselect
set(VECTOR, [FORM.memoryLane, 2, 1], [84, 87]);
set(VECTOR, [FORM.memoryLane, 2, 0], [88, 91]);
set(VECTOR, [FORM.nothing, 1, 1], [103, 106], [116, 117], [122, 122], [124, 129], [131, 132], [135, 138], [148, 148]);
set(VECTOR, [FORM.nothing, 2, 1], [101, 102], [107, 115], [118, 121], [123, 123], [130, 130], [133, 134], [139, 147]);
set(VECTOR, [FORM.nothing, 2, 1], [149, 153], [155, 159], [171, 174], [177, 177], [181, 186], [188, 191], [203, 206]);
set(VECTOR, [FORM.nothing, 1, 1], [160, 161], [163, 164], [167, 170], [192, 193], [195, 196], [199, 202], [224, 225]);
set(VECTOR, [FORM.nothing, 2, 1], [209, 209], [213, 223], [228, 235], [240, 247]);
set(VECTOR, [FORM.nothing, 1, 1], [227, 227], [236, 237], [239, 239], [248, 255]);
fill(VECTOR.fuel, VALUE, [12, 12]);
fill(VECTOR.fuel, DIVISION, [227, 227], [231, 231], [239, 239], [243, 243]);
// pmin and pmax return one of their operands unchanged, so its bits matter.
fill(VECTOR.absorbs, SHAPE.f32x4, [65, 70], [95, 95], [103, 106], [227, 233], [248, 249]);
fill(VECTOR.absorbs, SHAPE.f64x2, [71, 76], [94, 94], [116, 117], [122, 122], [148, 148], [239, 245], [252, 253]);
fill(VECTOR.makes, SHAPE.f32x4, [94, 94], [103, 106], [227, 233]);
fill(VECTOR.makes, SHAPE.f64x2, [95, 95], [116, 117], [122, 122], [148, 148], [239, 245]);

/** One number for each single-byte instruction, for the walk: form, takes, gives, fuel, absorbs, makes. */
export const PACKED: Uint32Array = new Uint32Array(256);
export const PACK = { takes: 4, gives: 6, fuel: 7, absorbs: 15, makes: 18 } as const;
for (let opcode = 0; opcode < 256; opcode++) {
  PACKED[opcode] =
    (PLAIN.form[opcode] ?? 0) |
    ((PLAIN.takes[opcode] ?? 0) << PACK.takes) |
    ((PLAIN.gives[opcode] ?? 0) << PACK.gives) |
    ((PLAIN.fuel[opcode] ?? 0) << PACK.fuel) |
    ((PLAIN.absorbs[opcode] ?? 0) << PACK.absorbs) |
    ((PLAIN.makes[opcode] ?? 0) << PACK.makes);
}

export function unsupported(what: string): StarfishError {
  return new StarfishError("wasm-unsupported", `The module uses ${what}, which Starfish does not run`);
}

/** Why an opcode is refused. */
export function unsupportedOpcode(opcode: number): StarfishError {
  if (opcode === 0xfe) return unsupported("threads");
  if (opcode === 0xfb) return unsupported("garbage collection");
  const isException = (opcode >= 0x06 && opcode <= 0x0a) || opcode === 0x18 || opcode === 0x19 || opcode === 0x1f;
  return unsupported(isException ? "exceptions" : `the instruction 0x${opcode.toString(16)}`);
}
