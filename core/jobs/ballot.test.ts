import { describe, expect, test } from "vitest";
import { utf8 } from "../base/bytes.ts";
import { realCrypto } from "../platform/crypto.ts";
import { realRandom } from "../platform/random.ts";
import { Ballot } from "./ballot.ts";
import { digestOf } from "./digests.ts";
import { blocksOf, Draw, seedOf } from "./draw.ts";
import { interval, NONE, sizeOf } from "./intervals.ts";
import { COMMITS_MAX } from "./limits.ts";

const TOTAL = 8;

function ballotFor(self: string, total: number): Ballot {
  const parts = { crypto: realCrypto, random: realRandom, blocks: blocksOf(total) };
  return new Ballot({ job: "00000000000000aa", self, total, ...parts });
}

function ballotOf(self: string, answers: readonly string[]): Ballot {
  const ballot = ballotFor(self, TOTAL);
  answers.forEach((answer, task) => ballot.answer(task, digestOf(realCrypto, utf8(answer), 1)));
  return ballot;
}

const deviceOf = (peer: string): string => `device of ${peer}`;

describe("answers of one node", () => {
  test("are opened to nobody who has not committed to the same tasks", () => {
    const ballot = ballotOf("a", ["x", "y"]);
    expect(ballot.commit(NONE, 0)).toHaveLength(2);
    expect(ballot.open([0, 2], NONE)).toEqual([]);
    expect(ballot.open([0, 2], [0, 1]).map(({ tasks }) => tasks)).toEqual([[0, 1]]);
  });

  test("are fixed by the commitment, which is another for each node", () => {
    const [a, b] = [ballotOf("a", ["x", "y"]), ballotOf("b", ["x", "z"])];
    const [ofA, ofB] = [a.commit(NONE, 0), b.commit(NONE, 0)];
    const openings = b.open([0, 2], [0, 2]);
    expect(a.compare("c", ofB, openings)).toBe(0);
    expect(a.compare("b", ofA, openings)).toBe(0);
    const changed = openings.map((opening) => ({ ...opening, digests: opening.digests.toReversed() }));
    expect(a.compare("b", ofB, changed)).toBe(0);
    expect(a.compare("b", ofB, openings)).toBe(2);
    expect(a.agreed(2, deviceOf)).toEqual([0, 1]);
    expect(a.differing()).toEqual(new Map([["b", [1, 2]]]));
  });

  test("count once for a device, and not where another fuel was used", () => {
    const [a, b, c] = [ballotOf("a", ["x"]), ballotOf("b", ["x"]), ballotOf("c", ["x"])];
    a.commit(NONE, 0);
    for (const [peer, other] of [["b", b] as const, ["c", c] as const]) {
      a.compare(peer, other.commit(NONE, 0), other.open([0, 1], [0, 1]));
    }
    expect(a.agreed(3, deviceOf)).toEqual([0, 1]);
    expect(a.agreed(3, (peer) => (peer === "a" ? "one" : "two"))).toEqual(NONE);
    expect(a.agreed(2, (peer) => (peer === "c" ? undefined : "one"))).toEqual(NONE);
    expect(digestOf(realCrypto, utf8("x"), 1)).not.toEqual(digestOf(realCrypto, utf8("x"), 2));
  });

  test("wait where too many are open, and are told no longer when all have agreed", () => {
    const total = 2 * COMMITS_MAX;
    const ballot = ballotFor("a", total);
    for (let task = 0; task < total; task++) ballot.answer(task, digestOf(realCrypto, utf8("x"), 1));
    expect(ballot.commit(NONE, 0)).toHaveLength(COMMITS_MAX);
    expect(ballot.isFull).toBe(true);
    const verified = interval(0, COMMITS_MAX);
    expect(ballot.commit(verified, 60_000).map(({ tasks }) => tasks[0])).toEqual(
      Array.from({ length: COMMITS_MAX }, (_, i) => COMMITS_MAX + i),
    );
  });
});

test("devices are drawn evenly, each once for a task, and those of whom a task failed not for its block", () => {
  const blocks = blocksOf(100_000);
  const nodes = Array.from({ length: 10 }, (_, i) => ({ id: `n${i}`, device: `d${i % 9}`, cores: 2, failed: NONE }));
  const seed = (id: string): ReturnType<typeof seedOf> => seedOf((message) => realCrypto.sha256(message), "job", id);
  const draw = new Draw(blocks, nodes, 3, seed);
  const sizes = nodes.map(({ id }) => sizeOf(draw.of(id)));
  expect(sizes.reduce((sum, size) => sum + size)).toBe(300_000);
  expect(Math.min(...sizes.slice(1, 9))).toBeGreaterThan(20_000);
  expect(Math.max(...sizes)).toBeLessThan(47_000);
  const [first] = draw.of("n3");
  const failing = nodes.map((node) => (node.id === "n3" ? { ...node, failed: [first ?? 0, (first ?? 0) + 1] } : node));
  const again = new Draw(blocks, failing, 3, seed);
  expect(sizeOf(draw.of("n3")) - sizeOf(again.of("n3"))).toBeGreaterThan(0);
  const count = nodes.reduce((sum, { id }) => sum + sizeOf(again.of(id)), 0);
  expect(count).toBe(300_000);
});

test("where more tasks may come, the first are each drawn for others, and all are in one block", () => {
  const blocks = blocksOf(16_384, true);
  expect(blocks.slice(0, 64)).toEqual(Array.from({ length: 64 }, (_, i) => [i, i + 1]));
  expect(blocks.length).toBeLessThan(256);
  expect(blocks.map(([from]) => from)).toEqual([0, ...blocks.slice(0, -1).map(([, to]) => to)]);
  expect(blocks.at(-1)?.[1]).toBe(16_384);
});
