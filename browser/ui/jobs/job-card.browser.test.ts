import { expect, test } from "vitest";
import type { JobFacts } from "../../../core/shell/jobs/facts.ts";
import { testNode } from "../../../test/fixtures/node-parts.ts";
import { verifiedJob } from "../../../test/fixtures/verified-job.ts";
import { JobCard } from "./job-card.ts";

test("a card of a verified job says who disagreed and what it waits for, as 'job ID' does", async () => {
  const { net, otter } = await testNode();
  const state = verifiedJob(net.self, otter);
  const facts: JobFacts = {
    id: state.id,
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
