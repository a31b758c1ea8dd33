/** Arbitrary entries for the property tests of the memory. */
import fc from "fast-check";
import { encode } from "../base/codec.ts";
import { toByteText } from "./byte-text.ts";
import { DELETED, Digester, type Entry, LIVE } from "./entry.ts";
import type { Keyed } from "./pack.ts";
import { Table } from "./table.ts";
import { stampAt } from "./version.ts";

export const NOW_MS = 1_790_000_000_000;
export const DIGEST_KEY: Uint8Array = Uint8Array.of(3, 1, 4, 1, 5, 9, 2, 6);
export const HORIZON_MS = 3_600_000;

function newTable(bytesMax = 1e9): Table {
  return new Table({ digestKey: DIGEST_KEY, bytesMax, horizonMs: HORIZON_MS });
}

const digester = new Digester(DIGEST_KEY);

/** Few keys, stamps and writers, so that writes meet; equal versions with different values too. */
const someKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "a", "b", "a/b", "\u{1f980}", "\u{1f980}x", "\uffff"),
  fc.string({ maxLength: 4, unit: "grapheme" }),
  fc.integer({ min: 0, max: 5_000 }).map((i) => `key-${i}`),
);
const live: fc.Arbitrary<Entry> = fc.record({
  stamp: fc.integer({ min: 0, max: 50 }).map((i) => stampAt(NOW_MS) + i),
  writer: fc.integer({ min: 1, max: 4 }),
  state: fc.constant(LIVE),
  value: fc
    .oneof(fc.integer({ min: 0, max: 3 }), fc.string({ maxLength: 40 }))
    .map((value) => toByteText(encode(value))),
  expiresAtMs: fc.option(fc.integer({ min: NOW_MS, max: NOW_MS + 100 }), { nil: undefined }),
});
const deleted: fc.Arbitrary<Entry> = live.map((one) => ({ ...one, state: DELETED, value: "", expiresAtMs: undefined }));
const entry: fc.Arbitrary<Entry> = fc.oneof(
  { arbitrary: live, weight: 4 },
  { arbitrary: deleted, weight: 1 },
  { arbitrary: live.map((one) => digester.expired({ ...one, expiresAtMs: one.expiresAtMs ?? NOW_MS })), weight: 1 },
);

export const keyed: fc.Arbitrary<Keyed> = fc.record({
  key: someKey,
  entry,
  heldAtMs: fc.option(fc.integer({ min: 0, max: 2 ** 41 }), { nil: undefined }),
});
export const writes: fc.Arbitrary<Keyed[]> = fc.array(keyed, { maxLength: 60 });
/** Up to thousands of keys, so that ranges are cut several times. */
export const manyWrites: fc.Arbitrary<Keyed[]> = fc
  .tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 1, max: 1_000_000 }), writes)
  .map(([count, salt, others]) => {
    const made: Keyed[] = Array.from({ length: count }, (_, i) => ({
      key: `key-${Math.imul(i, salt) % 5_000}`,
      entry: { stamp: stampAt(NOW_MS) + (i % 50), writer: 1, state: LIVE, value: "\u0001", expiresAtMs: undefined },
      heldAtMs: undefined,
    }));
    return [...made, ...others];
  });

export function tableOf(entries: readonly Keyed[]): Table {
  const table = newTable();
  for (const { key, entry } of entries) table.merge(key, entry);
  return table;
}

/** All that can be seen of a table, whether or not what has expired is known to have. */
export function contents(table: Table): unknown {
  const rows = [...table.keys("")].map((key) => {
    const { stamp, writer, expiresAtMs } = table.get(key) ?? {};
    return [key, stamp, writer, expiresAtMs];
  });
  return { rows, sum: table.sum(undefined, undefined) };
}
