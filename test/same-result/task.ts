/** A task that is run in Node and in a tab, and what is compared of its outcome. */
import { toHex } from "../../core/base/bytes.ts";
import type { Sandbox, SandboxProgram } from "../../core/ports/sandbox.ts";
import { realCrypto } from "../../core/platform/crypto.ts";
import { sampled } from "../fixtures/generated-modules.ts";
import { runOne } from "../fixtures/run-one.ts";

export interface Task {
  readonly name: string;
  readonly module: Uint8Array;
  readonly program?: SandboxProgram | undefined;
  readonly input: Uint8Array;
  readonly fuelMax: number;
}

/** Generated tasks: their seed and number. The same are generated everywhere. */
export interface Sample {
  readonly seed: number;
  readonly count: number;
}

const MEMORY_BYTES_MAX: number = 32 * 1024 * 1024;
/** Enough fuel for the tasks that end, and soon used up by the others. */
const GENERATED_FUEL = 1_000_000;

export function generatedTasks({ seed, count }: Sample): Task[] {
  return sampled(seed, count, { floats: true }).map(({ module, input }, i) => ({
    ...{ name: `generated ${seed}/${i}`, module, input, fuelMax: GENERATED_FUEL },
  }));
}

/**
 * One line for each task: its name, the module's hash, and how it ended, which is its fuel and the output's hash, or
 * the error's code and message.
 */
export async function outcomesOf(sandbox: Sandbox, tasks: readonly Task[]): Promise<string[]> {
  const worker = await sandbox.spawn();
  const lines: string[] = [];
  for (const [index, { name, module, program, input, fuelMax }] of tasks.entries()) {
    const compiled = await worker.compile(module, MEMORY_BYTES_MAX, program?.kind);
    const outcome = compiled.ok
      ? await runOne(worker, { moduleId: String(index), module: compiled.module, program, input, fuelMax })
      : compiled;
    const end = outcome.ok ? `${outcome.fuelUsed} ${hashOf(outcome.output)}` : `${outcome.code} ${outcome.message}`;
    lines.push(`${name} ${hashOf(module).slice(0, 8)} ${end}`);
  }
  worker.terminate();
  return lines;
}

function hashOf(bytes: Uint8Array): string {
  return toHex(realCrypto.sha256(bytes)).slice(0, 16);
}
