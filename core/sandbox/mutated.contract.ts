/**
 * Modules that were cut short or had bits flipped, in real workers. Each is refused, fails or gives a result, within
 * its time, and the worker goes on. Run with the sandbox of each platform.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { sampled } from "../../test/fixtures/generated-modules.ts";
import { hostile, mirror } from "../../test/fixtures/wasm.ts";
import { text, utf8 } from "../base/bytes.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { TASK_FAULTS } from "./types.ts";
import { runOne } from "../../test/fixtures/run-one.ts";

const MEMORY_BYTES_MAX: number = 2 ** 22;
const FUEL_MAX = 300_000;
const SEED = 15;

type Mutation = readonly [module: number, cutAt: number | undefined, flips: readonly (readonly [number, number])[]];

const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.nat(),
  fc.option(fc.nat(), { nil: undefined, freq: 3 }),
  fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 4 }),
);

function mutated(modules: readonly Uint8Array[], [index, cutAt, flips]: Mutation): Uint8Array {
  const module = modules[index % modules.length] ?? mirror();
  const bytes = module.slice(0, cutAt === undefined ? module.length : cutAt % module.length);
  for (const [at, bit] of flips)
    if (bytes.length > 0) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit);
  return bytes;
}

export function mutatedContract(name: string, sandbox: () => Sandbox, count: number): void {
  test(`${name}: ${count} modules cut short and with bits flipped`, { timeout: 60_000 + 20 * count }, async () => {
    const modules = [
      ...sampled(SEED, 30, { floats: true }).map(({ module }) => module),
      ...[mirror(), hostile.loop(), hostile.memoryEater(), hostile.loopInStart()],
    ];
    const worker = await sandbox().spawn();
    const ends = new Map<string, number>();
    for (const [id, one] of fc.sample(mutation, { seed: SEED, numRuns: count }).entries()) {
      const bytes = mutated(modules, one);
      const compiled = await worker.compile(bytes, MEMORY_BYTES_MAX);
      const outcome = compiled.ok
        ? await runOne(worker, { moduleId: `${id}`, module: compiled.module, input: utf8("ab"), fuelMax: FUEL_MAX })
        : compiled;
      const end = outcome.ok ? "ok" : outcome.code;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    for (const end of ends.keys()) expect(["ok", ...TASK_FAULTS]).toContain(end);
    // Some of them are still modules, so that more than the reading is tested.
    for (const end of ["ok", "not-wasm", "wasm-trap"]) expect(ends.get(end) ?? 0).toBeGreaterThan(count / 200);
    const compiled = await worker.compile(mirror(), MEMORY_BYTES_MAX);
    if (!compiled.ok) throw new Error(compiled.message);
    const after = await runOne(worker, {
      moduleId: "mirror",
      module: compiled.module,
      input: utf8("ab"),
      fuelMax: FUEL_MAX,
    });
    expect(after.ok && text(after.output)).toBe("ba");
    worker.terminate();
  });
}
