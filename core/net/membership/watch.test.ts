import { describe, expect, test } from "vitest";
import { Losses, RecordPace, RollCall } from "./crisis.ts";
import { LinkWatch, LocalHealth } from "./watch.ts";

describe("a watched link", () => {
  test("is pinged after more than a second of quiet, and silent after two pings and 2.5 s", () => {
    const watch = new LinkWatch(0);
    const actions = [500, 1_000, 1_500, 2_000, 2_500].map((nowMs) => watch.tick(nowMs, 1));
    expect(actions).toEqual(["nothing", "nothing", "ping", "ping", "silent"]);
    watch.heard(2_600);
    expect(watch.tick(3_000, 1)).toBe("nothing");
  });

  test("is not called silent before it was pinged, nor as soon when this node is in doubt of itself", () => {
    const watch = new LinkWatch(0);
    expect([10_000, 10_500, 11_000].map((nowMs) => watch.tick(nowMs, 1))).toEqual(["ping", "ping", "silent"]);
    const patient = new LinkWatch(0);
    expect([2_000, 3_000, 4_000, 5_000].map((nowMs) => patient.tick(nowMs, 2))).toEqual([
      "ping",
      "ping",
      "ping",
      "silent",
    ]);
  });

  test("is borne longer where answers take long, within a bound", () => {
    const silentAfterMs = (rttMs: number): number => {
      const watch = new LinkWatch(0);
      watch.measured(rttMs);
      for (let nowMs = 500; ; nowMs += 500) if (watch.tick(nowMs, 1) === "silent") return nowMs;
    };
    expect([50, 300, 1_000, 60_000].map(silentAfterMs)).toEqual([2_500, 2_500, 5_500, 10_000]);
  });

  test("says nothing of its peer before anything has come over it", () => {
    const watch = new LinkWatch(0);
    expect(watch.isProven).toBe(false);
    watch.heard(10);
    expect(watch.isProven).toBe(true);
  });

  test("has a smoothed round trip", () => {
    const watch = new LinkWatch(0);
    expect(watch.roundTripMs).toBeUndefined();
    watch.measured(100);
    watch.measured(200);
    expect(watch.roundTripMs).toBe(125);
  });
});

describe("local health", () => {
  test("falls with late ticks, recovers with time, and is bounded", () => {
    const health = new LocalHealth();
    expect(health.factor).toBe(1);
    health.tick(1_000, 1_000);
    expect(health.factor).toBe(1);
    for (let i = 0; i < 10; i++) health.tick(5_000, 2_000);
    expect(health.factor).toBe(2);
    for (let nowMs = 3_000; nowMs < 60_000; nowMs += 500) health.tick(500, nowMs);
    expect(health.factor).toBe(1);
  });
});

describe("many losses at once", () => {
  test("are told from single deaths", () => {
    const losses = new Losses();
    expect(losses.add(1, 8, 0)).toBe(false);
    expect(losses.add(1, 7, 10_000)).toBe(false);
    expect(losses.add(1, 6, 10_500)).toBe(false);
    expect(losses.add(1, 5, 11_000)).toBe(true);
    expect(new Losses().add(4, 100, 0)).toBe(false);
  });

  test("call the roll once, and those who have not answered are known", () => {
    const roll = new RollCall();
    expect(roll.isDue(1e6)).toBe(false);
    expect(roll.begin(10_000)).toBe(true);
    expect(roll.begin(12_000)).toBe(false);
    expect(roll.isDue(11_000)).toBe(false);
    expect(roll.isDue(11_500)).toBe(true);
    expect(roll.isDue(11_600)).toBe(false);
    expect(roll.hasAnswered(10_300)).toBe(true);
    expect(roll.hasAnswered(5_000)).toBe(false);
    expect(roll.begin(20_000)).toBe(true);
  });
});

describe("the pace of records", () => {
  test("bounds what one member can make all others do", () => {
    const pace = new RecordPace();
    let taken = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
      if (!pace.allows("a", nowMs)) continue;
      pace.spend("a", nowMs);
      taken++;
    }
    expect(taken).toBeGreaterThan(200);
    expect(taken).toBeLessThan(265);
    expect(pace.allows("b", 60_000)).toBe(true);
  });
});
