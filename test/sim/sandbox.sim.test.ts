/** The simulated sandbox: it really runs modules, and takes its (virtual) time over them. */
import { describe, expect, it } from "vitest";
import type { SandboxOutcome } from "../../core/ports/sandbox.ts";
import type { SimNode } from "./node.ts";
import { SimWorld } from "./world.ts";
import { runOne } from "../fixtures/run-one.ts";

/** A module of ABI 1 that gives back its input: `alloc` is always 16, `run(p, n)` is p << 32 | n. */
const ECHO = bytesOf(`
  0061736d 01000000
  010c 02 60017f017f 60027f7f017e
  0303 02 00 01
  0503 01 0001
  0718 03 066d656d6f7279 0200 05616c6c6f63 0000 0372756e 0001
  0a13 02 0400 4110 0b 0c00 2000 ad 4220 86 2001 ad 84 0b`);

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.replace(/\s/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const endless = Uint8Array.of(1, 2, 3);

function makeWorld(speed = 1): { world: SimWorld; node: SimNode } {
  const world = new SimWorld({ seed: 1, tasks: ({ input }) => (input.length === endless.length ? Infinity : 400) });
  return { world, node: world.spawn({ name: "a", kind: "node", speed, cores: 3 }) };
}

async function start(world: SimWorld, node: SimNode): Promise<(input: Uint8Array) => Promise<SandboxOutcome>> {
  const { sandbox } = node.ports;
  const worker = await world.settle(sandbox.spawn(), { withinMs: 1000 });
  const compiled = await world.settle(worker.compile(ECHO, 65_536), { withinMs: 1000 });
  if (!compiled.ok) throw new Error(compiled.message);
  return (input) => runOne(worker, { moduleId: "echo", module: compiled.module, input, fuelMax: 1_000_000 });
}

describe("simulated sandbox", () => {
  it("runs a module, for as long as the model says on a machine of that speed", async () => {
    for (const [speed, expectedMs] of [
      [1, 400],
      [0.1, 4000],
    ] as const) {
      const { world, node } = makeWorld(speed);
      const run = await start(world, node);
      const beganMs = world.nowMs;
      const outcome = await world.settle(run(Uint8Array.of(7, 8)), { withinMs: 10_000 });
      expect(outcome).toMatchObject({ ok: true, output: Uint8Array.of(7, 8) });
      expect(world.nowMs - beganMs).toBeCloseTo(expectedMs);
    }
  });

  it("has the cores of its machine, and refuses what is no module", async () => {
    const { world, node } = makeWorld();
    expect(node.ports.sandbox.cores).toBe(3);
    const worker = await world.settle(node.ports.sandbox.spawn(), { withinMs: 1000 });
    const compiling = world.settle(worker.compile(endless, 65_536), { withinMs: 1000 });
    expect(await compiling).toMatchObject({ ok: false, code: "not-wasm" });
  });

  it("does not answer for a task without end, nor after a crash", async () => {
    const { world, node } = makeWorld();
    let answers = 0;
    const count = (): void => void answers++;
    void (await start(world, node))(endless).then(count);
    void (await start(world, node))(Uint8Array.of(1)).then(count);
    await world.runFor(100);
    world.crash(node);
    await world.runFor(3_600_000);
    expect(answers).toBe(0);
  });
});
