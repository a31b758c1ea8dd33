/**
 * Whose turn it is to look after which units, if a member has claimed more contents, and larger ones, than anybody
 * could list.
 */
import { expect, test } from "vitest";
import type { Clock } from "../../ports/clock.ts";
import type { Stored } from "../placement/catalogue.ts";
import { CONTENT_BYTES_MAX, RANKED_PER_LOOK, UNIT_STATES_MAX, UNITS_PER_TURN, VERIFY_EVERY_MS } from "../limits.ts";
import { RepairSchedule, type ScheduleParts } from "./schedule.ts";

const CODE = { k: 1, n: 4, copies: 1, wholes: 0 } as const;

function storedOf(id: string, sizeBytes: number): Stored {
  return { cid: id, id, sizeBytes, code: CODE, list: new Uint8Array(0), writtenAtMs: 0 };
}

interface Scene {
  readonly schedule: RepairSchedule;
  readonly time: { nowMs: number };
  /** Units whose place was worked out. */
  readonly counts: { ranked: number };
}

function scene(contents: readonly Stored[]): Scene {
  const time = { nowMs: 0 };
  const counts = { ranked: 0 };
  const byId = new Map(contents.map((stored) => [stored.id, stored]));
  const parts: Partial<ScheduleParts> = {
    self: "self",
    clock: { monotonic: () => time.nowMs } as Clock,
    catalogue: { all: () => byId.values(), layout: (id: string) => byId.get(id), count: byId.size } as never,
    devices: { nodesByAge: () => [["self"], []] } as never,
    slots: { nameHash: () => (counts.ranked++, new Uint8Array(32)) } as never,
  };
  return { schedule: new RepairSchedule(parts as ScheduleParts), time, counts };
}

test("a thousand claims of a terabyte cost a look no more than it may, and what is small has its turn", () => {
  const claims = Array.from({ length: 1_000 }, (_, i) => storedOf(`claim${i}`, CONTENT_BYTES_MAX));
  const { schedule, time, counts } = scene([...claims, storedOf("small", 10)]);
  let looks = 0;
  let isSeen = false;
  for (; !isSeen; looks++) {
    const before = counts.ranked;
    const { units } = schedule.due();
    for (const unit of units) schedule.inOrder(unit, schedule.round);
    isSeen = units.some(({ stored }) => stored.id === "small");
    expect(counts.ranked - before).toBeLessThanOrEqual(RANKED_PER_LOOK);
    time.nowMs += 1;
  }
  // Before it as many of each claim as one turn has.
  expect(looks).toBeLessThanOrEqual(Math.ceil((1_001 * UNITS_PER_TURN) / 1_024) + 1);
});

test("what was claimed is gone through without a pause only for so long", () => {
  const claims = Array.from({ length: 10 }, (_, i) => storedOf(`claim${i}`, CONTENT_BYTES_MAX));
  const { schedule, time } = scene(claims);
  let looks = 0;
  for (let isMore = true; isMore; looks++) {
    const due = schedule.due();
    for (const unit of due.units) schedule.inOrder(unit, schedule.round);
    ({ isMore } = due);
    time.nowMs += 1;
    expect(looks).toBeLessThan(UNIT_STATES_MAX / 1_024);
  }
});

test("each unit of a long content comes once, those that this node looks after too; then all is quiet", () => {
  const { schedule, time } = scene([storedOf("long", 3_000 * 64 * 256 * 1_024), storedOf("other", 1)]);
  time.nowMs = 60_000;
  schedule.nudge("long");
  const seen: string[] = [];
  for (let isMore = true; isMore;) {
    const due = schedule.due();
    for (const unit of due.units) {
      seen.push(`${unit.stored.id}-${unit.from}`);
      schedule.inOrder(unit, schedule.round);
    }
    ({ isMore } = due);
  }
  expect([seen.length, new Set(seen).size, schedule.isNudged("long")]).toEqual([3_001, 3_001, false]);
  expect(schedule.due()).toEqual({ units: [], isMore: false });
  time.nowMs += VERIFY_EVERY_MS;
  expect(schedule.due().units.length).toBeGreaterThan(0);
});
