/** Units that share one version: a single write, or the rest of a batch. */
import type { Keyed } from "./pack.ts";

/** Groups neighbouring entries that have one version. */
export function* unitsOf(entries: readonly Keyed[]): Generator<readonly Keyed[], void, undefined> {
  let from = 0;
  for (let to = 1; to <= entries.length; to++) {
    const [first, next] = [entries[from]?.entry, entries[to]?.entry];
    if (first !== undefined && next?.stamp === first.stamp && next.writer === first.writer) continue;
    yield entries.slice(from, to);
    from = to;
  }
}
