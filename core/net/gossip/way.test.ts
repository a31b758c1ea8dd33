import { describe, expect, test } from "vitest";
import { WAY_MAX, Ways } from "./way.ts";

/** A node called "m", and its neighbours; names are their own ids. */
function node(...neighbours: string[]): Ways {
  const ways = new Ways("m", (peer) => peer);
  for (const peer of neighbours) ways.linkUp(peer, 0);
  return ways;
}

describe("a way", () => {
  test("leads to the smallest name, by the shortest of those that were told", () => {
    const ways = node("x", "y", "z");
    expect(ways.told("x", ["b", "c", "d"], 0)).toBe(true);
    expect(ways.way).toEqual(["b", "c", "d", "x"]);
    expect(ways.told("y", ["b", "c"], 0)).toBe(true);
    expect(ways.told("z", ["a", "c", "d", "e"], 0)).toBe(true);
    expect(ways.way).toEqual(["a", "c", "d", "e", "z"]);
    expect(ways.told("y", ["n"], 0)).toBe(false);
  });

  test("starts here where nobody tells of a smaller name", () => {
    const ways = node("x", "y");
    ways.told("x", [], 0);
    ways.told("y", ["n"], 0);
    expect([ways.way, ways.isBranch("x"), ways.isBranch("y")]).toEqual([[], true, true]);
  });

  test("never leads through this node, nor further than it may", () => {
    const ways = node("x", "y");
    expect(ways.told("x", ["a", "m"], 0)).toBe(false);
    const far = Array.from({ length: WAY_MAX }, (_, i) => `a${i}`);
    expect(ways.told("y", far, 0)).toBe(false);
    expect(ways.way).toEqual([]);
  });

  test("makes branches of the links to parent and children, and to other trees", () => {
    const ways = node("parent", "child", "cousin", "stranger", "new");
    ways.told("parent", ["a"], 0);
    ways.told("child", ["a", "parent", "m"], 0);
    ways.told("cousin", ["a", "b"], 0);
    ways.told("stranger", ["k"], 0);
    const branches = ["parent", "child", "cousin", "stranger", "new"].filter((peer) => ways.isBranch(peer));
    expect(branches).toEqual(["parent", "child", "stranger", "new"]);
  });
});

describe("when a way is lost", () => {
  test("another as short is taken at once, one that may lead through the lost one is not", () => {
    const ways = node("p", "q", "r");
    ways.told("p", ["a"], 0);
    ways.told("q", ["a", "p"], 0);
    ways.told("r", ["a"], 0);
    expect(ways.linkDown("p", 10)).toBe(true);
    expect(ways.way).toEqual(["a", "r"]);
    expect(ways.linkDown("r", 20)).toBe(true);
    expect([ways.way, ways.isBranch("q")]).toEqual([[], true]);
  });

  test("longer ways to the same root are believed a moment later, those to another at once", () => {
    const ways = node("p", "q", "r");
    ways.told("p", ["a"], 0);
    ways.told("q", ["a", "b", "c"], 0);
    ways.told("p", [], 100);
    expect(ways.way).toEqual([]);
    ways.told("r", ["c"], 110);
    expect(ways.way).toEqual(["c", "r"]);
    expect(ways.tick(ways.dueMs - 1)).toBe(false);
    expect(ways.tick(ways.dueMs)).toBe(true);
    expect([ways.way, ways.dueMs]).toEqual([["a", "b", "c", "q"], Infinity]);
  });

  test("a silent link is none, until something comes over it again", () => {
    const ways = node("p");
    ways.told("p", ["a"], 0);
    expect([ways.setSilent("p", true, 10), ways.way, ways.isBranch("p")]).toEqual([true, [], false]);
    expect([ways.setSilent("p", false, 1_000), ways.way, ways.isBranch("p")]).toEqual([true, ["a", "p"], true]);
  });
});

describe("a neighbour that tells lies", () => {
  test("and changes its mind without end moves this node twice a second and no more", () => {
    const ways = node("liar", "friend");
    ways.told("friend", ["b"], 0);
    let changes = 0;
    for (let ms = 0; ms < 60_000; ms += 10) {
      if (ways.told("liar", ms % 20 === 0 ? ["a"] : ["c"], ms)) changes++;
      if (ms % 500 === 0 && ways.tick(ms)) changes++;
    }
    expect(changes).toBeLessThan(150);
    // Its last word is taken in all the same.
    ways.told("liar", ["a", "a"], 60_000);
    ways.tick(61_000);
    expect(ways.way).toEqual(["a", "a", "liar"]);
  });
});
