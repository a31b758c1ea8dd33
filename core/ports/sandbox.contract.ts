/**
 * What every adapter of the port Sandbox must do, also with hostile modules. The suite uses workers as the pool does:
 * it prepares the bytes first, and ends from outside a worker that does not answer.
 */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { text, toHex, utf8 } from "../base/bytes.ts";
import {
  callOnce,
  command,
  complains,
  eatsMemory,
  IN_MEMORY,
  opens,
  passesOn,
  prints,
  recurses,
  sleeps,
  traps,
  writes,
  writesForEver,
} from "../../test/fixtures/programs.ts";
import { hostile, i32, mirror, reactor, string, wasm } from "../../test/fixtures/wasm.ts";
import type { ProgramKind, Sandbox, SandboxOutcome, SandboxRun, SandboxTasks, SandboxWorker } from "./sandbox.ts";
import { runOne } from "../../test/fixtures/run-one.ts";

export interface SandboxContractOptions {
  /** Whether endless code can be run (the simulator, with its one thread, can't). */
  readonly threads: boolean;
}

const MEMORY_BYTES_MAX = 4 * 1024 * 1024;
/** Much more fuel than any task here uses that ends. */
const FUEL_MAX = 100_000_000;

function importing(from: string, name: string): Uint8Array {
  return command({ imports: [{ from, name, takes: [] }], body: [] });
}

function importingMemory(): Uint8Array {
  return wasm({ extra: [[2, [1, ...string("wasi_snapshot_preview1"), ...string("memory"), 2, 0, 1]]] });
}

export function sandboxContract(name: string, make: () => Sandbox, options: SandboxContractOptions): void {
  describe(`${name}: the contract of Sandbox`, () => {
    let sandbox: Sandbox;
    const workers: SandboxWorker[] = [];

    async function spawn(): Promise<SandboxWorker> {
      const worker = await sandbox.spawn();
      workers.push(worker);
      return worker;
    }
    async function compiled(id: string, bytes: Uint8Array, kind?: ProgramKind): Promise<Omit<SandboxTasks, "inputs">> {
      const outcome = await (await spawn()).compile(bytes, MEMORY_BYTES_MAX, kind);
      if (!outcome.ok) throw new Error(outcome.message);
      return { moduleId: id, module: outcome.module, fuelMax: FUEL_MAX };
    }
    async function runOnce(bytes: Uint8Array, input: Uint8Array = utf8("x")): Promise<SandboxOutcome> {
      const worker = await spawn();
      return runOne(worker, { ...(await compiled("one", bytes)), input });
    }

    beforeAll(() => {
      sandbox = make();
    });
    afterEach(() => {
      for (const worker of workers.splice(0)) worker.terminate();
    });

    test("has a core at least", () => {
      expect(sandbox.cores).toBeGreaterThanOrEqual(1);
    });

    test("bytes go in and come out, empty ones too", async () => {
      const worker = await spawn();
      const module = await compiled("mirror", mirror());
      for (const input of [utf8("stressed"), utf8(""), new Uint8Array(300_000).fill(7)]) {
        const outcome = await runOne(worker, { ...module, input });
        expect(outcome).toMatchObject({ ok: true, output: input.slice().reverse() });
      }
    });

    test("each task has a fresh instance, and modules may alternate", async () => {
      const worker = await spawn();
      const one = await compiled("counter", hostile.counter());
      const two = await compiled("mirror", mirror());
      for (let i = 0; i < 3; i++) {
        expect(await runOne(worker, { ...one, input: utf8("x") })).toMatchObject({
          ok: true,
          output: Uint8Array.of(1),
        });
        const outcome = await runOne(worker, { ...two, input: utf8("ab") });
        expect(outcome.ok && text(outcome.output)).toBe("ba");
      }
    });

    test.each([
      ["are no module", utf8("GIF89a"), "not-wasm"],
      ["the engine does not take", wasm({ run: i32(0) }), "not-wasm"],
      ["want more memory than there is", wasm({ memory: [0, 0x80, 0x01] }), "out-of-memory"],
      ["reserve much of the engine's memory", hostile.manyTables(), "too-large"],
    ])("bytes that %s are refused, and the worker lives", async (_what, bytes, code) => {
      const worker = await spawn();
      expect(await worker.compile(bytes, MEMORY_BYTES_MAX)).toMatchObject({ ok: false, code });
      expect(await worker.compile(mirror(), MEMORY_BYTES_MAX)).toMatchObject({ ok: true });
    });

    test("several tasks in one message have a fresh instance and an outcome each, in order", async () => {
      const worker = await spawn();
      const runs: SandboxRun[] = [];
      const ran = (some: readonly SandboxRun[]): void => void runs.push(...some);
      const one = await compiled("counter", hostile.counter());
      await worker.run({ ...one, inputs: [utf8("a"), utf8(""), utf8("c")] }, ran);
      expect(runs.map(({ outcome }) => outcome.ok && outcome.output)).toEqual([1, 1, 1].map((n) => Uint8Array.of(n)));
      const two = await compiled("mirror", mirror());
      const inputs = ["ab", "", "cde"].map(utf8);
      await worker.run({ ...two, inputs }, ran);
      expect(runs.slice(3).map(({ outcome }) => outcome.ok && text(outcome.output))).toEqual(["ba", "", "edc"]);
      const fuels = runs.slice(3).map(({ outcome }) => outcome.ok && outcome.fuelUsed);
      const alone = await Promise.all(inputs.map(async (input) => await runOnce(mirror(), input)));
      expect(fuels).toEqual(alone.map((outcome) => outcome.ok && outcome.fuelUsed));
      expect(runs.every(({ runMs }) => runMs >= 0)).toBe(true);
    });

    test("the first failure of several tasks is the last outcome, and the worker lives", async () => {
      const worker = await spawn();
      const runs: SandboxRun[] = [];
      const module = await compiled("mirror", mirror());
      const enough = await runOne(worker, { ...module, input: utf8("ab") });
      const fuelMax = enough.ok ? enough.fuelUsed : 0;
      const inputs = [utf8("ab"), utf8("cd"), new Uint8Array(1_000), utf8("ef")];
      await worker.run({ ...module, inputs, fuelMax }, (some) => runs.push(...some));
      expect(runs.map(({ outcome }) => (outcome.ok ? text(outcome.output) : outcome.code))).toEqual([
        "ba",
        "dc",
        "out-of-fuel",
      ]);
      expect(await runOne(worker, { ...module, input: utf8("gh") })).toMatchObject({ ok: true, output: utf8("hg") });
    });

    test("a reactor is set up before each task, once", async () => {
      const worker = await spawn();
      for (const [id, bytes] of [
        ["reactor", reactor("_initialize")],
        ["exported constructors", reactor("__wasm_call_ctors")],
      ] as const) {
        const module = await compiled(id, bytes);
        for (let i = 0; i < 2; i++) {
          expect(await runOne(worker, { ...module, input: utf8("x") })).toMatchObject({
            ok: true,
            output: Uint8Array.of(1),
          });
        }
      }
    });

    test.each([
      ["traps", hostile.trap(), "wasm-trap"],
      ["reads outside of its memory", hostile.outOfBounds(), "wasm-trap"],
      ["recurses for ever", hostile.recursion(), "call-depth"],
      ["loops for ever", hostile.loop(), "out-of-fuel"],
      ["loops for ever in its start function", hostile.loopInStart(), "out-of-fuel"],
      ["eats memory until it gets no more", hostile.memoryEater(), "out-of-memory"],
      ["wants far too much memory at once", hostile.memoryGlutton(), "out-of-memory"],
      ["gives an output outside of its memory", hostile.bogusOutput(), "wasm-abi"],
      ["gives a place for the input outside of its memory", hostile.bogusAlloc(), "wasm-abi"],
      ["traps in its start function", hostile.trapInStart(), "wasm-trap"],
    ])("a module that %s fails with its reason, and the worker lives", async (_what, bytes, code) => {
      const worker = await spawn();
      const outcome = await runOne(worker, { ...(await compiled("bad", bytes)), input: utf8("x") });
      expect(outcome).toMatchObject({ ok: false, code });
      const after = await runOne(worker, { ...(await compiled("mirror", mirror())), input: utf8("ab") });
      expect(after.ok && text(after.output)).toBe("ba");
    });

    test.each([
      [0, 1, "i64"],
      [1_000, 1, "i64"],
      [20_000, 1, "i64"],
      [0, 300, "i64"],
      [0, 10, "v128"],
      [0, 300, "v128"],
    ] as const)(
      "calls nest too deeply before the stack ends: %i locals, %i operands of %s",
      async (locals, operands, type) => {
        const worker = await spawn();
        const module = await compiled("deep", hostile.deep(locals, operands, type));
        // Often enough that the engine optimises the code.
        for (let i = 0; i < 20; i++)
          expect(await runOne(worker, { ...module, input: utf8("x") })).toMatchObject({
            ok: false,
            code: "call-depth",
          });
      },
    );

    test("the same task uses the same fuel, and more of it for more to do", async () => {
      const module = await compiled("mirror", mirror());
      const used: number[] = [];
      for (const length of [10, 10, 1_000]) {
        const outcome = await runOne(await spawn(), { ...module, input: new Uint8Array(length) });
        if (outcome.ok) used.push(outcome.fuelUsed);
      }
      const [first = 0, again = 0, longer = 0] = used;
      expect(first).toBeGreaterThan(10);
      expect(again).toBe(first);
      expect(longer).toBeGreaterThan(50 * first);
      const enough = await runOne(await spawn(), { ...module, input: new Uint8Array(1_000), fuelMax: longer });
      expect(enough).toMatchObject({ ok: true, fuelUsed: longer });
      const short = await runOne(await spawn(), { ...module, input: new Uint8Array(1_000), fuelMax: longer - 1 });
      expect(short).toMatchObject({ ok: false, code: "out-of-fuel" });
    });

    test("an output as large as the memory is no more than that", async () => {
      expect(await runOnce(hostile.wholeMemory())).toMatchObject({ ok: true, output: { length: 65_536 } });
    });

    async function runCommand(bytes: Uint8Array, input = "", args: readonly string[] = []): Promise<SandboxOutcome> {
      const worker = await spawn();
      const module = await compiled("command", bytes, "command");
      return runOne(worker, { ...module, program: { kind: "command", args }, input: utf8(input) });
    }

    test.each([
      ["passes on what it reads", passesOn(), "from input to output", "from input to output"],
      ["writes to its standard output", writes("hello"), "", "hello"],
      ["sleeps, which takes no time", sleeps(), "", ""],
    ])("a command that %s", async (_what, bytes, input, expected) => {
      const outcome = await runCommand(bytes, input);
      expect(outcome.ok && text(outcome.output)).toBe(expected);
    });

    test.each<[string, Uint8Array, string, RegExp]>([
      ["exits with a status", callOnce("fd_close", [7]), "task-failed", /exited with 8, and said nothing/],
      ["complains and exits", complains("no such day", 3), "task-failed", /exited with 3, and said: no such day/],
      ["opens a file", opens("etc/passwd"), "task-failed", /exited with 8/],
      ["opens a socket", callOnce("sock_accept", [3, 0, 8]), "task-failed", /exited with 52/],
      ["writes for ever", writesForEver("x".repeat(1000)), "too-large", /wrote more than/],
      ["writes from outside of its memory", callOnce("fd_write", [1, -16, 1, 8]), "task-failed", /exited with 21/],
      ["traps", traps(), "wasm-trap", /trap/],
      ["calls itself for ever", recurses(), "call-depth", /deep/],
      ["eats memory", eatsMemory(), "out-of-memory", /memory/],
    ])("a command that %s fails, and says why", async (_what, bytes, code, message) => {
      const outcome = await runCommand(bytes);
      expect(outcome).toMatchObject({ ok: false, code });
      expect(outcome.ok ? "" : outcome.message).toMatch(message);
    });

    test("time and chance are the same for the same task, and differ by its input", async () => {
      const random = prints("random_get", [IN_MEMORY, 16]);
      const clock = prints("clock_time_get", [0, 0n, IN_MEMORY]);
      const of = async (bytes: Uint8Array, input: string, args: readonly string[] = []): Promise<string> => {
        const outcome = await runCommand(bytes, input, args);
        return outcome.ok ? toHex(outcome.output) : outcome.message;
      };
      expect(await of(random, "a")).toBe(await of(random, "a"));
      expect(new Set([await of(random, "a"), await of(random, "b"), await of(random, "a", ["b"])]).size).toBe(3);
      // One millisecond after the beginning of 1970, in nanoseconds.
      expect(await of(clock, "a")).toBe("40420f00000000000000000000000000");
    });

    test.each([
      ["a command as a task of ABI 1", writes("x"), undefined, "wasm-imports"],
      ["a task of ABI 1 as a command", mirror(), "command" as const, "wasm-abi"],
      ["what imports more than WASI", importing("env", "fetch"), "command" as const, "wasm-imports"],
      ["what imports a memory", importingMemory(), "command" as const, "wasm-imports"],
    ])("%s is refused", async (_what, bytes, kind, code) => {
      const worker = await spawn();
      expect(await worker.compile(bytes, MEMORY_BYTES_MAX, kind)).toMatchObject({ ok: false, code });
    });

    if (!options.threads) return;
    test.each([
      ["run", hostile.loop()],
      ["start", hostile.loopInStart()],
    ])("a worker whose module loops in %s can be ended, and others go on", async (_where, bytes) => {
      const worker = await spawn();
      let settled = false;
      const endless = { ...(await compiled("loop", bytes)), fuelMax: Number.MAX_SAFE_INTEGER };
      void runOne(worker, { ...endless, input: utf8("x") }).then(() => {
        settled = true;
      });
      expect((await runOnce(mirror(), utf8("ab"))).ok).toBe(true);
      worker.terminate();
      expect((await runOnce(mirror(), utf8("cd"))).ok).toBe(true);
      expect(settled).toBe(false);
    });
  });
}
