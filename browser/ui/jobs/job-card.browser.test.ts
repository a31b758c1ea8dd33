import { expect, test } from "vitest";
import type { JobState } from "../../../core/jobs/types.ts";
import type { JobFacts } from "../../../core/shell/jobs/facts.ts";
import { testNode } from "../../../test/fixtures/node-parts.ts";
import { JobCard } from "./job-card.ts";

test("a card of a verified job says who disagreed and what it waits for, as 'job ID' does", async () => {
  const { net, otter } = await testNode();
  const facts: JobFacts = {
    id: "00000000000000aa",
    title: "primes",
    by: net.self,
    owner: "self",
    isOwn: true,
    state: "running",
    total: 9,
    done: 3,
    running: 0,
    failed: 0,
    again: 0,
    copies: 0,
    elapsedMs: 1_000,
    ratePerSecond: undefined,
    remainingMs: undefined,
    nodes: [],
    failures: [],
  };
  const state: JobState = {
    id: facts.id,
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
    tasks: { total: 9, done: 3, running: 0, failed: 0 },
    nodes: new Map(),
    failures: [],
    named: [{ peer: otter, task: 7 }],
    lacking: { devices: 1, needed: 2 },
    outcome: undefined,
  };
  const card = new JobCard({ cancel: () => {}, open: () => {} });
  const trouble = card.element.querySelector<HTMLElement>(".trouble");
  card.update(facts, state, { net });
  expect(trouble?.textContent).toBe(
    "otter gave other answers than the others, to task 7 for one: none of its answers was taken. " +
      "It waits: 2 devices have to agree on each task, and only 1 is here",
  );
  expect(trouble?.classList.contains("failed")).toBe(true);
  card.update(facts, { ...state, named: [], lacking: undefined }, { net });
  expect(trouble?.hidden).toBe(true);
});
