/** What has been computed is not computed again, if its result may be believed. */
import { describe, expect, test } from "vitest";
import { mirror } from "../../test/fixtures/wasm.ts";
import { JobLab, type JobNode } from "../../test/sim/job-lab.ts";
import { text, toHex, utf8 } from "../base/bytes.ts";
import type { ReplicatedMap } from "../memory/types.ts";
import { shortIdOf } from "../net/membership/rows.ts";
import type { PeerId } from "../ports/network.ts";
import { LIMITS_DEFAULT } from "../sandbox/limits.ts";
import { PROC_MAP_BYTES_MAX, REMEMBERED_MS, WORK_HORIZON_MS, WORK_MAP_BYTES_MAX } from "./limits.ts";
import { Memo } from "./memo.ts";
import { LONG_TASK, longTaskStatement } from "./remembered.ts";
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

async function labOf(seed: number, taskMs = 1_000): Promise<JobLab> {
  const tasks = (): number => {
    begun++;
    return taskMs;
  };
  const lab = new JobLab({ seed, tasks });
  await lab.grow(4);
  return lab;
}

/** Submits a job and reads its result. Returns both, the time, and the number of tasks that were begun. */
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
    // Not remembered: a job that is verified more strictly, other work, and the same work after a day.
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

describe("a long task", () => {
  const TASK_MS = 1_500;

  async function workOf(lab: JobLab, node: JobNode): Promise<ReplicatedMap> {
    const options = { bytesMax: WORK_MAP_BYTES_MAX, horizonMs: WORK_HORIZON_MS };
    return lab.world.settle(node.memory.map("work", options), { withinMs: 1_000 });
  }

  /** Nodes that have run nothing yet, and know this many remembered entries. */
  async function newcomers(lab: JobLab, names: readonly string[], count: number): Promise<PeerId[]> {
    for (const name of names) await lab.up(name);
    await lab.acquainted();
    for (const name of names) {
      const work = await workOf(lab, lab.node(name));
      const isThere = (): boolean => work.count("t/") >= count;
      await lab.world.runUntil(isThere, { withinMs: 60_000, what: `${name} knows ${count} results` });
    }
    return names.map((name) => lab.node(name).net.self);
  }

  test("is remembered for who asks for it, and for whom as many have said so as have to agree", async () => {
    const lab = await labOf(3, TASK_MS);
    await timed(lab, lab.node("n0"), job(12));
    const on = await newcomers(lab, ["late"], 12);
    const other = { combine: { how: "none" }, on } as const;
    const again = await timed(lab, lab.node("late"), job(12, { ...other, reuse: true }));
    expect(again).toMatchObject({ result: mirrored(12), ran: 0 });
    expect((await timed(lab, lab.node("late"), job(12, other))).ran).toBe(12);

    // At least two of them have run each task, and say so once they agree.
    expect((await timed(lab, lab.node("n0"), job(20, VERIFY))).result).toBe(mirrored(20));
    const two = { combine: { how: "none" }, on: await newcomers(lab, ["later", "last"], 20) } as const;
    const work = await workOf(lab, lab.node("last"));
    const isSaid = (): boolean => {
      const said = new Map<string, number>();
      for (const { key } of work.entries("t/")) said.set(key.slice(0, 66), (said.get(key.slice(0, 66)) ?? 0) + 1);
      return said.size === 20 && [...said.values()].every((count) => count >= 2);
    };
    await lab.world.runUntil(isSaid, { withinMs: 60_000, what: "two have said each" });
    const third = await timed(lab, lab.node("last"), job(20, { ...two, verify: { runs: 2, agree: 2 } }));
    expect(third).toMatchObject({ result: mirrored(20), ran: 0 });
  });

  test("that a member has made up is not believed unasked, nor where others have to agree", async () => {
    const lab = await labOf(4, TASK_MS);
    const { crypto } = lab.world;
    const [liar, named] = [lab.node("n2"), lab.node("n3")];
    const work = await workOf(lab, liar);
    const module = toHex(crypto.sha256(mirror()));
    const what = {
      module,
      program: { kind: "bytes" },
      memoryBytesMax: 2 ** 20,
      fuelMax: LIMITS_DEFAULT.fuelMax,
    } as const;
    const key = new Memo(crypto).keyOf(what, utf8("0 1")) ?? "";
    const made = { output: utf8("made up"), fuelUsed: 7 };
    const signature = liar.net.sign(LONG_TASK, longTaskStatement(key, made));
    // Its own statement, and one in another node's name, which it can't sign.
    for (const by of [liar.net.self, named.net.self]) {
      work.set(`t/${key}/${shortIdOf(crypto, by).toString(36)}`, { by, ...made, signature });
    }
    const on = await newcomers(lab, ["a", "b"], 2);
    const asker = lab.node("a");
    const two = { verify: { runs: 2, agree: 2 } } as const;
    const reused = await timed(lab, asker, job(3, { on, reuse: true }));
    expect(reused.result).toBe(`made up${mirrored(3).slice(mirrored(1).length)}`);
    expect((await timed(lab, asker, job(3, { on, ...two }))).result).toBe(mirrored(3));
    expect((await timed(lab, asker, job(3, { on }))).result).toBe(mirrored(3));
  });

  test("on which as many agree as have to is run nevertheless where another says otherwise", async () => {
    const lab = await labOf(5, TASK_MS);
    const { crypto } = lab.world;
    const module = toHex(crypto.sha256(mirror()));
    const limits = { memoryBytesMax: 2 ** 20, fuelMax: LIMITS_DEFAULT.fuelMax } as const;
    const key = new Memo(crypto).keyOf({ module, program: { kind: "bytes" }, ...limits }, utf8("0 1")) ?? "";
    for (const name of ["n1", "n2", "n3"]) {
      const node = lab.node(name);
      const made = { output: utf8(name === "n3" ? "1 0" : "made up"), fuelUsed: 7 };
      const signature = node.net.sign(LONG_TASK, longTaskStatement(key, made));
      const by = node.net.self;
      const path = `t/${key}/${shortIdOf(crypto, by).toString(36)}`;
      (await workOf(lab, node)).set(path, { by, ...made, signature });
    }
    const on = await newcomers(lab, ["a", "b"], 3);
    const two = { verify: { runs: 2, agree: 2 } } as const;
    expect((await timed(lab, lab.node("a"), job(3, { on, ...two }))).result).toBe(mirrored(3));
  });
});
