/**
 * A replicated map under everything at once: nodes that come and go, gossip that is lost, doubled and late, cuts in two
 * and in five, clocks that are wrong by half a minute, by a year, and jump. A story that ends badly is made shorter and
 * told.
 */
import { describe, expect, test } from "vitest";
import {
  type Event,
  type Outcome,
  runStory,
  shrink,
  storyOf,
  type StoryOptions,
  tell,
} from "../../test/sim/map-story.ts";
import { isLong, seeds } from "../../test/sim/seeds.ts";

/** Runs that a failure may take until its story is short. */
const SHRINK_RUNS = 40;

async function expectGoodEnd(options: StoryOptions): Promise<Outcome> {
  const events = storyOf(options);
  const outcome = await runStory(events, options);
  if (outcome.faults.length === 0) return outcome;
  const endsBadly = async (story: readonly Event[]): Promise<boolean> =>
    (await runStory(story, options)).faults.length > 0;
  const short = await shrink(events, endsBadly, SHRINK_RUNS);
  const faults = outcome.faults.slice(0, 5).join("\n");
  throw new Error(`Seed ${options.seed}: ${faults}\n\nThe story in short:\n${tell(short)}`);
}

describe("under churn, cuts and wrong clocks all that was acknowledged is kept, and all become equal", () => {
  const few = isLong ? { machines: 30, minutes: 3 } : { machines: 16, minutes: 1.5 };
  test.each(seeds(1, 100))(`${few.machines} nodes, ${few.minutes} minutes (seed %i)`, async (seed) => {
    const options = { seed, ...few, medianSessionMs: 120_000, entries: 500, writesPerSecond: 20 };
    const { writes, acknowledgements, equalMs } = await expectGoodEnd(options);
    expect(writes).toBeGreaterThan(1_000);
    expect(acknowledgements).toBeGreaterThan(50);
    expect(equalMs).toBeLessThan(5_000);
  });

  const many = isLong ? { machines: 100, entries: 10_000 } : { machines: 24, entries: 3_000 };
  test.each(seeds(1, 200))(`${many.machines} nodes, ${many.entries} entries (seed %i)`, async (seed) => {
    const options = { seed, ...many, minutes: 1, medianSessionMs: 120_000, writesPerSecond: 8 };
    const { acknowledgements, equalMs } = await expectGoodEnd({ ...options, filled: true });
    expect(acknowledgements).toBeGreaterThan(20);
    expect(equalMs).toBeLessThan(5_000);
  });

  test("the same seed is the same story, event for event", async () => {
    const options = { seed: 11, machines: 8, minutes: 1.5, medianSessionMs: 60_000, entries: 50, writesPerSecond: 5 };
    const [once, again] = [await runStory(storyOf(options), options), await runStory(storyOf(options), options)];
    expect(again).toEqual(once);
  });
});

describe("the checkers", () => {
  test("notice a map that loses what it acknowledged, and the story is told in short", async () => {
    const options = { seed: 12, machines: 5, minutes: 1.5, medianSessionMs: 1e9, entries: 20, writesPerSecond: 4 };
    const sabotaged = { ...options, sabotage: true };
    const endsBadly = async (story: readonly Event[]): Promise<boolean> =>
      (await runStory(story, sabotaged)).faults.length > 0;
    const events = storyOf(options);
    expect(await endsBadly(events)).toBe(true);
    const short = await shrink(events, endsBadly, SHRINK_RUNS);
    expect(short.length).toBeLessThan(events.length / 4);
    expect((await runStory(events, options)).faults).toEqual([]);
  });
});
