/** Generated modules, rewritten and unchanged: they do the same, except for limits that end them. */
import { expect, test } from "vitest";
import { sampled } from "../../../test/fixtures/generated-modules.ts";
import { runTask } from "./abi.ts";
import { prepareModule } from "./prepare.ts";

const MEMORY_BYTES_MAX: number = 2 ** 20;
const FUEL = { fuelMax: 200_000 };
const COUNT = 150;

interface Exports {
  readonly memory: WebAssembly.Memory;
  alloc(length: number): number;
  run(pointer: number, length: number): bigint;
}

/** Runs a module without rewriting it. */
function plainly(bytes: Uint8Array<ArrayBuffer>, input: Uint8Array): Uint8Array {
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
  const place = exports.alloc(input.length);
  new Uint8Array(exports.memory.buffer).set(input, place);
  const result = exports.run(place, input.length);
  return new Uint8Array(exports.memory.buffer, Number(result >> 32n), Number(result & 0xffffffffn)).slice();
}

test("what ends gives what it gives without being rewritten, where there are no NaNs", () => {
  let ended = 0;
  for (const { module, input } of sampled(1, COUNT, { floats: false })) {
    expect(WebAssembly.validate(module)).toBe(true);
    const outcome = runTask(new WebAssembly.Module(prepareModule(module, MEMORY_BYTES_MAX)), input, FUEL);
    if (!outcome.ok) continue;
    ended++;
    expect(outcome.output).toEqual(plainly(module, input));
    expect(outcome.fuelUsed).toBeGreaterThanOrEqual(0);
  }
  expect(ended).toBeGreaterThan(COUNT / 2);
});

test("with floats too every module is valid before and after, and every run ends", () => {
  const codes = new Set<string>();
  for (const { module, input } of sampled(2, COUNT, { floats: true })) {
    expect(WebAssembly.validate(module)).toBe(true);
    const outcome = runTask(new WebAssembly.Module(prepareModule(module, MEMORY_BYTES_MAX)), input, FUEL);
    codes.add(outcome.ok ? "ok" : outcome.code);
  }
  expect([...codes].sort()).toEqual(expect.arrayContaining(["call-depth", "ok", "out-of-fuel", "wasm-trap"]));
});
