/**
 * Runs a task on this machine, without a swarm: from the command line to try it, as `runTask` from its unit tests.
 *   node wasm-tasks/run.ts primes --input "0 1000000"
 *   node wasm-tasks/run.ts wordcount < LICENSE
 * It runs the debug build, in which a failed assertion names its line and `trace` prints; `--release` runs the module
 * as the swarm would.
 */
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { instantiate } from "@assemblyscript/loader";
import { compileTask } from "./compile.ts";

interface Abi1 extends Record<string, unknown> {
  alloc(len: number): number;
  run(ptr: number, len: number): bigint;
}

/** The task's output for the input. Rejects with the task's own assertion, or with the compiler's report. */
export async function runTask(
  name: string,
  input: Uint8Array | string,
  options: { debug?: boolean } = {},
): Promise<Uint8Array> {
  return (await loadTask(name, options))(input);
}

/** The task as a function; each call gets a fresh instance, as in the swarm. */
export async function loadTask(
  name: string,
  options: { debug?: boolean } = {},
): Promise<(input: Uint8Array | string) => Promise<Uint8Array>> {
  const module = new WebAssembly.Module(new Uint8Array(await compileTask(name, { debug: options.debug ?? true })));
  return async (input) => {
    const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
    const { exports } = await instantiate<Abi1>(module, {});
    const memory = exports.memory;
    if (memory === undefined) throw new Error(`${name} exports no memory`);
    const place = exports.alloc(bytes.length);
    new Uint8Array(memory.buffer, place, bytes.length).set(bytes);
    const result = BigInt.asUintN(64, exports.run(place, bytes.length));
    return new Uint8Array(memory.buffer, Number(result >> 32n), Number(result & 0xffffffffn)).slice();
  };
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { input: { type: "string" }, release: { type: "boolean", default: false } },
  });
  const [name] = positionals;
  if (name === undefined) {
    process.stderr.write(
      "usage: node wasm-tasks/run.ts TASK [--input TEXT] [--release] (without --input: standard input)\n",
    );
    process.exitCode = 64;
  } else {
    try {
      process.stdout.write(
        await runTask(name, values.input ?? (await buffer(process.stdin)), { debug: !values.release }),
      );
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
}
