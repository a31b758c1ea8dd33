/**
 * One side of a range-based set reconciliation (Meyer, arXiv 2212.13567): computes what to say and send in answer to
 * the other side. Ranges with equal sums are done. Others are cut into parts of equal numbers of keys, until they are
 * small enough to be listed. It keeps nothing between messages except the table, so a session may be interrupted at any
 * point.
 *
 * Bounded: an answer has at most about RECONCILE_RANGES_BYTES. What does not fit is asked for again as one range. The
 * keys to send are an iterator, from which the caller takes as many as the wire allows.
 */
import type { Bytes } from "../base/bytes.ts";
import { RECONCILE_FANOUT, RECONCILE_LIST_MAX, RECONCILE_RANGES_BYTES } from "./limits.ts";
import { ALL, idOf, LIST, type Range, RangeWriter, readRanges, separator, SKIP, SUM, WANT } from "./ranges.ts";
import type { Table } from "./table.ts";

export interface Answer {
  /** Empty: nothing is asked any more. */
  readonly ranges: Uint8Array;
  /** Keys whose entries the other side lacks, or has in an older version. */
  readonly keys: Iterable<string>;
  /** Whether the other side asks for an entry that this side listed and that has changed since. */
  readonly isLate: boolean;
}

/** The message of the side that begins. */
export function opening(table: Table): Uint8Array {
  const writer = new RangeWriter();
  writer.add({ to: undefined, kind: SUM, ...table.sum(undefined, undefined) });
  return writer.take();
}

/** Throws StarfishError "malformed". */
export function answer(table: Table, ranges: Bytes): Answer {
  const writer = new RangeWriter();
  const keys: Iterable<string>[] = [];
  let from: string | undefined;
  let isLate = false;
  for (const range of readRanges(ranges)) {
    if (writer.length > RECONCILE_RANGES_BYTES) {
      const rest = { to: undefined, kind: SUM, ...table.sum(from, undefined) } as const;
      writer.add(rest);
      break;
    }
    if (range.kind === WANT) {
      const asked = wanted(table, from, range, writer);
      keys.push(asked);
      if (asked.length < range.ids.length) isLate = true;
    } else {
      const sent = answerOne(table, from, range, writer);
      if (sent !== undefined) keys.push(sent);
    }
    from = range.to;
  }
  return { ranges: writer.take(), keys: chain(keys), isLate };
}

function answerOne(
  table: Table,
  from: string | undefined,
  range: Exclude<Range, { kind: typeof WANT }>,
  writer: RangeWriter,
): Iterable<string> | undefined {
  const { to } = range;
  if (range.kind === SUM) return answerSum(table, from, range, writer);
  if (range.kind === LIST) {
    const theirs = new Set(range.ids);
    const keys = table.range(from, to).filter(({ a, b }) => !theirs.delete(idOf(a, b)));
    writer.add(theirs.size === 0 ? { to, kind: SKIP } : { to, kind: WANT, ids: [...theirs] });
    return keys.map(({ key }) => key);
  }
  writer.add({ to, kind: SKIP });
  return range.kind === ALL ? table.keys({ from, to }) : undefined;
}

function wanted(
  table: Table,
  from: string | undefined,
  { to, ids }: Extract<Range, { kind: typeof WANT }>,
  writer: RangeWriter,
): string[] {
  writer.add({ to, kind: SKIP });
  const asked = new Set(ids);
  const keys = table.range(from, to).filter(({ a, b }) => asked.has(idOf(a, b)));
  return keys.map(({ key }) => key);
}

function answerSum(
  table: Table,
  from: string | undefined,
  range: Extract<Range, { kind: typeof SUM }>,
  writer: RangeWriter,
): Iterable<string> | undefined {
  const { to } = range;
  const own = table.sum(from, to);
  if (own.count === range.count && own.a === range.a && own.b === range.b) {
    writer.add({ to, kind: SKIP });
  } else if (range.count === 0) {
    writer.add({ to, kind: SKIP });
    return table.keys({ from, to });
  } else if (own.count === 0) {
    writer.add({ to, kind: ALL });
  } else if (own.count <= RECONCILE_LIST_MAX) {
    writer.add({ to, kind: LIST, ids: table.range(from, to).map(({ a, b }) => idOf(a, b)) });
  } else {
    let low = from;
    for (const [before, at] of table.cuts(from, to, own.count, RECONCILE_FANOUT)) {
      const cut = separator(before, at);
      writer.add({ to: cut, kind: SUM, ...table.sum(low, cut) });
      low = cut;
    }
    writer.add({ to, kind: SUM, ...table.sum(low, to) });
  }
  return undefined;
}

function* chain(lists: readonly Iterable<string>[]): Generator<string> {
  for (const list of lists) yield* list;
}
