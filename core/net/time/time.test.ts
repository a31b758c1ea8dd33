/** Common time, node by node on clocks moved by hand, and among a few dozen that ask each other in step. */
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../base/codec.ts";
import type { Clock } from "../../ports/clock.ts";
import { frameSchema } from "../membership/wire.ts";
import { OWN_MS_MAX } from "../limits.ts";
import { CommonTime } from "./time.ts";
import { RANKS, type TimeTold } from "./neighbours.ts";

const EPOCH_MS = 1.7e12;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
/** Wrong, but near enough that common time may make up for it. */
const FAR_MS = 4 * 60 * SECOND_MS;

/** Round trip of every question. */
const TRIP_MS = 40;
const TICK_MS = 500;

class HandClock implements Clock {
  monotonicMs = 0;
  wallMs: number;

  constructor(skewMs: number) {
    this.wallMs = EPOCH_MS + skewMs;
  }

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  timer(): never {
    throw new Error("Common time sets no timers");
  }
}

interface Node {
  readonly clock: HandClock;
  readonly time: CommonTime;
  readonly links: Set<string>;
  readonly answers: (time: CommonTime) => TimeTold;
}

interface NodeOptions {
  readonly hasOthers?: boolean;
  readonly confirmedMs?: number | undefined;
  /** What it says when asked, if that is not the truth. */
  readonly answers?: (time: CommonTime) => TimeTold;
}

/**
 * Nodes that tick at the same moments and whose messages take equally long: the most they can get into each other's
 * way.
 */
class Web {
  readonly nodes = new Map<string, Node>();
  passedMs = 0;

  add(name: string, skewMs: number, options: NodeOptions = {}): CommonTime {
    const clock = new HandClock(skewMs + this.passedMs);
    const time = new CommonTime(clock, { hasOthers: options.hasOthers ?? true, confirmedMs: options.confirmedMs });
    this.nodes.set(name, { clock, time, links: new Set(), answers: options.answers ?? ((own) => own.tell()) });
    return time;
  }

  node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`No node ${name}`);
    return node;
  }

  link(a: string, b: string): void {
    if (a === b || this.node(a).links.has(b)) return;
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.node(one).links.add(other);
      this.node(one).time.linkUp(other);
    }
  }

  unlink(a: string, b: string): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.node(one).links.delete(other);
      this.node(one).time.linkDown(other);
    }
  }

  run(durationMs: number, look: () => void = () => {}): void {
    const endMs = this.passedMs + durationMs;
    while (this.passedMs < endMs) {
      for (const { time } of this.nodes.values()) time.tick();
      const asked = [...this.nodes.values()].flatMap(({ time, links }) =>
        [...links].filter((peer) => time.ask(peer)).map((peer) => ({ time, peer })),
      );
      this.#pass(TRIP_MS / 2);
      const answers = asked.map(({ time, peer }) => {
        const other = this.node(peer);
        return { time, peer, told: other.answers(other.time) };
      });
      this.#pass(TRIP_MS / 2);
      for (const { time, peer, told } of answers) time.told(peer, told, TRIP_MS);
      this.#pass(TICK_MS - TRIP_MS);
      look();
    }
  }

  /** By how much the common time of a node is ahead of the truth. */
  error(name: string): number {
    return this.node(name).time.now() - EPOCH_MS - this.passedMs;
  }

  spread(names: Iterable<string> = this.nodes.keys()): number {
    const errors = [...names].map((name) => this.error(name));
    return Math.max(...errors) - Math.min(...errors);
  }

  #pass(ms: number): void {
    this.passedMs += ms;
    for (const { clock } of this.nodes.values()) {
      clock.wallMs += ms;
      clock.monotonicMs += ms;
    }
  }
}

/** A web in which `a` founds, and the others come one after the other and link to all. */
function mesh(skewsMs: Readonly<Record<string, number>>): Web {
  const web = new Web();
  for (const [name, skewMs] of Object.entries(skewsMs)) {
    const before = [...web.nodes.keys()];
    web.add(name, skewMs, { hasOthers: before.length > 0 });
    for (const other of before) web.link(name, other);
    web.run(3 * SECOND_MS);
  }
  web.run(20 * SECOND_MS);
  return web;
}

/** Says so much more than the truth. */
function ahead(lieMs: number): NodeOptions {
  return { answers: (time) => [Math.max(0, time.tell()[0] + lieMs), RANKS.common] };
}

describe("who comes", () => {
  test("takes the founder's time, and is counted when it has listened for a while", () => {
    const web = new Web();
    const founder = web.add("a", 5 * SECOND_MS, { hasOthers: false });
    web.run(SECOND_MS);
    const late = web.add("b", 55 * SECOND_MS);
    web.link("a", "b");
    web.run(TICK_MS);
    expect([founder.tell()[1], late.tell()[1]]).toEqual([RANKS.own, RANKS.told]);
    expect([web.error("a"), web.error("b")]).toEqual([5 * SECOND_MS, 5 * SECOND_MS]);
    expect([founder.trouble(), late.trouble()]).toEqual([undefined, undefined]);
    web.run(3 * SECOND_MS);
    expect(late.tell()[1]).toBe(RANKS.own);
    web.run(15 * SECOND_MS);
    expect([founder.tell()[1], late.tell()[1]]).toEqual([RANKS.common, RANKS.common]);
    expect(web.spread()).toBe(0);
  });

  test("goes by its own clock while nobody can be reached, and by the swarm's as soon as it is linked", () => {
    const web = mesh({ a: 0, b: 100, c: 200 });
    web.add("late", 25 * SECOND_MS);
    web.run(30 * SECOND_MS);
    expect(web.error("late")).toBe(25 * SECOND_MS);
    expect(web.node("late").time.tell()[1]).toBe(RANKS.own);
    web.link("late", "a");
    web.run(TICK_MS);
    expect(web.error("late")).toBe(0);
  });

  test("believes most of those it hears, not one", () => {
    const web = mesh({ a: 0, b: 0, c: 0 });
    web.add("liar", 0, { answers: (time) => [time.tell()[0] + YEAR_MS, RANKS.common] });
    web.add("new", -20 * SECOND_MS);
    for (const name of ["liar", "a", "b"]) web.link("new", name);
    web.run(TICK_MS);
    expect(web.error("new")).toBe(0);
    web.run(60 * SECOND_MS);
    expect(web.error("new")).toBe(0);
    expect(web.node("new").time.trouble()).toBeUndefined();
  });

  test("at the same time as all others agrees with them on something in their middle", () => {
    const web = new Web();
    const skews = [-20, 11, 3, 55, 25, -3, 7];
    for (const [i, skew] of skews.entries()) web.add(`n${i}`, skew * SECOND_MS);
    for (const one of web.nodes.keys()) for (const other of web.nodes.keys()) web.link(one, other);
    web.run(5 * SECOND_MS);
    expect(web.spread()).toBe(0);
    expect(web.error("n0")).toBe(7 * SECOND_MS);
  });
});

describe("who is there", () => {
  test("is moved by no single neighbour, whatever that says", () => {
    for (const lieMs of [YEAR_MS, -YEAR_MS, FAR_MS, -FAR_MS, 2 * SECOND_MS, -10 * SECOND_MS]) {
      const web = mesh({ a: 0, b: 0, c: 0 });
      web.add("liar", 0, { answers: (time) => [time.tell()[0] + lieMs, RANKS.common] });
      for (const name of ["a", "b", "c"]) web.link("liar", name);
      web.run(10 * 60 * SECOND_MS);
      expect(["a", "b", "c"].map((name) => web.error(name))).toEqual([0, 0, 0]);
      expect(web.node("a").time.trouble()).toBeUndefined();
    }
  });

  test("follows its neighbours slowly when clocks run unequally fast", () => {
    const web = mesh({ a: 0, b: 0, c: 0, d: 0 });
    let most = 0;
    web.run(10 * 60 * SECOND_MS, () => {
      const { clock } = web.node("d");
      clock.wallMs += 5;
      clock.monotonicMs += 5;
      most = Math.max(most, web.spread());
    });
    // A clock that gains a hundredth is 6 s ahead by now.
    expect(most).toBeLessThan(500);
  });

  test("goes on by its own clock, and says so, when most of its neighbours are far off", () => {
    const web = mesh({ a: 0, b: 0, c: 0 });
    for (const [name, lieMs] of [
      ["x", YEAR_MS],
      ["y", -YEAR_MS],
      ["z", HOUR_MS],
      ["w", HOUR_MS],
    ] as const) {
      web.add(name, 0, ahead(lieMs));
      web.link("a", name);
    }
    web.run(10 * SECOND_MS);
    expect(web.error("a")).toBe(0);
    expect(web.node("a").time.trouble()).toBeUndefined();
    expect(web.node("a").time.notice()).toMatch(/is 1 hour behind that of the nodes around it/);
    expect(web.node("b").time.notice()).toBeUndefined();
    for (const name of ["x", "y", "z", "w", "b", "c"]) web.unlink("a", name);
    expect(web.node("a").time.notice()).toBeUndefined();
  });
});

describe("liars", () => {
  const LIES_MS = [
    30 * YEAR_MS,
    -30 * YEAR_MS,
    HOUR_MS,
    2 * OWN_MS_MAX - SECOND_MS,
    -2 * OWN_MS_MAX + SECOND_MS,
    FAR_MS,
  ];
  test.each(LIES_MS)("one of %i ms to a lone node moves it by minutes at most, and stops it from nothing", (lieMs) => {
    const web = new Web();
    const lone = web.add("a", 0, { hasOthers: false });
    web.run(20 * SECOND_MS);
    web.add("liar", 0, ahead(lieMs));
    web.link("a", "liar");
    web.run(60 * SECOND_MS);
    expect(Math.abs(web.error("a"))).toBeLessThanOrEqual(OWN_MS_MAX);
    expect(lone.trouble()).toBeUndefined();
  });

  test.each(LIES_MS)("three of %i ms to each of two nodes move them by minutes at most", (lieMs) => {
    const web = mesh({ a: 0, b: 0 });
    for (const name of ["a1", "a2", "a3", "b1", "b2", "b3"]) {
      web.add(name, 0, ahead(lieMs));
      web.link(name.slice(0, 1), name);
    }
    web.run(120 * SECOND_MS);
    for (const name of ["a", "b"]) {
      expect(Math.abs(web.error(name))).toBeLessThanOrEqual(OWN_MS_MAX);
      expect(web.node(name).time.trouble()).toBeUndefined();
    }
  });

  test("that have moved all clocks as far as they can leave nothing that lasts", () => {
    const web = mesh({ a: 0, b: 0 });
    for (const name of ["a1", "a2", "a3", "b1", "b2", "b3"]) {
      web.add(name, 0, ahead(2 * OWN_MS_MAX - SECOND_MS));
      web.link(name.slice(0, 1), name);
    }
    web.run(120 * SECOND_MS);
    expect(web.error("a")).toBeGreaterThan(OWN_MS_MAX - SECOND_MS);
    for (const name of ["a1", "a2", "a3", "b1", "b2", "b3"]) web.unlink(name.slice(0, 1), name);
    web.run(24 * HOUR_MS);
    expect(Math.abs(web.error("a"))).toBeLessThan(65 * SECOND_MS);
    expect(web.spread(["a", "b"])).toBeLessThan(100);
  });

  test("surround a node that starts again: it writes by its own clock, if others had confirmed that before", () => {
    const web = mesh({ a: 0, b: 0 });
    const confirmedMs = web.node("a").time.confirmedMs();
    expect(confirmedMs).toBe(web.node("a").clock.wallMs);
    const again = web.add("again", 0, { confirmedMs });
    const stranger = web.add("new", 0);
    for (const name of ["x", "y", "z"]) {
      web.add(name, 0, ahead(30 * YEAR_MS));
      web.link("again", name);
      web.link("new", name);
    }
    web.run(20 * SECOND_MS);
    expect([web.error("again"), again.trouble()]).toEqual([0, undefined]);
    expect(again.notice()).toMatch(/30 years behind/);
    // Of a newcomer nobody knows whose clock is right, until one that agrees is there.
    expect(stranger.trouble()).toMatch(/30 years behind/);
    web.link("new", "b");
    web.run(2 * SECOND_MS);
    expect([web.error("new"), stranger.trouble()]).toEqual([0, undefined]);
  });
});

describe("a person whose clock is wrong", () => {
  test.each([
    [YEAR_MS, /is 1 year ahead of that of the nodes around it \(2023-11-14/],
    [-HOUR_MS, /is 1 hour behind that of/],
    [3 * OWN_MS_MAX, /is 15 minutes ahead of that of/],
  ])("by %i ms is told, can't write, and moves nobody", (skewMs, message) => {
    const web = mesh({ a: 0, b: 0 });
    const wrong = web.add("wrong", skewMs);
    web.link("a", "wrong");
    web.link("b", "wrong");
    web.run(20 * SECOND_MS);
    expect(web.error("wrong")).toBe(skewMs);
    expect(wrong.trouble()).toMatch(message);
    expect(wrong.notice()).toMatch(message);
    expect(["a", "b"].map((name) => [web.error(name), web.node(name).time.trouble()])).toEqual([
      [0, undefined],
      [0, undefined],
    ]);
    // It is set right.
    web.node("wrong").clock.wallMs -= skewMs;
    web.run(5 * SECOND_MS);
    expect([web.error("wrong"), wrong.trouble(), wrong.notice()]).toEqual([0, undefined, undefined]);
  });

  test("by a few minutes writes by the time of the others, and is told", () => {
    const web = mesh({ a: 0, b: 0 });
    const wrong = web.add("wrong", FAR_MS);
    web.link("a", "wrong");
    web.link("b", "wrong");
    web.run(20 * SECOND_MS);
    expect(Math.abs(web.error("wrong"))).toBeLessThan(100);
    expect(wrong.trouble()).toBeUndefined();
    expect(wrong.notice()).toBe("The clock of this device is 4 minutes ahead of the others'. Set it right.");
  });

  test("and was confirmed too long ago, or has been set back since, is a newcomer again", () => {
    for (const confirmedMs of [EPOCH_MS + HOUR_MS, EPOCH_MS - YEAR_MS]) {
      const web = new Web();
      web.add("a", 0, { hasOthers: false });
      web.add("wrong", 0, { confirmedMs });
      web.add("x", 0, ahead(YEAR_MS));
      web.link("wrong", "x");
      web.run(10 * SECOND_MS);
      expect(web.node("wrong").time.trouble()).toMatch(/1 year behind/);
    }
  });
});

test("a neighbour can't say what is no time", () => {
  const frame = (time: unknown): Uint8Array => encode({ pong: [1, 2], time });
  expect(decode(frameSchema, frame([EPOCH_MS, RANKS.common])).time).toEqual([EPOCH_MS, RANKS.common]);
  for (const time of [[-1, 1], [1e16, 1], [1.5, 1], [Number.NaN, 1], [EPOCH_MS, 4], [EPOCH_MS], EPOCH_MS]) {
    expect(() => decode(frameSchema, frame(time))).toThrow(/time/);
  }
});

describe("a wall clock that jumps", () => {
  test.each([HOUR_MS, -HOUR_MS, YEAR_MS, 20 * SECOND_MS])("by %i ms does not move a node with links", (jumpMs) => {
    const web = mesh({ a: 0, b: 0, c: 0 });
    web.node("c").clock.wallMs += jumpMs;
    expect(web.error("c")).toBe(0);
    web.run(60 * SECOND_MS);
    expect(web.spread()).toBe(0);
    expect(web.node("c").time.tell()[1]).toBe(RANKS.common);
  });

  test("makes a node ask anew, and half of the answers are waited for", () => {
    const web = mesh({ a: 0, b: 0, c: 0, d: 0, e: 0 });
    const { clock, time } = web.node("e");
    clock.wallMs += HOUR_MS;
    const before = time.now();
    expect(["a", "b", "c", "d"].map((peer) => time.ask(peer))).toEqual([true, true, true, true]);
    time.told("a", [before + YEAR_MS, RANKS.common], 0);
    expect(time.now()).toBe(before);
    time.told("b", [before + SECOND_MS, RANKS.common], 0);
    expect(time.now()).toBe(before + SECOND_MS);
  });

  test("because the machine has slept is believed as soon as the others say so", () => {
    const web = mesh({ a: 0, b: 0, c: 0, d: 0 });
    for (const name of ["a", "b", "c"]) {
      web.node(name).clock.wallMs += HOUR_MS;
      web.node(name).clock.monotonicMs += HOUR_MS;
    }
    web.node("d").clock.wallMs += HOUR_MS;
    expect(web.node("d").time.now()).toBe(web.node("a").time.now() - HOUR_MS);
    web.run(TICK_MS);
    expect(web.spread()).toBe(0);
  });

  test("because the machine has slept is believed when its links turn out to be dead", () => {
    const web = mesh({ a: 0, b: 10 * SECOND_MS });
    web.node("b").clock.wallMs += HOUR_MS;
    expect(web.error("b")).toBe(0);
    web.unlink("a", "b");
    expect(web.error("b")).toBe(HOUR_MS);
  });

  test("on all at once, since they share a machine, is believed", () => {
    const web = mesh({ a: 0, b: 0, c: 0 });
    for (const { clock } of web.nodes.values()) clock.wallMs += HOUR_MS;
    web.run(10 * SECOND_MS);
    expect(web.spread()).toBe(0);
    expect(web.error("a")).toBe(HOUR_MS);
  });

  test("is believed without links; set right, the clock needs no correction", () => {
    const web = mesh({ a: 0, b: FAR_MS });
    web.unlink("a", "b");
    expect(Math.abs(web.error("b"))).toBeLessThan(100);
    web.node("b").clock.wallMs += FAR_MS / 4;
    expect(Math.abs(web.error("b") - FAR_MS / 4)).toBeLessThan(100);
    web.node("b").clock.wallMs -= FAR_MS + FAR_MS / 4;
    expect(web.error("b")).toBe(0);
  });
});

describe("halves that differ", () => {
  /** Two meshes of their own, the second ahead of the first. */
  function halves(size: number, apartMs: number): Web {
    const web = new Web();
    for (const [half, aheadMs] of [
      ["a", 0],
      ["b", apartMs],
    ] as const) {
      for (let i = 0; i < size; i++) web.add(`${half}${i}`, aheadMs);
      for (let i = 0; i < size; i++) for (let k = 1; k <= 3; k++) web.link(`${half}${i}`, `${half}${(i + k) % size}`);
    }
    web.run(30 * SECOND_MS);
    expect(web.spread()).toBe(apartMs);
    return web;
  }

  /** Runs until all have been within 100 ms of each other for a minute, and returns how long they took to get there. */
  function oneAfter(web: Web, withinMs: number): number {
    const beganMs = web.passedMs;
    let oneMs = beganMs;
    web.run(withinMs + 60 * SECOND_MS, () => {
      if (web.spread() > 100) oneMs = web.passedMs;
    });
    return oneMs - beganMs;
  }

  test.each([20 * SECOND_MS, FAR_MS])("by %i ms and link all to all: those ahead give way", (apartMs) => {
    const web = halves(4, apartMs);
    for (const one of web.nodes.keys()) for (const other of web.nodes.keys()) web.link(one, other);
    expect(oneAfter(web, 60 * SECOND_MS)).toBeLessThan(3 * SECOND_MS);
    expect(Math.abs(web.error("b0"))).toBeLessThan(100);
  });

  test("of one each agree as well", () => {
    const web = new Web();
    web.add("a", 0, { hasOthers: false });
    web.add("b", 55 * SECOND_MS, { hasOthers: false });
    web.run(20 * SECOND_MS);
    web.link("a", "b");
    expect(oneAfter(web, 60 * SECOND_MS)).toBeLessThan(3 * SECOND_MS);
    expect(web.error("a")).toBe(0);
  });

  // One link each across is no different from a liar; two are followed, and how fast depends on how they lie.
  test.each([
    [2, 5, 300],
    [2, 7, 30],
    [3, 11, 30],
    [4, 7, 30],
    [5, 5, 30],
  ])("though each has only %i links across (stride %i) become one in %i s", (across, stride, seconds) => {
    for (const apartMs of [20 * SECOND_MS, FAR_MS]) {
      const web = halves(20, apartMs);
      for (let i = 0; i < 20; i++) for (let k = 0; k < across; k++) web.link(`a${i}`, `b${(i * stride + k * 3) % 20}`);
      expect(oneAfter(web, 400 * SECOND_MS)).toBeLessThan(seconds * SECOND_MS);
      expect(web.error("a0")).toBeLessThan(3 * SECOND_MS);
    }
  });

  test("are joined by who has several across, for long enough for others to come after", () => {
    const web = halves(7, 20 * SECOND_MS);
    for (const other of ["a0", "a1"]) web.link("b0", other);
    web.run(20 * SECOND_MS);
    let most = 0;
    web.run(60 * SECOND_MS, () => (most = Math.max(most, Math.abs(web.error("b0")))));
    expect(most).toBeLessThan(SECOND_MS);
    // Nobody comes after, as nobody else has links across.
    expect(web.error("b3")).toBeGreaterThan(19 * SECOND_MS);
    web.run(60 * SECOND_MS);
    expect(web.error("b0")).toBeGreaterThan(19 * SECOND_MS);
  });

  test("by few seconds meet in the middle", () => {
    const web = halves(20, 2_500);
    for (let i = 0; i < 20; i++) for (let k = 0; k < 2; k++) web.link(`a${i}`, `b${(i * 7 + k * 3) % 20}`);
    expect(oneAfter(web, 600 * SECOND_MS)).toBeLessThan(300 * SECOND_MS);
    expect(web.error("a0")).toBeGreaterThan(500);
  });
});
