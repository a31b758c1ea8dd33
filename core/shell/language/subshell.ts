/** Subshells: parentheses, command and process substitution, background jobs. Each has a copy of the shell's state. */
import { concat, type Bytes } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import { createPipe } from "../pipe.ts";
import { decodeText } from "./bytes.ts";
import { Descriptor, type OpenFile } from "./descriptor.ts";
import { ExitJump, LoopJump, ReturnJump, ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import type { Job } from "./jobs.ts";
import { Jobs } from "./jobs.ts";
import { TEXT_CHARS_MAX } from "./limits.ts";
import { statusOfSignal, type Process } from "./process.ts";
import { bytesFile } from "./redirect.ts";
import { runExitTrap } from "./traps.ts";

export type Work = (frame: Frame) => Promise<number>;

/** A frame for a copy of the shell. */
export function forkFrame(frame: Frame, process: Process = frame.interpreter.newProcess(frame)): Frame {
  const state = frame.state.fork(process.pid);
  const inner: Frame = { ...frame, state, process, signal: process.signal, jobs: new Jobs(frame.jobs) };
  frame.interpreter.adopt(inner);
  return inner;
}

/** Runs in a copy of this shell, and waits. Resolves to its status. */
export async function runSubshell(frame: Frame, work: Work): Promise<number> {
  const inner = forkFrame(frame);
  frame.process.children.add(inner.process);
  try {
    return await settle(inner, work);
  } finally {
    frame.process.children.delete(inner.process);
  }
}

/** Runs `work` to its end, however it ends, closes what it has opened, and returns its status. */
export async function settle(frame: Frame, work: Work): Promise<number> {
  const { state, process } = frame;
  let status: number;
  try {
    status = await guarded(frame, work);
    if (state.traps.has("EXIT") && !process.signal.aborted)
      status = await guarded(frame, (inner) => runExitTrap(status, inner));
  } finally {
    frame.interpreter.ended(frame);
    await state.descriptors.closeAll().catch(async (error: unknown) => {
      await frame.interpreter.complain(String(error instanceof Error ? error.message : error), frame);
      status = 1;
    });
    process.end();
  }
  return process.endedBy === undefined ? status : statusOfSignal(process.endedBy);
}

async function guarded(frame: Frame, work: Work): Promise<number> {
  try {
    return await work(frame);
  } catch (error) {
    return await statusOf(error, frame);
  }
}

/** The status with which a shell ends, by what was thrown. Other errors are thrown again. */
export async function statusOf(error: unknown, frame: Frame): Promise<number> {
  if (error instanceof ExitJump || error instanceof ReturnJump) return error.status & 0xff;
  if (error instanceof LoopJump) return 0;
  if (error instanceof ShellFault) {
    await frame.interpreter.complain(error.message, frame);
    return error.status;
  }
  if (isStarfishError(error, "closed")) return statusOfSignal("PIPE");
  if (isStarfishError(error, "cancelled")) return statusOfSignal(frame.process.endedBy);
  if (isStarfishError(error)) {
    await frame.interpreter.complain(error.message, frame);
    return 1;
  }
  throw error;
}

/** `command &`. */
export function startJob(text: string, frame: Frame, work: Work): Job {
  const process = frame.interpreter.newProcess(frame, { isDetached: true });
  const inner = forkFrame(frame, process);
  inner.state.loopDepth = 0;
  const ended = (async () => {
    await inner.state.descriptors.set(0, new Descriptor(bytesFile(new Uint8Array())));
    const status = await settle(inner, work);
    // A stopped process has not ended, however much of its work is done.
    await process.goesOn();
    return status;
  })();
  frame.state.lastBackgroundPid = process.pid;
  return frame.jobs.add(
    process,
    text,
    ended.catch((error: unknown) => frame.interpreter.failed(error)),
  );
}

/** What a script writes to standard output, without line breaks at the end; its status becomes `$?`. */
export async function captureOutput(frame: Frame, work: Work): Promise<string> {
  const parts: Bytes[] = [];
  let length = 0;
  const sink: OpenFile = {
    write: (bytes) => {
      length += bytes.length;
      if (length > TEXT_CHARS_MAX)
        return Promise.reject(new ShellFault(`an expansion has at most ${TEXT_CHARS_MAX} characters`));
      parts.push(Uint8Array.from(bytes));
      return Promise.resolve();
    },
  };
  const { state } = frame;
  state.status = await runSubshell(frame, async (inner) => {
    await inner.state.descriptors.set(1, new Descriptor(sink));
    if (!state.isSetOption("inherit_errexit")) inner.state.options.delete("errexit");
    inner.state.conditionDepth = 0;
    return await work(inner);
  });
  if (length > TEXT_CHARS_MAX) throw new ShellFault(`an expansion has at most ${TEXT_CHARS_MAX} characters`);
  let end = decodeText(concat(parts)).replaceAll("\0", "");
  while (end.endsWith("\n")) end = end.slice(0, -1);
  return end;
}

/** Descriptors of process substitutions count downwards from here, as in bash. */
const SUBSTITUTED_FROM = 63;

/** `<( … )` and `>( … )`: the path of a descriptor that is connected to the running script. */
export async function substituteProcess(operator: "<" | ">", frame: Frame, work: Work): Promise<string> {
  const pipe = createPipe();
  const reading = pipeReader(pipe);
  const writing = pipeWriter(pipe);
  const { descriptors } = frame.state;
  let number = SUBSTITUTED_FROM;
  while (descriptors.get(number) !== undefined) number--;
  const process = frame.interpreter.newProcess(frame, { isDetached: true });
  const inner = forkFrame(frame, process);
  const [mine, theirs] = operator === "<" ? [reading, writing] : [writing, reading];
  const ended = (async () => {
    await inner.state.descriptors.set(operator === "<" ? 1 : 0, new Descriptor(theirs));
    return await settle(inner, work);
  })();
  frame.state.lastBackgroundPid = process.pid;
  frame.interpreter.watch(ended);
  await descriptors.set(number, new Descriptor(mine));
  // Closed when the command for which it was made has ended.
  frame.state.substituted.push(number);
  return `/dev/fd/${number}`;
}

export function pipeReader(pipe: ReturnType<typeof createPipe>): OpenFile {
  const iterator = pipe.input[Symbol.asyncIterator]();
  return {
    name: "pipe",
    reuse: (pieces) => pipe.reuse(pieces),
    read: async () => {
      const { done, value } = await iterator.next();
      return done === true ? undefined : value;
    },
    close: () => {
      pipe.close();
      return Promise.resolve();
    },
  };
}

export function pipeWriter(pipe: ReturnType<typeof createPipe>): OpenFile {
  return {
    name: "pipe",
    write: (bytes) => pipe.output.write(bytes),
    close: () => {
      pipe.output.end();
      return Promise.resolve();
    },
  };
}
