/** The simulated adapters, held to the same contracts as the real ones. */
import { afterAll, beforeAll, describe } from "vitest";
import { ageContract } from "../../core/ports/age.contract.ts";
import { clockContract } from "../../core/ports/clock.contract.ts";
import { coderContract, type CoderHarness } from "../../core/ports/coder.contract.ts";
import { cryptoContract } from "../../core/ports/crypto.contract.ts";
import { networkContract } from "../../core/ports/network.contract.ts";
import { randomContract } from "../../core/ports/random.contract.ts";
import { sandboxContract } from "../../core/ports/sandbox.contract.ts";
import type { Sandbox } from "../../core/ports/sandbox.ts";
import { shardStoreContract } from "../../core/ports/shard-store.contract.ts";
import { sqlEngineContract, type SqlEngineHarness } from "../../core/ports/sql-engine.contract.ts";
import { storeContract } from "../../core/ports/store.contract.ts";
import { IdealAge } from "./age.ts";
import { IdealCrypto } from "./crypto.ts";
import { SeededRandom } from "./random.ts";
import { SimWorld } from "./world.ts";

clockContract("virtual", () => {
  const world = new SimWorld({ seed: 1 });
  const { clock } = world.spawn({ name: "a", kind: "node", skewMs: 5000 }).ports;
  return { clock, pass: (promise) => world.settle(promise, { withinMs: 600_000 }) };
});

randomContract("seeded", () => new SeededRandom("1"));

cryptoContract("ideal", () => new IdealCrypto("1"), { runs: 200 });

ageContract("ideal", () => new IdealAge("1", new IdealCrypto("1"), new SeededRandom("1")));

storeContract("simulated", async () => {
  const world = new SimWorld({ seed: 1 });
  const driver = world.drive();
  const node = world.spawn({ name: "a", kind: "node" });
  let opened = 0;
  return {
    open: async () => {
      // A store lives as long as its program: to open it again is to start again.
      if (opened++ > 0) {
        world.crash(node);
        world.restart(node);
      }
      return node.ports.store;
    },
    destroy: async () => driver[Symbol.asyncDispose](),
  };
});

shardStoreContract("simulated", async () => {
  const world = new SimWorld({ seed: 1 });
  const driver = world.drive();
  const node = world.spawn({ name: "a", kind: "node" });
  let opened = 0;
  return {
    open: async () => {
      if (opened++ > 0) {
        world.crash(node);
        world.restart(node);
      }
      return node.ports.shards;
    },
    tamper: async (id, change) => node.shardDisk.tamper(id, change),
    destroy: async () => driver[Symbol.asyncDispose](),
  };
});

describe("Sandbox", () => {
  const world = new SimWorld({ seed: 1 });
  let driver: AsyncDisposable;
  beforeAll(() => {
    driver = world.drive();
  });
  afterAll(async () => driver[Symbol.asyncDispose]());
  const sandbox = (): Sandbox => world.spawn({ name: "a", kind: "node" }).ports.sandbox;
  sandboxContract("simulated", sandbox, { threads: false });
});

describe("Coder", () => {
  const world = new SimWorld({ seed: 1 });
  let driver: AsyncDisposable;
  beforeAll(() => {
    driver = world.drive();
  });
  afterAll(async () => driver[Symbol.asyncDispose]());
  let made = 0;
  const create = (): CoderHarness => ({ coder: world.spawn({ name: `node-${made++}`, kind: "node" }).ports.coder });
  coderContract("simulated", create, { hasThreads: false });
});

describe("SqlEngine", () => {
  const world = new SimWorld({ seed: 1 });
  let driver: AsyncDisposable;
  beforeAll(() => {
    driver = world.drive();
  });
  afterAll(async () => driver[Symbol.asyncDispose]());
  let made = 0;
  const create = (): SqlEngineHarness => {
    const { sqlEngine, clock } = world.spawn({ name: `node-${made++}`, kind: "node" }).ports;
    return { engine: sqlEngine, clock };
  };
  sqlEngineContract("simulated", create, { hasThreads: false });
});

for (const [name, path] of [
  ["simulated", {}],
  ["simulated, with loss and jitter", { loss: 0.05, jitterMs: 200, latencyMs: 80 }],
] as const) {
  networkContract(name, async () => {
    const world = new SimWorld({ seed: 1, path });
    const driver = world.drive();
    let made = 0;
    return {
      clock: world.spawn({ name: "clock", kind: "node" }).ports.clock,
      node: async () => world.spawn({ name: `node-${made++}`, kind: "node" }).ports.network,
      tab: async () => world.spawn({ name: `tab-${made++}`, kind: "tab" }).ports.network,
      deadAddress: "sim:nobody",
      [Symbol.asyncDispose]: async () => driver[Symbol.asyncDispose](),
    };
  });
}
