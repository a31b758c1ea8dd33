import { expect, test } from "vitest";
import { testNode } from "../../../../test/fixtures/node-parts.ts";
import { verifiedJob } from "../../../../test/fixtures/verified-job.ts";
import type { JobState } from "../../../jobs/types.ts";
import { realClock } from "../../../platform/clock.ts";
import type { FactsParts } from "../../jobs/facts.ts";
import { swarmJobView } from "./job.ts";

test("the status of a verified job names who disagreed, and what it waits for", async () => {
  const { net, jobs, otter } = await testNode();
  const parts = { net, jobs, clock: realClock, memory: { now: () => 5_000 } } as unknown as FactsParts;
  const state = verifiedJob(net.self, otter);
  const textOf = async (now: JobState): Promise<string> => {
    const file = (await swarmJobView(now, parts).list()).get("status");
    return file?.kind === "file" && file.text !== undefined ? file.text() : "none";
  };
  expect(await textOf(state)).toContain(`\nNamed:\totter (${otter}) for task 7\nLacking:\t1 of 2 devices\n`);
  expect(await textOf({ ...state, named: [], lacking: undefined })).not.toMatch(/Named|Lacking/);
});
