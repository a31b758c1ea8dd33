/** What one member can make another do: no more than its bounds, and nothing that is malformed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mirror, reactor } from "../../test/fixtures/wasm.ts";
import { Swarm } from "../../test/sim/nets.ts";
import { toHex, utf8 } from "../base/bytes.ts";
import { isStarfishError, type StarfishError } from "../base/errors.ts";
import type { Net } from "../net/types.ts";
// Loaded with the first map; virtual time does not wait for imports.
import "./borrower.ts";
import "./dispatcher.ts";
import { createCpu } from "./cpu.ts";
import { PAYLOAD_BYTES_MAX } from "../sandbox/limits.ts";
import { BLOB_BYTES_PER_ASKER_MAX, TASKS_PER_ASKER_MAX } from "./limits.ts";
import { CPU_PROTOCOL, getReply, putReply, type RunReply, type RunRequest, runReply } from "./protocol.ts";
import type { Cpu } from "./types.ts";

const MODULE = mirror();

interface Pair {
  readonly swarm: Swarm;
  readonly asker: Net;
  readonly lender: Net;
  readonly cpu: Cpu;
  readonly sha256: string;
}

/** One node that lends two cores, and one that asks it by hand. */
async function pair(tasks: () => number = () => 1_000): Promise<Pair> {
  const swarm = new Swarm(1, { tasks });
  const lender = await swarm.up("lender");
  const { ports } = swarm.world.node("lender");
  const cpu = createCpu({ coresLent: 2 })({ ...ports, net: lender });
  const asker = await swarm.up("asker", { invite: lender.invite() });
  await swarm.agreement(10_000);
  return { swarm, asker, lender, cpu, sha256: toHex(ports.crypto.sha256(MODULE)) };
}

function run({ asker, lender, sha256 }: Pair, more: Partial<RunRequest> = {}, signal?: AbortSignal): Promise<RunReply> {
  const request: RunRequest = {
    op: "run",
    job: "j",
    module: sha256,
    memoryBytesMax: 2 ** 26,
    fuelMax: 1_000_000_000,
    timeMsMax: 60_000,
    input: { bytes: utf8("ab") },
    ...more,
  };
  return asker.request(lender.self, CPU_PROTOCOL, request, runReply, { timeoutMs: 600_000, signal });
}

function put(
  { asker, lender }: Pair,
  piece: { blob: string; size: number; at: number; bytes: Uint8Array },
): Promise<null> {
  return asker.request(lender.self, CPU_PROTOCOL, { op: "put", ...piece }, putReply, { timeoutMs: 60_000 });
}

function putModule(to: Pair): Promise<null> {
  return put(to, { blob: to.sha256, size: MODULE.length, at: 0, bytes: MODULE });
}

describe("a lender", () => {
  test("asks for what it lacks, and knows it the next time", async () => {
    const it = await pair();
    const { swarm, sha256 } = it;
    expect(await swarm.settle(run(it))).toEqual({ is: "need", blobs: [sha256] });
    await swarm.settle(putModule(it));
    expect(await swarm.settle(run(it))).toMatchObject({ is: "done", output: { bytes: utf8("ba") } });
    expect(await swarm.settle(run(it, { input: { blob: "j/1", size: 3 } }))).toEqual({ is: "need", blobs: ["j/1"] });
  });

  test("tells all members that it is busy, and not of each moment between two tasks", async () => {
    const it = await pair();
    const { swarm, asker, lender } = it;
    await swarm.settle(putModule(it));
    const told: number[] = [];
    asker.onMember(({ member: { record } }) => {
      if (record.peer === lender.self && record.coresBusy !== told.at(-1)) told.push(record.coresBusy);
    });
    for (let i = 0; i < 10; i++) await swarm.settle(run(it));
    await swarm.world.runFor(10_000);
    expect(told).toEqual([1, 0]);
  });

  test("takes no module under another's name", async () => {
    const it = await pair();
    const sha256 = "ab".repeat(32);
    await it.swarm.settle(put(it, { blob: sha256, size: MODULE.length, at: 0, bytes: MODULE }));
    expect(await it.swarm.failure(run(it, { module: sha256 }))).toMatchObject({ code: "malformed" });
  });

  test("says what is wrong with a module, does not keep it, and does not look at it again", async () => {
    const it = await pair();
    const bytes = utf8("not a module");
    const module = toHex(it.swarm.world.node("lender").ports.crypto.sha256(bytes));
    expect(await it.swarm.settle(run(it, { module }))).toEqual({ is: "need", blobs: [module] });
    await it.swarm.settle(put(it, { blob: module, size: bytes.length, at: 0, bytes }));
    for (let i = 0; i < 3; i++) {
      expect(await it.swarm.settle(run(it, { module }))).toMatchObject({ is: "failed", code: "not-wasm" });
    }
  });

  test("compiles one module of an asker at a time", async () => {
    const it = await pair();
    const { crypto } = it.swarm.world.node("lender").ports;
    const modules = [mirror(), reactor("_initialize")];
    const names = modules.map((bytes) => toHex(crypto.sha256(bytes)));
    for (const [i, bytes] of modules.entries()) {
      await it.swarm.settle(put(it, { blob: names[i] ?? "", size: bytes.length, at: 0, bytes }));
    }
    const asked = names.map((module) => run(it, { module }));
    expect(await it.swarm.failure(asked[1] ?? it.swarm.settle(run(it)))).toMatchObject({ code: "busy" });
    expect(await it.swarm.settle(asked[0] ?? run(it))).toMatchObject({ is: "done" });
    expect(await it.swarm.settle(run(it, { module: names[1] ?? "" }))).toMatchObject({ is: "done" });
  });

  test("runs as many tasks as it lends cores, queues a bounded number, and is busy for more", async () => {
    const it = await pair();
    await it.swarm.settle(putModule(it));
    await it.swarm.settle(run(it));
    const codes: string[] = [];
    for (let i = 0; i < TASKS_PER_ASKER_MAX + 5; i++) {
      run(it).then(
        (reply) => codes.push(reply.is),
        (error: StarfishError) => codes.push(error.code),
      );
    }
    await it.swarm.world.runUntil(() => codes.filter((code) => code === "busy").length === 5, { withinMs: 2_000 });
    expect(it.cpu.running().length).toBe(2);
    await it.swarm.world.runUntil(() => codes.length === TASKS_PER_ASKER_MAX + 5, { withinMs: 60_000 });
    expect(codes.filter((code) => code === "done").length).toBe(TASKS_PER_ASKER_MAX);
  });

  test("stops what its asker no longer wants", async () => {
    const it = await pair(() => 600_000);
    await it.swarm.settle(putModule(it));
    const controller = new AbortController();
    const asked = run(it, {}, controller.signal);
    asked.catch(() => {});
    await it.swarm.world.runUntil(() => it.cpu.running().length === 1, { withinMs: 1_000 });
    controller.abort();
    expect(await it.swarm.failure(asked)).toMatchObject({ code: "cancelled" });
    await it.swarm.world.runUntil(() => it.cpu.running().length === 0, { withinMs: 1_000 });
  });

  test("stops what it runs for a node that dies", async () => {
    const it = await pair(() => 600_000);
    await it.swarm.settle(putModule(it));
    run(it).catch(() => {});
    await it.swarm.world.runUntil(() => it.cpu.running().length === 1, { withinMs: 1_000 });
    it.swarm.world.crash("asker");
    await it.swarm.world.runUntil(() => it.cpu.running().length === 0, { withinMs: 10_000 });
  });

  test("holds a bounded number of bytes, and forgets what nobody wants", async () => {
    const it = await pair();
    const size = PAYLOAD_BYTES_MAX;
    const begin = (blob: string): Promise<null> => put(it, { blob, size, at: 0, bytes: utf8("x") });
    const room = Math.floor(BLOB_BYTES_PER_ASKER_MAX / size);
    for (let i = 0; i < room; i++) await it.swarm.settle(begin(`j/${i}`));
    expect(await it.swarm.failure(begin("j/more"))).toMatchObject({ code: "busy" });
    // The same name again replaces it.
    await it.swarm.settle(begin("j/0"));
    await it.swarm.world.runFor(130_000);
    for (let i = 0; i < room; i++) await it.swarm.settle(begin(`k/${i}`));
  });

  test("takes pieces only in order and in bounds", async () => {
    const it = await pair();
    await it.swarm.settle(put(it, { blob: "j/0", size: 4, at: 0, bytes: utf8("ab") }));
    for (const [at, bytes] of [
      [0, "abcde"],
      [3, "d"],
      [2, "cde"],
    ] as const) {
      expect(await it.swarm.failure(put(it, { blob: "j/0", size: 4, at, bytes: utf8(bytes) }))).toMatchObject({
        code: "malformed",
      });
      if (at === 0) await it.swarm.settle(put(it, { blob: "j/0", size: 4, at: 0, bytes: utf8("ab") }));
    }
    const get = it.asker.request(it.lender.self, CPU_PROTOCOL, { op: "get", blob: "j/0", at: 0 }, getReply);
    expect(await it.swarm.failure(get)).toMatchObject({ code: "not-found" });
  });

  test("lends nothing when it lends nothing", async () => {
    const it = await pair();
    it.cpu.lend(0);
    expect(await it.swarm.failure(run(it))).toMatchObject({ code: "no-cores" });
    expect(await it.swarm.failure(putModule(it))).toMatchObject({ code: "no-cores" });
  });

  test("answers nonsense with an error, whatever it is", async () => {
    const value = fc.oneof(
      fc.anything(),
      fc.record({ op: fc.constantFrom("run", "put", "get"), blob: fc.string(), at: fc.integer() }),
    );
    const samples = fc.sample(value, { numRuns: 15, seed: 1 });
    const it = await pair();
    for (const nonsense of samples) {
      const failure = await it.swarm.settle(
        (async () => it.asker.request(it.lender.self, CPU_PROTOCOL, nonsense, putReply))().then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      expect(failure).toBeInstanceOf(Error);
    }
    await it.swarm.settle(putModule(it)).catch((error: unknown) => {
      // So much nonsense may have cost the asker its link, which is right.
      if (!isStarfishError(error)) throw error;
    });
  });
});
