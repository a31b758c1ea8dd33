/** Jobs whose results several devices have to agree on, among nodes that err or lie. */
import { describe, expect, test } from "vitest";
import { hostile, joiner, mirror } from "../../test/fixtures/wasm.ts";
import { JobLab } from "../../test/sim/job-lab.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { text, utf8 } from "../base/bytes.ts";
import { shortIdOf } from "../net/membership/rows.ts";
import { confirmationOf } from "./ending.ts";
import { writable } from "./entries.ts";
import { PROC_MAP_BYTES_MAX } from "./limits.ts";
import type { JobSpec } from "./spec.ts";

function job(count: number, more: Partial<JobSpec> = {}): JobSpec {
  return {
    title: "mirror",
    program: { kind: "bytes", module: { bytes: mirror() } },
    inputs: { from: "range", lo: 0, hi: count, count },
    combine: { how: "concat" },
    limits: { memoryBytesMax: 2 ** 20, timeMsMax: 60_000 },
    verify: { runs: 3, agree: 2 },
    ...more,
  };
}

function mirrored(count: number): string {
  return Array.from({ length: count }, (_, i) => text(utf8(`${i} ${i + 1}`).toReversed())).join("");
}

/** Lies in a third of all tasks, another third for each. */
function thirdOf(which: number): (input: string) => boolean {
  return (input) => (parseInt(input, 10) * 7 + which) % 3 === 0;
}

async function withLiars(seed: number): Promise<JobLab> {
  const lab = new JobLab({ seed });
  for (let i = 0; i < 7; i++) await lab.up(`n${i}`);
  for (let i = 0; i < 3; i++) await lab.up(`liar${i}`, { lies: thirdOf(i) });
  await lab.acquainted();
  return lab;
}

function named(lab: JobLab, id: string): string[] {
  return (lab.state(id)?.named.map(({ peer }) => peer) ?? []).toSorted();
}

function peers(lab: JobLab, names: readonly string[]): string[] {
  return names.map((name) => lab.node(name).net.self).toSorted();
}

describe("a job that is verified", () => {
  test.each(seeds(2, 100))("is right although three of ten lie, and names them (seed %i)", async (seed) => {
    const lab = await withLiars(seed);
    const id = await lab.submit(lab.node("n0"), job(120));
    const outcome = await lab.outcome(id);
    expect(outcome).toMatchObject({ is: "done", failed: 0 });
    for (const each of lab.nodes) expect(await lab.result(id, each)).toBe(mirrored(120));
    const liars = peers(lab, ["liar0", "liar1", "liar2"]);
    expect(named(lab, id)).toEqual(liars);
    // They are not drawn for the next job.
    const next = await lab.submit(lab.node("n1"), job(20));
    await lab.outcome(next);
    const did = lab.state(next)?.outcome;
    const by = did?.is === "done" ? (did.shares?.nodes.map(({ peer }) => peer) ?? []) : [];
    expect(by.filter((peer) => liars.includes(peer))).toEqual([]);
    expect(by.length).toBeGreaterThan(2);
    expect(named(lab, next)).toEqual([]);
  });

  test("makes one result of two where enough agree on each, although nodes come and go", async () => {
    const lab = new JobLab({ seed: 3 });
    for (let i = 0; i < 6; i++) await lab.up(`n${i}`, i === 5 ? { lies: thirdOf(0) } : {});
    await lab.acquainted();
    const program = { kind: "bytes", module: { bytes: joiner() } } as const;
    const id = await lab.submit(lab.node("n0"), job(60, { combine: { how: "reduce", program } }));
    await lab.world.runFor(1_000);
    lab.crash("n0");
    lab.crash("n1", { silent: true });
    await lab.up("late");
    expect(await lab.outcome(id, 240_000)).toMatchObject({ is: "done" });
    expect(await lab.result(id, lab.node("late"))).toBe(mirrored(60));
  });

  test("is refused where fewer devices are there than have to agree, and says so where they have left", async () => {
    const lab = new JobLab({ seed: 4 });
    const node = await lab.grow(2);
    const three = { verify: { runs: 3, agree: 3 } };
    await expect(lab.submit(node, job(10, three))).rejects.toMatchObject({
      code: "no-cores",
      message: "3 devices have to agree on each task, and only 2 run tasks now",
    });
    const id = await lab.submit(node, job(200));
    await lab.world.runFor(500);
    lab.crash("n1");
    await lab.world.runUntil(() => lab.state(id)?.lacking !== undefined, { withinMs: 20_000 });
    expect(lab.state(id)?.lacking).toEqual({ devices: 1, needed: 2 });
    await lab.up("late");
    await lab.acquainted();
    await lab.world.runUntil(() => lab.state(id)?.lacking === undefined, { withinMs: 20_000 });
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    expect(await lab.result(id)).toBe(mirrored(200));
  });

  test("takes no outcome that one member has made up", async () => {
    const lab = new JobLab({ seed: 5 });
    const node = await lab.grow(4);
    const id = await lab.submit(node, job(80));
    const [{ memory, net }, { net: other }] = [lab.node("n3"), lab.node("n2")];
    const map = await lab.world.settle(memory.map("proc", { isKept: true, bytesMax: PROC_MAP_BYTES_MAX }), {
      withinMs: 1_000,
    });
    const made = { result: { bytes: utf8("made up") }, by: net.self, finishedAtMs: Math.round(map.now()), failed: 0 };
    const lie = { is: "done", ...made } as const;
    const hash = confirmationOf((message) => lab.world.crypto.sha256(message), id, lie);
    // Its own statement, and one in another node's name with an invalid signature.
    for (const by of [net.self, other.self]) {
      const value = { by, hash, signature: net.sign("outcome of a job", hash) };
      map.set(`v/${id}/${shortIdOf(lab.world.crypto, by).toString(36)}`, value);
    }
    map.set(`r/${id}`, writable(lie));
    await lab.world.runFor(500);
    expect(lab.state(id)?.state).toBe("running");
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    expect(await lab.result(id)).toBe(mirrored(80));
  });

  test("fails where enough devices say that a task does", async () => {
    const lab = new JobLab({ seed: 6 });
    const node = await lab.grow(4);
    const id = await lab.submit(node, job(20, { program: { kind: "bytes", module: { bytes: hostile.trap() } } }));
    expect(await lab.outcome(id)).toMatchObject({ is: "failed", failure: { code: "wasm-trap" } });
  });
});
