/** NaNs whose bits can be seen are canonical if arithmetic made them, and keep their bits if a module moved them. */
import { describe, expect, test } from "vitest";
import { i32, wasm } from "../../../test/fixtures/wasm.ts";
import { toHex } from "../../base/bytes.ts";
import { runTask } from "./abi.ts";
import { prepareModule } from "./prepare.ts";

const [F32, F64, V128] = [0x7d, 0x7c, 0x7b];
const CANONICAL_32 = "0000c07f";
const CANONICAL_64 = "000000000000f87f";
/** -NaN with a payload. */
const ODD_64 = [1, 2, 3, 4, 5, 6, 0xff, 0xff];
const INFINITY_64 = [0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f];
const INFINITY_32 = [0x43, 0, 0, 0x80, 0x7f];
/** Infinity - Infinity: on x86 with the sign set. */
const NAN_64 = [...INFINITY_64, ...INFINITY_64, 0xa1];
const NAN_32 = [...INFINITY_32, ...INFINITY_32, 0x93];
/** In all lanes, as vectors. */
const NAN_32X4 = [...INFINITY_32, 0xfd, 19, ...INFINITY_32, 0xfd, 19, 0xfd, 0xe5, 1];
const NAN_64X2 = [...INFINITY_64, 0xfd, 20, ...INFINITY_64, 0xfd, 20, 0xfd, 0xf1, 1];
const STORE_32 = [0x38, 0, 0];
const STORE_64 = [0x39, 0, 0];
const STORE_V128 = [0xfd, 11, 0, 0];
const ODD_AT = 512;
const LOAD_ODD_64 = [...i32(ODD_AT), 0x2b, 0, 0];

/** Runs code with local 0 an f64, 1 an f32, 2 a v128, 3 another f64, and gives the first bytes of the memory. */
function bytesAfter(code: readonly number[], length: number): string {
  const put = ODD_64.flatMap((byte, i) => [...i32(ODD_AT + i), ...i32(byte), 0x3a, 0, 0]);
  const locals = [4, 1, F64, 1, F32, 1, V128, 1, F64];
  // The third function, () -> (), with locals of its own.
  const body = [...locals, ...put, ...code, 0x0b];
  const module = wasm({ run: [0x10, 3, 0x42, ...i32(length).slice(1)], third: [], more: [body] });
  expect(WebAssembly.validate(new Uint8Array(module))).toBe(true);
  const outcome = runTask(new WebAssembly.Module(prepareModule(module, 2 ** 20)), new Uint8Array(1), { fuelMax: 1e6 });
  return outcome.ok ? toHex(outcome.output) : outcome.message;
}

/** Local 0 adds up a NaN, in a loop that goes on while it is a number. */
const SUM_64 = [0x20, 0, ...NAN_64, 0xa0, 0x21, 0];
const SUM_IN_LOOP = [0x03, 0x40, ...SUM_64, 0x20, 0, 0x20, 0, 0x61, 0x0d, 0, 0x0b];

describe("made by arithmetic: canonical", () => {
  test.each<[string, readonly number[], string]>([
    ["stored", [...i32(0), ...NAN_64, ...STORE_64], CANONICAL_64],
    ["f32, stored", [...i32(0), ...NAN_32, ...STORE_32], CANONICAL_32],
    ["through arithmetic", [...i32(0), ...NAN_64, ...NAN_64, 0xa2, 0x9f, ...STORE_64], CANONICAL_64],
    ["promoted", [...i32(0), ...NAN_32, 0xbb, ...STORE_64], CANONICAL_64],
    ["reinterpreted", [...i32(0), ...NAN_64, 0xbd, 0x37, 0, 0], CANONICAL_64],
    [
      "its sign given to 1",
      [...i32(0), 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, ...NAN_64, 0xa6, ...STORE_64],
      "000000000000f03f",
    ],
    ["negated", [...i32(0), ...NAN_64, 0x9a, ...STORE_64], "000000000000f8ff"],
    ["through a local", [...NAN_64, 0x21, 0, ...i32(0), 0x20, 0, ...STORE_64], CANONICAL_64],
    [
      "through a tee",
      [...i32(0), ...NAN_64, 0x22, 0, ...STORE_64, ...i32(8), 0x20, 0, ...STORE_64],
      CANONICAL_64.repeat(2),
    ],
    ["summed in a loop", [...SUM_IN_LOOP, ...i32(0), 0x20, 0, ...STORE_64], CANONICAL_64],
    ["copied between locals", [...SUM_IN_LOOP, 0x20, 0, 0x21, 3, ...i32(0), 0x20, 3, ...STORE_64], CANONICAL_64],
    ["chosen", [...SUM_64, ...i32(0), 0x20, 0, 0x20, 0, ...i32(1), 0x1b, ...STORE_64], CANONICAL_64],
    ["out of a block", [...SUM_64, ...i32(0), 0x02, F64, 0x20, 0, 0x0b, ...STORE_64], CANONICAL_64],
    ["four lanes", [...i32(0), ...NAN_32X4, ...STORE_V128], CANONICAL_32.repeat(4)],
    ["two lanes", [...i32(0), ...NAN_64X2, ...STORE_V128], CANONICAL_64.repeat(2)],
    ["lanes through a local", [...NAN_32X4, 0x21, 2, ...i32(0), 0x20, 2, ...STORE_V128], CANONICAL_32.repeat(4)],
    [
      "lanes of one shape taken as the other: 4 and 4 bytes are a number then",
      // f64x2.eq of (NaN, NaN) as two f64 with itself: of canonical f32 bits 7fc000007fc00000, a number: all ones.
      [...NAN_32X4, 0x21, 2, ...i32(0), 0x20, 2, 0x20, 2, 0xfd, 0x47, ...STORE_V128],
      "f".repeat(32),
    ],
  ])("%s", (_what, code, expected) => {
    expect(bytesAfter(code, expected.length / 2)).toBe(expected);
  });
});

describe("moved by the module: its own bits", () => {
  const odd = toHex(Uint8Array.from(ODD_64));
  test.each<[string, readonly number[]]>([
    ["loaded and stored", [...i32(0), ...LOAD_ODD_64, ...STORE_64]],
    ["through a local", [...LOAD_ODD_64, 0x21, 0, ...i32(0), 0x20, 0, ...STORE_64]],
    [
      "through a local that arithmetic uses as well",
      [...NAN_64, 0x21, 0, ...LOAD_ODD_64, 0x21, 0, ...i32(0), 0x20, 0, ...STORE_64],
    ],
    [
      "through a local that arithmetic uses later",
      [...LOAD_ODD_64, 0x21, 0, ...i32(0), 0x20, 0, ...STORE_64, ...NAN_64, 0x21, 0],
    ],
  ])("%s", (_what, code) => {
    expect(bytesAfter(code, 8)).toBe(odd);
  });
});
