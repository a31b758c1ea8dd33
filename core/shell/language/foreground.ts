/**
 * Job control: at a terminal, every command that the shell waits for is a process of its own, which Ctrl-Z stops. A
 * stopped process is a job from then on (bash manual, "Job Control Basics").
 */
import { encodeText } from "./bytes.ts";
import type { Frame } from "./frame.ts";
import type { Job } from "./jobs.ts";
import { jobLine } from "./job-line.ts";
import { statusOfSignal, type Process } from "./process.ts";
import { forkFrame, settle, type Work } from "./subshell.ts";

/** Runs `work`, and waits until it ends or stops. Resolves to its status. */
export async function runForeground(text: () => string, frame: Frame, work: Work): Promise<number> {
  const { state, interpreter } = frame;
  if (!isControlled(frame)) return await work(frame);
  const process = interpreter.newProcess(frame, { isDetached: true });
  process.words = frame.process.words;
  const inner = forkFrame(frame, process);
  // It is the shell's own command, not a subshell; only stopping makes a difference.
  inner.state.subshellDepth = state.subshellDepth;
  inner.state.hashed = state.hashed;
  for (const [name, action] of state.traps) if (name !== "EXIT") inner.state.traps.set(name, action);
  inner.state.options.delete("monitor");
  const ended = (async () => {
    const status = await settle(inner, work);
    // A stopped process has not ended, however much of its work is done.
    await process.goesOn();
    return status;
  })().catch((error: unknown) => interpreter.failed(error));
  const outcome = await untilStopped(process, ended, frame);
  if (outcome !== "stopped") {
    state.setPipeStatus(inner.state.pipeStatus);
    return outcome;
  }
  const job = frame.jobs.add(process, text(), ended);
  await say(`\n${jobLine(job, frame.jobs)}`, frame);
  return statusOfSignal("TSTP");
}

/**
 * Runs a command that is not a builtin, always as a process of its own. A signal for which the shell has a trap still
 * ends it, as it ends the other members of a process group.
 */
export async function runChild(text: () => string, frame: Frame, work: Work): Promise<number> {
  if (isControlled(frame)) return await runForeground(text, frame, work);
  const { state, interpreter } = frame;
  const process = interpreter.newProcess(frame);
  process.words = frame.process.words;
  process.trapped = (name) => (state.traps.get(name) === "" ? false : undefined);
  const inner: Frame = { ...frame, process, signal: process.signal };
  frame.process.children.add(process);
  try {
    return await work(inner);
  } catch (error) {
    if (frame.process.signal.aborted || process.endedBy === undefined) throw error;
    return statusOfSignal(process.endedBy);
  } finally {
    frame.process.children.delete(process);
    interpreter.ended(inner);
    process.end();
  }
}

function isControlled({ state }: Frame): boolean {
  return state.isInteractive && state.option("monitor") && state.subshellDepth === 0;
}

/** `fg`: waits for a job, which owns the terminal meanwhile. */
export async function resumeForeground(job: Job, frame: Frame): Promise<number> {
  job.isBackground = false;
  const outcome = untilStopped(job.process, job.ended, frame);
  job.process.kill("CONT");
  const status = await outcome;
  if (status === "stopped") {
    job.isBackground = true;
    await say(`\n${jobLine(job, frame.jobs)}`, frame);
    return statusOfSignal("TSTP");
  }
  frame.jobs.remove(job);
  return status;
}

/** The status, or that it has stopped. Ends the process if the shell itself is ended. */
async function untilStopped(process: Process, ended: Promise<number>, frame: Frame): Promise<number | "stopped"> {
  const stopped = new Promise<"stopped">((resolve) => (process.onStopped = () => resolve("stopped")));
  const hangUp = (): void => process.kill("HUP");
  frame.signal.addEventListener("abort", hangUp, { once: true });
  frame.process.children.add(process);
  try {
    return await Promise.race([ended, stopped]);
  } finally {
    frame.process.children.delete(process);
    frame.signal.removeEventListener("abort", hangUp);
    process.onStopped = undefined;
  }
}

/** A message about jobs, written where the shell's own errors go. */
export async function say(text: string, { state }: Frame): Promise<void> {
  await state.descriptors.get(2)?.output()?.write(encodeText(text));
}
