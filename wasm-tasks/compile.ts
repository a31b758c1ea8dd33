/** Compiles one task with the AssemblyScript compiler: the author's `task` wrapped in ABI 1 (sdk/abi.ts). */
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

/** No runtime to free memory, no imports: what the sandbox takes. */
const RELEASE = ["-O3", "--runtime", "stub", "--use", "abort="];
/** Imports `abort` and `trace`, so that a failed assertion names its line; only for the local runner. */
const DEBUG = ["--debug", "--runtime", "stub"];

/** The module of the folder `name` of wasm-tasks. Throws an Error with the compiler's own report. */
export async function compileTask(name: string, options: { debug?: boolean } = {}): Promise<Uint8Array> {
  const entry = `${name}/entry.ts`;
  let report = "";
  let module: Uint8Array | undefined;
  const flags = options.debug === true ? DEBUG : RELEASE;
  const { error } = await asc.main([entry, "--outFile", "task.wasm", "--enable", "simd", ...flags], {
    stdout: { write: () => {} },
    stderr: { write: (chunk: string) => (report += chunk) },
    readFile: async (path: string) =>
      path === entry ? ENTRY : readFile(join(TASKS_DIRECTORY, path), "utf8").catch(() => null),
    writeFile: async (path: string, contents: Uint8Array | string) => {
      if (path === "task.wasm" && typeof contents !== "string") module = contents;
    },
    listFiles: async () => [],
  });
  if (error !== null || module === undefined)
    throw new Error(`${name} does not compile\n${report.trim()}`, { cause: error });
  return module;
}
