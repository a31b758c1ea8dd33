/**
 * Entries that are in a node's store before it starts: accepted in an earlier life, when less was known of invalid
 * ones.
 */
import { encode } from "../../core/base/codec.ts";
import { type Keyed, Packer } from "../../core/memory/pack.ts";
import type { Store } from "../../core/ports/store.ts";

/** Entries of one segment: what the journal reads back. */
const SEGMENT_ENTRIES = 400;

/** Adds them to what a kept map has stored. The node must not be running, or end right after. */
export async function storeEntries(store: Store, map: string, entries: readonly Keyed[]): Promise<void> {
  const prefix = `memory/${map}/`;
  const numbers = (await store.keys(prefix)).map((name) => Number.parseInt(name.slice(prefix.length), 36));
  const first = Math.min(...numbers, ...(numbers.length === 0 ? [0] : []));
  let next = Math.max(-1, ...numbers) + 1;
  for (let at = 0; at < entries.length; at += SEGMENT_ENTRIES) {
    const packer = new Packer();
    for (const { key, entry } of entries.slice(at, at + SEGMENT_ENTRIES)) packer.add(key, entry);
    await store.set(`${prefix}${(next++).toString(36)}`, encode({ first, entries: packer.take() }));
  }
}
