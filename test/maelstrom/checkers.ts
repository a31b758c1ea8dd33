/**
 * The rules for histories: Jepsen's set-full checker (jepsen.checker/set-full) for sets that only grow, and Maelstrom's
 * for counters, by time. A read may lack what was added a moment ago; but nothing that was added may be missing in the
 * end, be lost after it was seen, or come from nowhere.
 */

export interface SetRead {
  readonly node: number;
  readonly atMs: number;
  readonly elements: ReadonlySet<number>;
  /** Whether the read came after everything was quiet. */
  readonly isFinal: boolean;
}

export interface SetHistory {
  /** When each element's add had succeeded. */
  readonly added: ReadonlyMap<number, number>;
  readonly reads: readonly SetRead[];
}

export interface SetVerdict {
  readonly faults: readonly string[];
  /** For each element, from its add to the last read on any node that lacked it, ms. */
  readonly stableMs: readonly number[];
}

export function checkSet({ added, reads }: SetHistory): SetVerdict {
  const faults: string[] = [];
  const seen = new Map<number, Set<number>>();
  const lackedMs = new Map<number, number>();
  for (const { node, atMs, elements, isFinal } of reads) {
    const before = seen.get(node) ?? new Set();
    for (const element of before) if (!elements.has(element)) faults.push(`node ${node} lost ${element} by ${atMs} ms`);
    for (const element of elements) {
      before.add(element);
      if (!added.has(element)) faults.push(`node ${node} has ${element}, which nobody added`);
    }
    seen.set(node, before);
    for (const [element, addedMs] of added) {
      if (addedMs > atMs || elements.has(element)) continue;
      lackedMs.set(element, atMs);
      if (isFinal) faults.push(`node ${node} never read ${element}`);
    }
  }
  if (!reads.some(({ isFinal }) => isFinal)) faults.push("nobody read in the end");
  const stableMs = [...added].map(([element, addedMs]) => Math.max(0, (lackedMs.get(element) ?? addedMs) - addedMs));
  return { faults, stableMs };
}

export interface CounterHistory {
  readonly adds: readonly { readonly atMs: number; readonly delta: number }[];
  readonly reads: readonly {
    readonly node: number;
    readonly atMs: number;
    readonly value: number;
    readonly isFinal: boolean;
  }[];
}

/** Each read is the sum of some of the adds before it; the final reads are the sum of all. */
export function checkCounter({ adds, reads }: CounterHistory): string[] {
  const faults: string[] = [];
  const total = adds.reduce((sum, { delta }) => sum + delta, 0);
  for (const { node, atMs, value, isFinal } of reads) {
    const before = adds.filter((add) => add.atMs <= atMs).map(({ delta }) => delta);
    const low = before.filter((delta) => delta < 0).reduce((sum, delta) => sum + delta, 0);
    const high = before.filter((delta) => delta > 0).reduce((sum, delta) => sum + delta, 0);
    if (value < low || value > high) faults.push(`node ${node} read ${value} at ${atMs} ms, outside ${low} to ${high}`);
    if (isFinal && value !== total) faults.push(`node ${node} read ${value} in the end, not ${total}`);
  }
  if (!reads.some(({ isFinal }) => isFinal)) faults.push("nobody read in the end");
  return faults;
}
