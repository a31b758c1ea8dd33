/** What has been computed is not computed again, where its result may be believed. */
import { describe, expect, test } from "vitest";
import { mirror } from "../../test/fixtures/wasm.ts";
import { JobLab, type JobNode } from "../../test/sim/job-lab.ts";
import { text, utf8 } from "../base/bytes.ts";
import { PROC_MAP_BYTES_MAX, REMEMBERED_MS } from "./limits.ts";
import type { JobSpec } from "./spec.ts";

const VERIFY = { verify: { runs: 3, agree: 2 } } as const;

function job(count: number, more: Partial<JobSpec> = {}): JobSpec {
  return {
    title: "mirror",
    program: { kind: "bytes", module: { bytes: mirror() } },
    inputs: { from: "range", lo: 0, hi: count, count },
    combine: { how: "concat" },
    limits: { memoryBytesMax: 2 ** 20, timeMsMax: 60_000 },
    ...more,
  };
}

function mirrored(count: number): string {
  return Array.from({ length: count }, (_, i) => text(utf8(`${i} ${i + 1}`).toReversed())).join("");
}

let begun = 0;

async function labOf(seed: number): Promise<JobLab> {
  const tasks = (): number => {
    begun++;
    return 1_000;
  };
  const lab = new JobLab({ seed, tasks });
  await lab.grow(4);
  return lab;
}

/** Submits it and reads the result; gives both, and how long it took and how many tasks were begun. */
async function timed(
  lab: JobLab,
  node: JobNode,
  spec: JobSpec,
): Promise<{ result: string; tookMs: number; ran: number }> {
  begun = 0;
  const beganMs = lab.world.nowMs;
  const id = await lab.submit(node, spec);
  await lab.outcome(id);
  const result = await lab.result(id, node);
  return { result, tookMs: Math.max(1, lab.world.nowMs - beganMs), ran: begun };
}

describe("the same job again", () => {
  test("is given at once from another node, where it was verified or memory is asked for; else it is run", async () => {
    const lab = await labOf(1);
    const first = await timed(lab, lab.node("n0"), job(40, VERIFY));
    expect(first.result).toBe(mirrored(40));
    const later = lab.node("n3");
    for (const more of [VERIFY, { reuse: true }]) {
      const again = await timed(lab, later, job(40, { title: "the same", ...more }));
      expect(again).toMatchObject({ result: mirrored(40), ran: 0 });
      expect(first.tookMs / again.tookMs).toBeGreaterThan(20);
    }
    // Stricter than it was, other work, and after a day.
    expect((await timed(lab, later, job(40, { verify: { runs: 3, agree: 3 } }))).ran).toBeGreaterThan(0);
    expect((await timed(lab, later, job(41, { reuse: true }))).ran).toBeGreaterThan(0);
    expect(lab.node("n2").jobs.list()).toHaveLength(3);
    expect(REMEMBERED_MS).toBe(24 * 3_600_000);
  });

  test("is not believed of a member that has made it up, unless it is asked for", async () => {
    const lab = await labOf(2);
    const { memory, net } = lab.node("n2");
    const opening = memory.map("proc", { isKept: true, bytesMax: PROC_MAP_BYTES_MAX });
    const map = await lab.world.settle(opening, { withinMs: 1_000 });
    const made = (id: string, more: Partial<JobSpec>): void => {
      const atMs = Math.round(map.now());
      const result = { bytes: utf8("made up") };
      map.set(`j/${id}`, { by: net.self, atMs, spec: job(8, more) });
      map.set(`r/${id}`, { is: "done", result, by: net.self, finishedAtMs: atMs, failed: 0 });
    };
    made("00000000000000aa", {});
    made("00000000000000bb", VERIFY);
    const asker = lab.node("n1");
    const isKnown = (): boolean => asker.jobs.state("00000000000000aa")?.state === "done";
    await lab.world.runUntil(isKnown, { withinMs: 10_000 });
    expect((await timed(lab, asker, job(8))).result).toBe(mirrored(8));
    expect((await timed(lab, asker, job(8, VERIFY))).result).toBe(mirrored(8));
    made("00000000000000cc", {});
    await lab.world.runFor(1_000);
    expect((await timed(lab, asker, job(8, { reuse: true }))).result).toBe("made up");
  });
});
