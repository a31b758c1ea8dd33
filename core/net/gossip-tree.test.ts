import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../base/bytes.ts";
import { realCrypto } from "../platform/crypto.ts";
import { GossipTree, ID_BYTES, idText } from "./gossip-tree.ts";
import type { TreeFrame } from "./gossip-wire.ts";

/** Trees joined by links that deliver in rounds of 10 ms; counts what each was offered. */
class Net {
  readonly trees: GossipTree[];
  readonly offered: Map<string, number>[];
  readonly linked: Set<number>[];
  nowMs = 0;
  bodies = 0;
  #nextTickMs = 500;

  constructor(size: number) {
    this.trees = Array.from({ length: size }, () => new GossipTree((body) => idText(realCrypto.sha256(body))));
    this.offered = this.trees.map(() => new Map());
    this.linked = this.trees.map(() => new Set());
  }

  link(a: number, b: number): void {
    if (a === b || this.linked[a]?.has(b)) return;
    this.linked[a]?.add(b);
    this.linked[b]?.add(a);
    this.trees[a]?.linkUp(String(b));
    this.trees[b]?.linkUp(String(a));
  }

  unlink(a: number, b: number): void {
    this.linked[a]?.delete(b);
    this.linked[b]?.delete(a);
    this.trees[a]?.linkDown(String(b));
    this.trees[b]?.linkDown(String(a));
  }

  /** Random links, and a ring that keeps it in one piece. */
  static random(size: number, pairs: readonly (readonly [number, number])[]): Net {
    const net = new Net(size);
    for (let i = 0; i < size; i++) net.link(i, (i + 1) % size);
    for (const [a, b] of pairs) net.link(a % size, b % size);
    return net;
  }

  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    while (this.nowMs < untilMs) {
      const isQuiet = this.trees.every((tree) => tree.urgent.size === 0);
      this.nowMs = isQuiet ? Math.min(untilMs, this.#nextTickMs) : this.nowMs + 10;
      const isTick = this.nowMs >= this.#nextTickMs;
      if (isTick) this.#nextTickMs += 500;
      this.#round(isTick);
    }
  }

  #round(isTick: boolean): void {
    const frames: [from: number, to: number, frame: TreeFrame][] = [];
    this.trees.forEach((tree, from) => {
      if (isTick) tree.tick(this.nowMs);
      for (const to of this.linked[from] ?? []) {
        // Ids alone wait for the tick, as they do in the parts that use trees.
        if (!isTick && !tree.urgent.has(String(to))) continue;
        for (let frame = tree.take(String(to)); frame !== undefined; frame = tree.take(String(to)))
          frames.push([from, to, frame]);
      }
    });
    for (const [from, to, frame] of frames) this.#deliver(from, to, frame);
  }

  #deliver(from: number, to: number, frame: TreeFrame): void {
    this.bodies += frame.bodies?.length ?? 0;
    this.trees[to]?.receive(String(from), frame, this.nowMs, (body) => {
      const text = new TextDecoder().decode(body);
      const counts = this.offered[to] as Map<string, number>;
      counts.set(text, (counts.get(text) ?? 0) + 1);
      return "spread";
    });
  }
}

const pairs = fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { minLength: 10, maxLength: 60 });

describe("a broadcast tree", () => {
  test("brings each body to everyone, and offers it once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 25 }), pairs, (size, links) => {
        const net = Net.random(size, links);
        for (let i = 0; i < 5; i++) {
          net.trees[i % size]?.publish(utf8(`body ${i}`), net.nowMs);
          net.run(300);
        }
        net.run(3_000);
        net.offered.forEach((counts, node) => {
          for (let i = 0; i < 5; i++) expect(counts.get(`body ${i}`) ?? 0).toBe(i % size === node ? 0 : 1);
        });
      }),
      { numRuns: 30 },
    );
  });

  test("sends each body about once to each node when it has settled", () => {
    const net = Net.random(
      20,
      Array.from({ length: 60 }, (_, i) => [i * 7, i * 13 + 5] as const),
    );
    for (let i = 0; i < 10; i++) {
      net.trees[0]?.publish(utf8(`warm ${i}`), net.nowMs);
      net.run(500);
    }
    const before = net.bodies;
    for (let i = 0; i < 10; i++) {
      net.trees[0]?.publish(utf8(`body ${i}`), net.nowMs);
      net.run(500);
    }
    expect((net.bodies - before) / 10).toBeLessThan(1.3 * 19);
  });

  test("mends itself when links go", () => {
    fc.assert(
      fc.property(pairs, fc.nat(1_000), (links, which) => {
        const net = Net.random(15, links);
        net.trees[0]?.publish(utf8("warm"), net.nowMs);
        net.run(2_000);
        // The ring keeps it connected: any of the other links may go, and one of the ring's.
        net.linked.forEach((peers, a) => {
          for (const b of [...peers]) if (Math.abs(a - b) % 13 !== 1 && (a + b + which) % 2 === 0) net.unlink(a, b);
        });
        net.unlink(which % 15, (which + 1) % 15);
        net.trees[0]?.publish(utf8("after"), net.nowMs);
        net.run(20_000);
        for (let node = 1; node < 15; node++) expect(net.offered[node]?.get("after")).toBe(1);
      }),
      { numRuns: 30 },
    );
  });

  test("brings bodies that were published lazily", () => {
    const net = Net.random(10, [[0, 5]]);
    net.trees[0]?.publish(utf8("lazy"), net.nowMs, { lazily: true });
    net.run(6_000);
    for (let node = 1; node < 10; node++) expect(net.offered[node]?.get("lazy")).toBe(1);
  });

  test("does not pass on what is kept or at fault", () => {
    const tree = new GossipTree((body) => idText(realCrypto.sha256(body)));
    tree.linkUp("a");
    tree.linkUp("b");
    tree.receive("a", { bodies: [utf8("1")] }, 0, () => "keep");
    tree.receive("a", { bodies: [utf8("2")] }, 0, () => "fault");
    expect(tree.take("b")).toBeUndefined();
    tree.receive("a", { bodies: [utf8("3")] }, 0, () => "spread");
    expect(tree.take("b")).toEqual({ bodies: [utf8("3")] });
  });

  test("prunes who sends what it has, and floods all the same when told to", () => {
    const tree = new GossipTree((body) => idText(realCrypto.sha256(body)));
    for (const peer of ["a", "b"]) tree.linkUp(peer);
    tree.receive("a", { bodies: [utf8("1")] }, 0, () => "spread");
    tree.receive("b", { bodies: [utf8("1")] }, 0, () => "spread");
    expect(tree.take("b")).toMatchObject({ prune: true });
    tree.publish(utf8("2"), 0);
    expect(tree.take("b")?.have?.length).toBe(ID_BYTES);
    tree.flood(1_000);
    tree.publish(utf8("3"), 500);
    expect(tree.take("b")?.bodies).toEqual([utf8("3")]);
  });

  test("keeps bounded what a link does not take", () => {
    const tree = new GossipTree((body) => idText(realCrypto.sha256(body)));
    tree.linkUp("slow");
    for (let i = 0; i < 5_000; i++) tree.publish(new Uint8Array(1_000).fill(i % 256).fill(i >> 8, 1, 2), 0);
    let bytes = 0;
    for (let frame = tree.take("slow"); frame !== undefined; frame = tree.take("slow")) {
      const size = (frame.bodies ?? []).reduce((sum, body) => sum + body.length, 0) + (frame.have?.length ?? 0);
      expect(size).toBeLessThanOrEqual(64 * 1024);
      bytes += size;
    }
    expect(bytes).toBeLessThan(300 * 1024);
  });
});
