import { describe, expect, test } from "vitest";
import { CLUSTERED_FROM, layout, readable, type Point } from "./swarm-layout.ts";

const size = { width: 440, height: 640 };
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `12D3KooW${(i * 7919).toString(36)}`);

function nearest(seats: ReadonlyMap<string, Point>): number {
  const points = [...seats.values()];
  let least = Infinity;
  points.forEach((a, i) => {
    for (const b of points.slice(i + 1)) least = Math.min(least, Math.hypot(a.x - b.x, a.y - b.y));
  });
  return least;
}

describe("layout", () => {
  test("is the same for the same nodes, in whatever order they are named", () => {
    const peers = ids(17);
    expect(layout([...peers].reverse(), size)).toEqual(layout(peers, size));
  });

  test.each([1, 2, 3, 8, 24, CLUSTERED_FROM, 200, 1000])("%i nodes stand inside the picture and apart", (count) => {
    const { seats } = layout(ids(count), size);
    expect(seats.size).toBe(count);
    for (const { x, y } of seats.values()) {
      expect(x).toBeGreaterThan(0);
      expect(x).toBeLessThan(size.width);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(size.height);
    }
    const marks = count <= 8 ? 90 : count <= CLUSTERED_FROM ? 36 : count <= 200 ? 7 : 2;
    expect(nearest(seats)).toBeGreaterThan(marks);
  });

  test("a node that leaves moves the others little, and returns to its place", () => {
    const peers = ids(12);
    const before = layout(peers, size).seats;
    const without = layout(peers.slice(1), size).seats;
    const moves = peers.slice(1).map((peer) => {
      const a = before.get(peer) ?? { x: 0, y: 0 };
      const b = without.get(peer) ?? { x: 0, y: 0 };
      return Math.hypot(a.x - b.x, a.y - b.y);
    });
    expect(moves.toSorted((a, b) => a - b)[5]).toBeLessThan(60);
    expect(layout(peers, size).seats.get(peers[0] ?? "")).toEqual(before.get(peers[0] ?? ""));
  });

  test("many nodes are gathered in clusters that hold each of them once", () => {
    const peers = ids(200);
    const { clusters } = layout(peers, size);
    expect(clusters.flatMap((cluster) => cluster.peers).sort()).toEqual([...peers].sort());
    clusters.forEach((a, i) => {
      for (const b of clusters.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(a.radius);
    });
  });
});

test("of two names that would lie over each other the first can be read", () => {
  const label = (x: number, y: number) => ({ x, y, half: 40 });
  expect(readable([label(100, 50), label(170, 55), label(170, 80), label(185, 50)])).toEqual([true, false, true, true]);
  expect(readable([])).toEqual([]);
});
