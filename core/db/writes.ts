/** Turns the changes of a transaction into one batch of the map. */
import { StarfishError } from "../base/errors.ts";
import { BATCH_ENTRY_BYTES } from "../memory/limits.ts";
import { keyBytesOf } from "../memory/pack.ts";
import type { MapWrite, ReplicatedMap } from "../memory/types.ts";
import { packPart } from "./cells/parts.ts";
import { CountWrites } from "./counts.ts";
import type { Captured, LargeCell, PartChange } from "./engine/messages.ts";
import { unpackWrites } from "./engine/packed-writes.ts";
import { TRANSACTION_BYTES_MAX } from "./limits.ts";
import { elementPart, partKey } from "./schema/names.ts";

/** `large`: the values that are contents. `writer` identifies this node among those that add to counters. Throws "too-large". */
export function writesOf(
  map: ReplicatedMap,
  writer: number,
  { writes, parts, replaced, schema }: Captured,
  large: readonly LargeCell[],
): MapWrite[] {
  const elsewhere = new Map(large.map(({ key, packed }) => [key, packed] as const));
  // Of several writes to one key the last counts.
  const all: MapWrite[] = [];
  for (const row of replaced) {
    for (const { key } of map.entries(`${row} `)) all.push({ key, deleted: true });
  }
  for (const [key, encoded] of unpackWrites(writes)) {
    const packed = elsewhere.size > 0 ? elsewhere.get(key) : undefined;
    if (packed !== undefined) all.push({ key, value: packed });
    else all.push(encoded === undefined ? { key, deleted: true } : { key, encoded });
  }
  for (const { key, value } of schema) all.push(value === undefined ? { key, deleted: true } : { key, value });
  const counts = new CountWrites(map, writer);
  for (const part of parts) all.push(...partWrites(map, counts, part));
  checkSize(all);
  return all;
}

/** What this node adds to a counter (counts.ts); each element of a set is a part. */
function partWrites(map: ReplicatedMap, counts: CountWrites, { row, column, added, elements }: PartChange): MapWrite[] {
  const entry = map.entry(row);
  // Somebody has deleted the row, and the deletion wins.
  if (entry === undefined) return [];
  const of = entry.version;
  const writes = elements.map(([json, isThere]): MapWrite => {
    return { key: partKey(row, column, elementPart(json)), value: packPart({ of, isThere, value: json }) };
  });
  return added === 0 ? writes : [...writes, ...counts.add(entry, column, added)];
}

/** Throws "too-large", with advice. */
function checkSize(writes: readonly MapWrite[]): void {
  let bytes = 0;
  for (const write of writes) {
    bytes += keyBytesOf(write.key) + BATCH_ENTRY_BYTES;
    if ("encoded" in write) bytes += write.encoded.length;
    else if ("value" in write && write.value instanceof Uint8Array) bytes += write.value.length + 5;
  }
  if (bytes <= TRANSACTION_BYTES_MAX) return;
  throw new StarfishError(
    "too-large",
    `A transaction changes at most ${TRANSACTION_BYTES_MAX} bytes of rows, and this one ${bytes} (${writes.length} rows ` +
      "and cells). Nothing was written: do it in several, or use insert or --import, which do so",
  );
}
