/** Modules of a node in virtual time: each is compiled once, in a worker, and a bad one is not looked at again. */
import { expect, test } from "vitest";
import { mirror } from "../../test/fixtures/wasm.ts";
import { SimWorld } from "../../test/sim/world.ts";
import { utf8 } from "../base/bytes.ts";
import type { StarfishError } from "../base/errors.ts";
import type { CompileOutcome, Sandbox } from "../ports/sandbox.ts";
import { COMPILE_MS_MAX, MEMORY_BYTES_MAX, MODULE_FAILURES_MAX, MODULE_RETRY_MS, WORKER_IDLE_MS } from "./limits.ts";
import { Modules } from "./modules.ts";

class Bench {
  readonly world = new SimWorld({ seed: 1 });
  readonly node = this.world.spawn({ name: "a", kind: "node", cores: 2 });
  /** Bytes that were compiled, in this order. */
  readonly compiled: Uint8Array[] = [];
  workers = 0;
  /** What a worker says instead of compiling; never anything while `stuck`. */
  instead: CompileOutcome | "stuck" | undefined;

  readonly #sandbox: Sandbox = {
    cores: 2,
    spawn: async () => {
      const worker = await this.node.ports.sandbox.spawn();
      this.workers++;
      return {
        run: (tasks, ran) => worker.run(tasks, ran),
        compile: (bytes, memoryBytesMax) => {
          this.compiled.push(bytes);
          if (this.instead === "stuck") return new Promise(() => {});
          return this.instead === undefined ? worker.compile(bytes, memoryBytesMax) : Promise.resolve(this.instead);
        },
        terminate: () => {
          this.workers--;
          worker.terminate();
        },
      };
    },
  };
  readonly modules = new Modules(this.#sandbox, this.node.ports.clock);

  /** Adds a module that is named by its text. */
  add(name: string, bytes: Uint8Array = utf8(name), own = false): Promise<string> {
    return this.modules.add(name, bytes, MEMORY_BYTES_MAX, own).then(
      ({ id }) => id,
      (error: StarfishError) => error.code,
    );
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.world.settle(promise, { withinMs: 2 * COMPILE_MS_MAX });
  }
}

test("a good module is compiled once, however many ask for it at once", async () => {
  const bench = new Bench();
  const ids = await bench.settle(Promise.all([1, 2, 3].map(() => bench.add("mirror", mirror()))));
  expect(new Set(ids).size).toBe(1);
  expect(bench.compiled).toHaveLength(1);
  expect(bench.workers).toBe(1);
  await bench.world.runFor(WORKER_IDLE_MS + 1);
  expect(bench.workers).toBe(0);
});

test("a bad module is checked once, however often it comes", async () => {
  const bench = new Bench();
  for (let i = 0; i < 5; i++) expect(await bench.settle(bench.add("bad"))).toBe("not-wasm");
  await expect(bench.modules.find("bad", MEMORY_BYTES_MAX)).rejects.toMatchObject({ code: "not-wasm" });
  expect(bench.compiled).toHaveLength(1);
});

test("a bounded number of bad ones is remembered", async () => {
  const bench = new Bench();
  for (let i = 0; i <= MODULE_FAILURES_MAX; i++) await bench.settle(bench.add(`bad ${i}`));
  await bench.settle(bench.add(`bad ${MODULE_FAILURES_MAX}`));
  expect(bench.compiled).toHaveLength(MODULE_FAILURES_MAX + 1);
  await bench.settle(bench.add("bad 0"));
  expect(bench.compiled).toHaveLength(MODULE_FAILURES_MAX + 2);
});

test("one that takes too long costs its worker the life, holds up nobody, and is tried again later", async () => {
  const bench = new Bench();
  bench.instead = "stuck";
  const stuck = bench.add("stuck", mirror());
  await bench.world.runFor(1_000);
  bench.instead = undefined;
  const next = bench.add("mirror", mirror());
  expect(await bench.settle(stuck)).toBe("timeout");
  expect(await bench.settle(next)).toMatch(/^mirror/);
  expect(await bench.settle(bench.add("stuck", mirror()))).toBe("timeout");
  await bench.world.runFor(MODULE_RETRY_MS);
  expect(await bench.settle(bench.add("stuck", mirror()))).toMatch(/^stuck/);
});

test("a worker that dies is no fault of the module", async () => {
  const bench = new Bench();
  bench.instead = { ok: false, code: "closed", message: "It died" };
  expect(await bench.settle(bench.add("mirror", mirror()))).toBe("closed");
  expect(bench.workers).toBe(0);
  bench.instead = undefined;
  expect(await bench.settle(bench.add("mirror", mirror()))).toMatch(/^mirror/);
});

test("the node's own go first, and closing ends what waits", async () => {
  const bench = new Bench();
  const theirs = ["t1", "t2", "t3"].map((name) => bench.add(name));
  const own = bench.add("own", utf8("own"), true);
  await bench.settle(Promise.all([...theirs, own]));
  expect(bench.compiled.map((bytes) => new TextDecoder().decode(bytes))).toEqual(["t1", "own", "t2", "t3"]);
  bench.instead = "stuck";
  const waiting = [bench.add("w1"), bench.add("w2")];
  await bench.world.runFor(100);
  bench.modules.close();
  expect(await bench.settle(Promise.all(waiting))).toEqual(["closed", "closed"]);
  expect(bench.workers).toBe(0);
});
