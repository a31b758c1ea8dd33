/** Whose letter is fetched next, if some senders have thousands that nobody can fetch. */
import { expect, it } from "vitest";
import { LetterQueue } from "./letter-queue.ts";
import { FETCHES_OF_ONE_MAX, FETCHES_OF_UNKNOWN_MAX } from "./limits.ts";

interface Letter {
  readonly mail: { readonly from: string };
  readonly name: string;
  fetchAtMs: number;
}

function letters(from: string, count: number): Letter[] {
  return Array.from({ length: count }, (_, i) => ({ mail: { from }, name: `${from} ${i}`, fetchAtMs: 0 }));
}

function queueOf(known: ReadonlySet<string>, ...all: readonly Letter[]): LetterQueue<Letter> {
  const queue = new LetterQueue<Letter>((sender) => known.has(sender));
  for (const letter of all) queue.add(letter);
  return queue;
}

/** All that can be fetched now. */
function takeAll(queue: LetterQueue<Letter>, nowMs = 0): Letter[] {
  const taken: Letter[] = [];
  for (let next = queue.take(nowMs); next !== undefined; next = queue.take(nowMs)) taken.push(next);
  return taken;
}

const names = (taken: readonly Letter[]): string[] => taken.map(({ name }) => name);

it("takes the latest of each sender, in turns", () => {
  const queue = queueOf(new Set(["a", "b"]), ...letters("a", 3), ...letters("b", 2));
  const first = takeAll(queue);
  expect(names(first)).toEqual(["a 2", "b 1", "a 1"]);
  for (const letter of first) queue.done(letter);
  expect(names(takeAll(queue))).toEqual(["b 0", "a 0"]);
});

it("leaves a place beside whoever has thousands", () => {
  const queue = queueOf(new Set(["a", "b"]), ...letters("a", 5_000));
  expect(takeAll(queue)).toHaveLength(FETCHES_OF_ONE_MAX);
  for (const letter of letters("b", 1)) queue.add(letter);
  expect(names(takeAll(queue))).toEqual(["b 0"]);
});

it("fetches those of unknown senders last, and a few at a time", () => {
  const known = new Set(["b"]);
  const strangers = Array.from({ length: 3_000 }, (_, i) => letters(`stranger ${i}`, 1)).flat();
  const queue = queueOf(known, ...strangers);
  expect(takeAll(queue)).toHaveLength(FETCHES_OF_UNKNOWN_MAX);
  for (const letter of letters("b", 1)) queue.add(letter);
  expect(names(takeAll(queue))).toEqual(["b 0"]);
  // By now it knows one of them, for whom the last place is kept.
  for (const letter of letters("stranger x", 1)) queue.add(letter);
  expect(takeAll(queue)).toEqual([]);
  known.add("stranger 77");
  queue.sort();
  expect(names(takeAll(queue))).toEqual(["stranger 77 0"]);
});

it("waits until a letter may be fetched again, and forgets those that are gone", () => {
  const [early, late, gone] = letters("a", 3) as [Letter, Letter, Letter];
  late.fetchAtMs = 500;
  const queue = queueOf(new Set(["a"]), early, late, gone);
  queue.delete(gone);
  expect(takeAll(queue)).toEqual([early]);
  queue.done(early);
  early.fetchAtMs = 1_000;
  queue.add(early);
  expect(takeAll(queue, 499)).toEqual([]);
  expect(takeAll(queue, 1_000)).toEqual([early, late]);
  queue.delete(early);
  expect(takeAll(queue, 2_000)).toEqual([]);
});
