/**
 * The laws that make nodes equal: merging is commutative, associative, idempotent and monotone; encoding loses nothing.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contents, DIGEST_KEY, HORIZON_MS, keyed, NOW_MS, tableOf, writes } from "./entries.fixture.ts";
import { Digester, LIVE } from "./entry.ts";
import { Packer, unpack } from "./pack.ts";

const RUNS = { numRuns: 2_000 };

describe("merging", () => {
  test("is commutative, associative and idempotent", () => {
    fc.assert(
      fc.property(writes, writes, writes, (x, y, z) => {
        const once = contents(tableOf([...x, ...y, ...z]));
        expect(contents(tableOf([...z, ...y, ...x]))).toEqual(once);
        expect(contents(tableOf([...y, ...z, ...x, ...y, ...z]))).toEqual(once);
      }),
      RUNS,
    );
  });

  test("never goes back, and of equal versions all nodes keep the same", () => {
    const digester = new Digester(DIGEST_KEY);
    fc.assert(
      fc.property(writes, keyed, (before, { key, entry }) => {
        const table = tableOf(before);
        const old = table.get(key);
        const outcome = table.merge(key, entry);
        const now = table.get(key);
        if (now === undefined) throw new Error("It is there now");
        expect(outcome === "applied").toBe(old === undefined || digester.compare(entry, old) > 0);
        expect(digester.compare(now, entry)).toBeGreaterThanOrEqual(0);
        if (old !== undefined) expect(digester.compare(now, old)).toBeGreaterThanOrEqual(0);
      }),
      RUNS,
    );
  });

  test("does not depend on who has noticed that an entry has expired", () => {
    fc.assert(
      fc.property(writes, writes, fc.integer({ min: 0, max: 120 }), (x, y, laterMs) => {
        const table = tableOf(x);
        const before = table.sum(undefined, undefined);
        table.sweep(NOW_MS + laterMs, 0, Infinity, () => {});
        expect(table.sum(undefined, undefined)).toEqual(before);
        for (const { key, entry } of y) table.merge(key, entry);
        expect(contents(table)).toEqual(contents(tableOf([...x, ...y])));
      }),
      RUNS,
    );
  });

  test("after the horizon nothing is left of what was deleted or has expired, and all else is", () => {
    fc.assert(
      fc.property(writes, (x) => {
        const table = tableOf(x);
        const staying = [...table.keys("")].filter((key) => {
          const entry = table.get(key);
          return entry?.state === LIVE && entry.expiresAtMs === undefined;
        });
        const afterMs = NOW_MS + 1_000;
        table.sweep(afterMs, 0, Infinity, () => {});
        expect(table.live).toBe(staying.length);
        table.sweep(afterMs + HORIZON_MS, afterMs + HORIZON_MS, Infinity, () => {});
        expect([...table.keys("")]).toEqual(staying);
        expect(table.tombstones).toBe(0);
        for (const key of staying) table.forget(key);
        expect(table.bytes).toBe(0);
        expect(table.sum(undefined, undefined)).toEqual({ count: 0, a: 0, b: 0 });
      }),
      RUNS,
    );
  });
});

describe("packing", () => {
  test("loses nothing", () => {
    fc.assert(
      fc.property(fc.array(keyed), (entries) => {
        const packer = new Packer();
        for (const { key, entry, heldAtMs } of entries) packer.add(key, entry, heldAtMs);
        expect(packer.count).toBe(entries.length);
        expect(unpack(packer.take())).toEqual(entries);
        expect(packer.length).toBe(0);
      }),
      RUNS,
    );
  });

  test("of other bytes is refused with a typed error, or read as something", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          unpack(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: "StarfishError", code: expect.stringMatching(/malformed|too-large/) });
        }
      }),
      RUNS,
    );
  });
});
