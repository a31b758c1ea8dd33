import { expect, test } from "vitest";
import { testNode } from "../../../../test/fixtures/node-parts.ts";
import type { JobState } from "../../../jobs/types.ts";
import { realClock } from "../../../platform/clock.ts";
import type { FactsParts } from "../../jobs/facts.ts";
import { swarmJobView } from "./job.ts";

test("the status of a verified job names who disagreed, and what it waits for", async () => {
  const { net, jobs, otter } = await testNode();
  const parts = { net, jobs, clock: realClock, memory: { now: () => 5_000 } } as unknown as FactsParts;
  const state: JobState = {
    id: "00000000000000aa",
    spec: {
      title: "primes",
      program: { kind: "bytes", module: { bytes: new Uint8Array(8) } },
      inputs: { from: "range", lo: 0, hi: 9, count: 9 },
      combine: { how: "sum" },
      limits: { memoryBytesMax: 65_536, timeMsMax: 1_000 },
      verify: { runs: 3, agree: 2 },
    },
    by: net.self,
    submittedAtMs: 0,
    state: "running",
    tasks: { total: 9, done: 3, running: 1, failed: 0 },
    nodes: new Map(),
    failures: [],
    named: [{ peer: otter, task: 7 }],
    lacking: { devices: 1, needed: 2 },
    outcome: undefined,
  };
  const textOf = async (now: JobState): Promise<string> => {
    const file = (await swarmJobView(now, parts).list()).get("status");
    return file?.kind === "file" && file.text !== undefined ? file.text() : "none";
  };
  expect(await textOf(state)).toContain(`\nNamed:\totter (${otter}) for task 7\nLacking:\t1 of 2 devices\n`);
  expect(await textOf({ ...state, named: [], lacking: undefined })).not.toMatch(/Named|Lacking/);
});
