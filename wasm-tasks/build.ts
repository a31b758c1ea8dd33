/**
 * Compiles every task (a folder with a task.ts) to dist/tasks/<name>.wasm, if its sources, the SDK or the compiler have
 * changed since. `node wasm-tasks/build.ts`; tools and vite call `buildTasks`.
 */
import { mkdir, readdir, rename, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compileTask, TASKS_DIRECTORY } from "./compile.ts";

export const TASKS_OUTPUT: string = join(TASKS_DIRECTORY, "../dist/tasks");

/** The names of all tasks, sorted. */
export async function taskNames(): Promise<string[]> {
  const folders = await readdir(TASKS_DIRECTORY, { withFileTypes: true });
  const names: string[] = [];
  for (const folder of folders) {
    if (folder.isDirectory() && (await changedAt(join(TASKS_DIRECTORY, folder.name, "task.ts"))) > 0)
      names.push(folder.name);
  }
  return names.sort();
}

/** Brings dist/tasks up to date and says which tasks were compiled for it. */
export async function buildTasks(): Promise<string[]> {
  await mkdir(TASKS_OUTPUT, { recursive: true });
  const compiler = createRequire(import.meta.url).resolve("assemblyscript/package.json");
  const common = await newest([join(TASKS_DIRECTORY, "compile.ts"), compiler, ...(await sources("sdk"))]);
  const built: string[] = [];
  for (const name of await taskNames()) {
    const output = join(TASKS_OUTPUT, `${name}.wasm`);
    if ((await changedAt(output)) > Math.max(common, await newest(await sources(name)))) continue;
    // Renamed into place: whoever reads at the same time sees the old module or the new one, never half of it.
    const draft = `${output}.${process.pid}`;
    await writeFile(draft, await compileTask(name));
    await rename(draft, output);
    built.push(name);
  }
  return built;
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
  const built = await buildTasks();
  process.stdout.write(built.length === 0 ? "tasks are up to date\n" : `built ${built.join(", ")}\n`);
}
