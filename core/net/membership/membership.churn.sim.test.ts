/**
 * Membership under churn, loss and cuts: what each node believes is compared with the truth, all the time.
 *
 * A few seeds of a middling swarm run with every `npm test`; with LONG=1 hundreds of seeds, and a swarm of 200 for ten
 * minutes of virtual time, as docs/scaling.md says. Each failure names its seed, and SEED=7 repeats it.
 */
import { describe, expect, test } from "vitest";
import { Churn } from "../../../test/sim/churn.ts";
import { type CheckReport, CrowdChecker } from "../../../test/sim/crowd-check.ts";
import { Crowd } from "../../../test/sim/crowd.ts";
import { isLong, longSeeds, seeds } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";

interface Run {
  readonly seed: number;
  readonly size: number;
  readonly minutes: number;
  /** Half of all machines have their timers throttled to one a second. */
  readonly isThrottled?: boolean;
  readonly hasCuts?: boolean;
}

const LIMITS = { changeMs: 10_000, healMs: 5_000, falseDeathMs: 2_000 };

/** Lines of cuts, by the number in a machine's name: every fourth is a Node.js node. */
const LINES: readonly ((name: string) => number)[] = [
  (name) => numberOf(name) % 2,
  (name) => (numberOf(name) >> 3) % 2,
  (name) => (numberOf(name) % 4 === 0 ? 0 : 1),
];

function numberOf(name: string): number {
  return Number(name.slice(1));
}

async function run({
  seed,
  size,
  minutes,
  isThrottled,
  hasCuts,
}: Run): Promise<CheckReport & { readonly trace: string }> {
  const world = new SimWorld({ seed, path: { loss: 0.02 } });
  const crowd = new Crowd(world);
  const checker = new CrowdChecker(crowd, LIMITS);
  const throttled = (index: number): boolean => isThrottled === true && index % 2 === 1;
  const churn = new Churn(crowd, { medianSessionMs: 300_000, pauseMs: 5_000, returning: 0.5, throttled });
  await churn.grow(size, 100);
  await world.runFor(20_000);
  const endMs = minutes * 60_000;
  const lastCutMs = hasCuts === true ? endMs - 90_000 : 0;
  for (let i = 0; world.nowMs < lastCutMs; i++) {
    crowd.cut(LINES[i % LINES.length] ?? (() => 0));
    checker.cut();
    await world.runFor(30_000);
    crowd.heal();
    checker.heal();
    await world.runFor(45_000);
  }
  await world.runFor(Math.max(0, endMs - world.nowMs));
  return { ...checker.stop(), trace: world.traceHash() };
}

describe("under churn, membership is right within 10 s of each change and 5 s of a heal", () => {
  const size = isLong ? 40 : 24;
  test.each(seeds(1, 200))(`${size} members, 2% loss, cuts along three lines (seed %i)`, async (seed) => {
    const { errors } = await run({ seed, size, minutes: 5, hasCuts: true });
    expect(errors).toEqual([]);
  });

  test.each(seeds(1, 100))(
    "with the timers of half of them throttled, nobody is dead for longer than 2 s (seed %i)",
    async (seed) => {
      const { errors } = await run({ seed, size, minutes: 4, isThrottled: true });
      expect(errors).toEqual([]);
    },
  );

  test.each(longSeeds(5))("200 members for ten minutes (seed %i)", { timeout: 3_600_000 }, async (seed) => {
    const { errors, longestMs } = await run({ seed, size: 200, minutes: 10, hasCuts: true });
    console.log(`seed ${seed}: longest errors in ms ${JSON.stringify(longestMs)}`);
    expect(errors).toEqual([]);
  });
});

test("the same seed gives the same run, event for event, and another seed another", async () => {
  const options = { size: 12, minutes: 1.5, hasCuts: true };
  const first = await run({ seed: 1, ...options });
  expect((await run({ seed: 1, ...options })).trace).toBe(first.trace);
  expect((await run({ seed: 2, ...options })).trace).not.toBe(first.trace);
});
