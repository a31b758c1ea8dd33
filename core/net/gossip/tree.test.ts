import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { realCrypto } from "../../platform/crypto.ts";
import { GossipTree } from "./tree.ts";
import { ID_BYTES, idText, packIds, type TreeFrame } from "./wire.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => realCrypto.sha256(bytes);
const newTree = (self: string): GossipTree => new GossipTree({ self, sha256 });
const idOf = (bytes: Uint8Array): Uint8Array => packIds([idText(sha256(bytes))]);

/** Trees joined by links that deliver in rounds of 10 ms; counts what each was offered. */
class Net {
  readonly trees: GossipTree[];
  readonly offered: Map<string, number>[];
  readonly linked: Set<number>[];
  nowMs = 0;
  bodies = 0;
  /** Which node's frames of bodies are withheld. */
  silenced: number | undefined;
  #nextTickMs = 500;

  constructor(size: number) {
    this.trees = Array.from({ length: size }, (_, i) => newTree(String(i)));
    this.offered = this.trees.map(() => new Map());
    this.linked = this.trees.map(() => new Set());
  }

  link(a: number, b: number): void {
    if (a === b || this.linked[a]?.has(b)) return;
    this.linked[a]?.add(b);
    this.linked[b]?.add(a);
    this.trees[a]?.linkUp(String(b), this.nowMs);
    this.trees[b]?.linkUp(String(a), this.nowMs);
  }

  unlink(a: number, b: number): void {
    this.linked[a]?.delete(b);
    this.linked[b]?.delete(a);
    this.trees[a]?.linkDown(String(b), this.nowMs);
    this.trees[b]?.linkDown(String(a), this.nowMs);
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
      if (isTick || this.nowMs >= tree.dueMs) tree.tick(this.nowMs);
      const lazy = isTick ? tree.lazy(this.nowMs) : undefined;
      for (const to of this.linked[from] ?? []) {
        if (lazy !== String(to) && !tree.urgent.has(String(to))) continue;
        const next = (): TreeFrame | undefined => tree.take(String(to), this.nowMs);
        for (let frame = next(); frame !== undefined; frame = next()) frames.push([from, to, frame]);
      }
    });
    for (const [from, to, frame] of frames) this.#deliver(from, to, frame);
  }

  /** Whether the links that push at both ends join all nodes. */
  get isJoined(): boolean {
    const pushed = this.trees.map((tree) => new Set(tree.eager()));
    const found = new Set([0]);
    for (const node of found)
      for (const to of pushed[node] ?? []) if (pushed[Number(to)]?.has(String(node))) found.add(Number(to));
    return found.size === this.trees.length;
  }

  get eagerLinks(): number {
    return this.trees.reduce((sum, tree) => sum + tree.eager().length, 0) / 2;
  }

  #deliver(from: number, to: number, frame: TreeFrame): void {
    // It takes everything and passes nothing on, but says where it stands in the tree.
    if (from === this.silenced) frame = { ...frame, bodies: undefined, have: undefined };
    this.bodies += frame.bodies?.length ?? 0;
    this.trees[to]?.receive(String(from), frame, this.nowMs, (body) => {
      const text = new TextDecoder().decode(body);
      const counts = this.offered[to] as Map<string, number>;
      counts.set(text, (counts.get(text) ?? 0) + 1);
      return "spread";
    });
  }
}

/** Six links more for each of 15 nodes. */
const manyPairs = Array.from({ length: 45 }, (_, i) => [i * 7, i * 13 + 5] as const);
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

  test("pushes on what the tree brings after it was told lazily from elsewhere", () => {
    const net = new Net(3);
    net.link(0, 1);
    net.link(1, 2);
    net.run(2_000);
    net.trees[1]?.publish(utf8("news"), net.nowMs, { lazily: true });
    net.trees[0]?.publish(utf8("news"), net.nowMs);
    net.run(100);
    expect(net.offered[2]?.get("news")).toBe(1);
    // And once only.
    const { bodies } = net;
    net.trees[1]?.receive("0", { bodies: [utf8("news")] }, net.nowMs, () => "spread");
    net.run(5_000);
    expect(net.bodies).toBe(bodies);
  });

  test("does not pass on what is kept or at fault", () => {
    const tree = newTree("self");
    for (const peer of ["a", "b"]) {
      tree.linkUp(peer, 0);
      tree.take(peer, 0);
    }
    tree.receive("a", { bodies: [utf8("1")] }, 0, () => "keep");
    tree.receive("a", { bodies: [utf8("2")] }, 0, () => "fault");
    expect(tree.take("b", 0)).toBeUndefined();
    tree.receive("a", { bodies: [utf8("3")] }, 0, () => "spread");
    expect(tree.take("b", 0)).toEqual({ bodies: [utf8("3")] });
  });

  test("keeps bounded what a link does not take", () => {
    const tree = newTree("self");
    tree.linkUp("slow", 0);
    for (let i = 0; i < 5_000; i++) tree.publish(new Uint8Array(1_000).fill(i % 256).fill(i >> 8, 1, 2), 0);
    let bytes = 0;
    for (let frame = tree.take("slow", 9_000); frame !== undefined; frame = tree.take("slow", 9_000)) {
      const size = (frame.bodies ?? []).reduce((sum, body) => sum + body.length, 0) + (frame.have?.length ?? 0);
      expect(size).toBeLessThanOrEqual(64 * 1024);
      bytes += size;
    }
    expect(bytes).toBeLessThan(300 * 1024);
  });
});

describe("the branches", () => {
  const everyoneWrites = (net: Net): void => {
    net.trees.forEach((tree, i) => tree.publish(utf8(`${net.nowMs} by ${i}`), net.nowMs));
  };

  test("are a tree, whoever writes and however many at once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 25 }), pairs, (size, links) => {
        const net = Net.random(size, links);
        net.run(1_000);
        for (let i = 0; i < 5; i++) {
          everyoneWrites(net);
          net.run(20);
          expect([net.isJoined, net.eagerLinks]).toEqual([true, size - 1]);
        }
        net.run(3_000);
        const before = net.bodies;
        net.trees[0]?.publish(utf8("once"), net.nowMs);
        net.run(3_000);
        for (let node = 1; node < size; node++) expect(net.offered[node]?.get("once")).toBe(1);
        expect(net.bodies - before).toBe(size - 1);
      }),
      { numRuns: 30 },
    );
  });

  test("join all again within half a second when any link or node goes, the root as well", () => {
    fc.assert(
      fc.property(fc.nat(14), (gone) => {
        const net = Net.random(15, manyPairs);
        net.run(1_000);
        for (const peer of [...(net.linked[gone] ?? [])]) net.unlink(gone, peer);
        net.run(500);
        net.link(gone, (gone + 1) % 15);
        net.run(60);
        expect(net.isJoined).toBe(true);
        net.run(1_000);
        expect([net.isJoined, net.eagerLinks]).toEqual([true, 14]);
      }),
      { numRuns: 15 },
    );
  });

  test("that lead to somebody who passes nothing on are gone around, soon at once", () => {
    for (let liar = 0; liar < 15; liar++) {
      const net = Net.random(15, manyPairs);
      net.silenced = liar;
      net.run(1_000);
      for (let i = 0; i < 20; i++) {
        net.trees[(liar + 1 + (i % 14)) % 15]?.publish(utf8(`${i}`), net.nowMs);
        net.run(500);
      }
      net.run(5_000);
      net.trees[(liar + 1) % 15]?.publish(utf8("late"), net.nowMs);
      net.run(300);
      for (let node = 0; node < 15; node++) {
        if (node === liar) continue;
        for (let i = 0; i < 20; i++) expect(net.offered[node]?.get(`${i}`) ?? 1).toBe(1);
        if (node !== (liar + 1) % 15) expect(net.offered[node]?.get("late")).toBe(1);
      }
    }
  });

  test("are not what a prune can take away, nor what comes twice", () => {
    const tree = newTree("self");
    for (const peer of ["a", "b"]) tree.linkUp(peer, 0);
    for (const peer of ["a", "b"]) tree.receive(peer, { bodies: [utf8("1")], prune: true }, 0, () => "spread");
    expect([tree.eager(), tree.take("b", 0)?.prune]).toEqual([["a", "b"], undefined]);
  });
});

describe("a lazy link", () => {
  /** A tree with a parent and a lazy link. */
  function settled(): GossipTree {
    const tree = newTree("self");
    const root = new Uint8Array(ID_BYTES);
    tree.linkUp("parent", 0);
    tree.linkUp("lazy", 0);
    for (const peer of ["parent", "lazy"]) tree.receive(peer, { way: root }, 0, () => "spread");
    for (const peer of ["parent", "lazy"]) tree.take(peer, 0);
    return tree;
  }

  test("is told ids, later, and carries bodies while somebody asks over it", () => {
    const tree = settled();
    expect(tree.eager()).toEqual(["parent"]);
    tree.publish(utf8("1"), 0);
    expect(tree.take("lazy", 100)).toBeUndefined();
    expect(tree.lazy(400)).toBe("lazy");
    expect(tree.take("lazy", 400)?.have).toEqual(idOf(utf8("1")));
    expect(tree.take("lazy", 400)).toBeUndefined();
    tree.receive("lazy", { graft: idOf(utf8("1")) }, 500, () => "spread");
    expect(tree.take("lazy", 500)?.bodies).toEqual([utf8("1")]);
    expect(tree.eager()).toEqual(["parent", "lazy"]);
    tree.receive("lazy", { prune: true }, 600, () => "spread");
    expect(tree.eager()).toEqual(["parent"]);
  });

  test("is asked for what does not come by the tree, and pruned when it does come", () => {
    const tree = settled();
    tree.receive("lazy", { have: idOf(utf8("1")) }, 0, () => "spread");
    tree.tick(tree.dueMs - 1);
    expect(tree.take("lazy", 99)).toBeUndefined();
    tree.tick(tree.dueMs);
    expect(tree.take("lazy", 100)?.graft).toEqual(idOf(utf8("1")));
    tree.receive("lazy", { bodies: [utf8("1")] }, 150, () => "spread");
    expect(tree.eager()).toEqual(["parent", "lazy"]);
    // What was asked for may come twice.
    tree.receive("parent", { bodies: [utf8("1"), utf8("2")] }, 200, () => "spread");
    expect(tree.take("lazy", 200)?.prune).toBeUndefined();
    tree.receive("lazy", { bodies: [utf8("2")] }, 250, () => "spread");
    expect(tree.take("lazy", 250)?.prune).toBe(true);
    expect(tree.eager()).toEqual(["parent"]);
  });

  test("is told nothing that its other end has told of", () => {
    const tree = settled();
    tree.publish(utf8("1"), 0);
    tree.receive("lazy", { have: idOf(utf8("1")) }, 100, () => "spread");
    expect(tree.lazy(1_000)).toBeUndefined();
  });

  test("carries bodies at once while there is a flood", () => {
    const tree = settled();
    tree.flood(1_000);
    tree.publish(utf8("3"), 500);
    expect(tree.take("lazy", 500)?.bodies).toEqual([utf8("3")]);
  });

  test("that was silent is told at once all that was said meanwhile", () => {
    const tree = settled();
    tree.linkSilent("parent", true, 0);
    tree.publish(utf8("1"), 10);
    expect(tree.take("parent", 10)?.bodies).toBeUndefined();
    tree.linkSilent("parent", false, 20);
    expect(tree.take("parent", 20)?.have).toEqual(idOf(utf8("1")));
  });
});
