/** The tab's side of tab.ts. */
import { browserSandbox } from "../../browser/sandbox.ts";
import { generatedTasks, outcomesOf, type Sample, type Task } from "./task.ts";

export interface PortableTask extends Omit<Task, "module" | "input"> {
  readonly module: string;
  readonly input: string;
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

const sandbox = browserSandbox({ cores: 1 });
Object.assign(globalThis, {
  runGenerated: (sample: Sample) => outcomesOf(sandbox, generatedTasks(sample)),
  runTasks: (tasks: readonly PortableTask[]) =>
    outcomesOf(
      sandbox,
      tasks.map(({ module, input, ...rest }) => ({ ...rest, module: bytesOf(module), input: bytesOf(input) })),
    ),
});
