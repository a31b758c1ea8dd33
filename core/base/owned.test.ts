import * as fc from "fast-check";
import { expect, test } from "vitest";
import { own, release, releaseWhole, share } from "./owned.ts";

const LARGE = 64 * 1024;

test("only what is owned is given back, and with it every part", () => {
  const bytes = own(new Uint8Array(LARGE));
  const part = bytes.subarray(10, 20);
  release(part);
  expect([bytes.length, part.length]).toEqual([0, 0]);
  const stranger = new Uint8Array(LARGE);
  release(stranger);
  releaseWhole(stranger);
  expect(stranger.length).toBe(LARGE);
});

test("what is shared is not, nor what is small", () => {
  const shared = own(new Uint8Array(LARGE));
  share(shared.subarray(1));
  release(shared);
  const small = own(new Uint8Array(1_000));
  release(small);
  expect([shared.length, small.length]).toEqual([LARGE, 1_000]);
});

test("a part does not give back the whole unless its owner says so", () => {
  const bytes = own(new Uint8Array(LARGE));
  releaseWhole(bytes.subarray(1));
  expect(bytes.length).toBe(LARGE);
  releaseWhole(bytes.subarray());
  expect(bytes.length).toBe(0);
});

/** Every way to have some bytes of a buffer: `own` of those that are not all of it must do nothing. */
test("no part of a buffer can be owned, whatever is asked for and in which order", () => {
  const step = fc.record({
    what: fc.constantFrom("own", "share", "release", "releaseWhole"),
    from: fc.nat(LARGE),
    length: fc.nat(LARGE),
    buffer: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const all = pooled();
      const before = all.length;
      for (const { what, from, length, buffer } of steps) {
        const end = Math.min(before - 1, from + length);
        const bytes = view(all, Math.min(from, end), end, buffer);
        if (what === "own") own(bytes);
        else if (what === "share") share(bytes);
        else if (what === "release") release(bytes);
        else releaseWhole(bytes);
        expect(all.length).toBe(before);
      }
    }),
  );
});

function pooled(): Uint8Array {
  return new Uint8Array(LARGE);
}

function view(all: Uint8Array, from: number, end: number, asBuffer: boolean): Uint8Array {
  return asBuffer && "Buffer" in globalThis
    ? Buffer.from(all.buffer as ArrayBuffer, from, end - from)
    : all.subarray(from, end);
}
