/**
 * Compiles every task (a folder with a task.ts) to dist/tasks/<name>.wasm and every library of Starfish's own (a folder
 * with a library.ts) to dist/wasm/<name>.wasm, if its sources, the SDK or the compiler have changed since.
 * `node wasm-tasks/build.ts`; tools and benches call `buildTasks` and `buildLibraries`.
 */
import { mkdir, readdir, rename, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compileLibrary, compileTask, TASKS_DIRECTORY } from "./compile.ts";

export const TASKS_OUTPUT: string = join(TASKS_DIRECTORY, "../dist/tasks");
export const LIBRARIES_OUTPUT: string = join(TASKS_DIRECTORY, "../dist/wasm");

/** Brings dist/tasks up to date and says which tasks were compiled for it. */
export function buildTasks(): Promise<string[]> {
  return build("task.ts", compileTask, TASKS_OUTPUT);
}

/** Brings dist/wasm up to date and says which libraries were compiled for it. */
export function buildLibraries(): Promise<string[]> {
  return build("library.ts", compileLibrary, LIBRARIES_OUTPUT);
}

async function build(entry: string, compile: (name: string) => Promise<Uint8Array>, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const compiler = createRequire(import.meta.url).resolve("assemblyscript/package.json");
  const common = await newest([join(TASKS_DIRECTORY, "compile.ts"), compiler, ...(await sources("sdk"))]);
  const built: string[] = [];
  for (const name of await foldersWith(entry)) {
    const output = join(folder, `${name}.wasm`);
    if ((await changedAt(output)) > Math.max(common, await newest(await sources(name)))) continue;
    // Renamed into place: whoever reads at the same time sees the old module or the new one, never half of it.
    const draft = `${output}.${process.pid}`;
    await writeFile(draft, await compile(name));
    await rename(draft, output);
    built.push(name);
  }
  return built;
}

/** The names of the folders that have a file `entry`, sorted. */
async function foldersWith(entry: string): Promise<string[]> {
  const folders = await readdir(TASKS_DIRECTORY, { withFileTypes: true });
  const names: string[] = [];
  for (const folder of folders) {
    if (folder.isDirectory() && (await changedAt(join(TASKS_DIRECTORY, folder.name, entry))) > 0)
      names.push(folder.name);
  }
  return names.sort();
}

async function sources(folder: string): Promise<string[]> {
  const files = await readdir(join(TASKS_DIRECTORY, folder));
  return files
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => join(TASKS_DIRECTORY, folder, file));
}

async function newest(files: readonly string[]): Promise<number> {
  return Math.max(0, ...(await Promise.all(files.map(changedAt))));
}

/** When the file last changed, ms since 1970; 0 if there is none. */
async function changedAt(file: string): Promise<number> {
  return stat(file).then(
    (status) => status.mtimeMs,
    () => 0,
  );
}

if (import.meta.main) {
  const built = [...(await buildTasks()), ...(await buildLibraries())];
  process.stdout.write(built.length === 0 ? "tasks and libraries are up to date\n" : `built ${built.join(", ")}\n`);
}
