/**
 * Compiles a task or a library with the AssemblyScript compiler. A task is its author's function `task`, wrapped in ABI
 * 1 (sdk/abi.ts). A library is a module of Starfish's own, with the exports that it names.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import asc from "assemblyscript/asc";

export const TASKS_DIRECTORY: string = import.meta.dirname;

/** The module's entry, which no author has to write. */
const ENTRY = `
import { input, output } from "../sdk/abi";
import { task } from "./task";
export { alloc } from "../sdk/abi";
export function run(ptr: usize, len: i32): u64 {
  return output(task(input(ptr, len)));
}
`;

/** Where the task says how two outputs become one. */
const REDUCE_ENTRY = `
import { first, second } from "../sdk/abi";
import { reduce as reduceTwo } from "./task";
export function reduce(ptr: usize, len: i32): u64 {
  return output(reduceTwo(first(ptr), second(ptr, len)));
}
`;
const REDUCES = /^export function reduce\b/m;

/** No runtime that frees memory, and no imports: the sandbox accepts only such modules. */
const RELEASE = ["-O3", "--runtime", "stub", "--use", "abort="];
/** Imports `abort` and `trace`, so that a failed assertion names its line; only for the local runner. */
const DEBUG = ["--debug", "--runtime", "stub"];

/** The task of the folder `name` of wasm-tasks. Throws an Error with the compiler's own report. */
export function compileTask(name: string, options: { debug?: boolean } = {}): Promise<Uint8Array> {
  return compile(name, `${name}/entry.ts`, options.debug === true ? DEBUG : RELEASE);
}

/** The library of the folder `name` of wasm-tasks. Throws an Error with the compiler's own report. */
export function compileLibrary(name: string): Promise<Uint8Array> {
  return compile(name, `${name}/library.ts`, RELEASE);
}

async function compile(name: string, entry: string, flags: readonly string[]): Promise<Uint8Array> {
  let report = "";
  const task = await readFile(join(TASKS_DIRECTORY, name, "task.ts"), "utf8").catch(() => "");
  const wrapped = REDUCES.test(task) ? ENTRY + REDUCE_ENTRY : ENTRY;
  let module: Uint8Array | undefined;
  const { error } = await asc.main([entry, "--outFile", "module.wasm", "--enable", "simd", ...flags], {
    stdout: { write: () => {} },
    stderr: { write: (chunk: string) => (report += chunk) },
    readFile: async (path: string) =>
      path === `${name}/entry.ts` ? wrapped : readFile(join(TASKS_DIRECTORY, path), "utf8").catch(() => null),
    writeFile: async (path: string, contents: Uint8Array | string) => {
      if (path === "module.wasm" && typeof contents !== "string") module = contents;
    },
    listFiles: async () => [],
  });
  if (error !== null || module === undefined)
    throw new Error(`${name} does not compile\n${report.trim()}`, { cause: error });
  return module;
}
