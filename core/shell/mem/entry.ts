/** An entry as programs are shown it. Pure. */
import type { MapEntry } from "../../memory/types.ts";
import { timeOf } from "../../memory/version.ts";
import { toJson } from "./value.ts";
import type { Writers } from "./writers.ts";

/**
 * One line of JSON; times are corrected time, ms since 1970. `by` and `peer` are null if this node does not know the
 * writer.
 */
export function entryJson(entry: MapEntry, writers: Writers): string {
  const { key, value, version, expiresAtMs } = entry;
  const record = writers.find(version.writer)?.record;
  return toJson({
    key,
    value,
    by: record?.name ?? null,
    peer: record?.peer ?? null,
    writtenAtMs: timeOf(version.stamp),
    expiresAtMs: expiresAtMs ?? null,
    version,
  });
}
