/** Pipes: all stages run at once, each in a subshell of its own. A stage whose reader has gone ends with SIGPIPE. */
import type { CommandNode, Pipeline } from "unbash";
import { createPipe } from "../pipe.ts";
import { Descriptor } from "./descriptor.ts";
import type { Frame } from "./frame.ts";
import { runTrap } from "./traps.ts";
import { forkFrame, pipeReader, pipeWriter, settle } from "./subshell.ts";

/** Resolves to the status of the last stage or, with `pipefail`, of the last one that failed. */
export async function runPipeline(
  { commands, operators }: Pipeline,
  frame: Frame,
  run: (command: CommandNode, frame: Frame) => Promise<void>,
): Promise<number> {
  const { state, process } = frame;
  const isLastHere = state.isSetOption("lastpipe") && !state.option("monitor");
  const running: Promise<number>[] = [];
  let input: Descriptor | undefined;
  for (const [i, command] of commands.entries()) {
    const isLast = i === commands.length - 1;
    const pipe = isLast ? undefined : createPipe();
    const output = pipe && new Descriptor(pipeWriter(pipe));
    const stdin = input;
    input = pipe && new Descriptor(pipeReader(pipe));
    if (command.type === "Command") {
      // The trap is this shell's; stages have none of their own.
      state.line = frame.source.lineAt(command.pos);
      if (!(isLast && isLastHere)) await runTrap("DEBUG", frame);
    }
    if (isLast && isLastHere) {
      running.push(runHere(stdin, frame, () => run(command, frame)));
      continue;
    }
    const inner = forkFrame(frame);
    process.children.add(inner.process);
    const stage = (async () => {
      const { descriptors } = inner.state;
      if (stdin !== undefined) await descriptors.set(0, stdin);
      if (output !== undefined) await descriptors.set(1, output);
      if (output !== undefined && operators[i] === "|&") await descriptors.set(2, output.retain());
      return await settle(inner, async (own) => {
        await run(command, own);
        return own.state.status;
      });
    })();
    running.push(stage.finally(() => process.children.delete(inner.process)));
  }
  const statuses = await Promise.all(running);
  state.setPipeStatus(statuses);
  const failed = state.option("pipefail") ? statuses.findLast((status) => status !== 0) : undefined;
  return failed ?? statuses.at(-1) ?? 0;
}

/** Runs the last stage in this shell itself (`shopt -s lastpipe`). */
async function runHere(stdin: Descriptor | undefined, frame: Frame, work: () => Promise<void>): Promise<number> {
  const { descriptors } = frame.state;
  const saved = descriptors.copy();
  try {
    if (stdin !== undefined) await descriptors.set(0, stdin);
    await work();
    return frame.state.status;
  } finally {
    await descriptors.restore(saved);
  }
}
