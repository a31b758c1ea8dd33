/** Submits a job of the swarm. Then leaves it there or waits for its result, as its terms say. */
import { type Bytes, concat, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import { TITLE_CHARS_MAX } from "../../jobs/limits.ts";
import type { Content, JobSpec, Program } from "../../jobs/spec.ts";
import type { JobId, JobProgress, JobState, Submitted } from "../../jobs/types.ts";
import { sleep } from "../../ports/clock.ts";
import { LIMITS_DEFAULT } from "../../sandbox/limits.ts";
import { count, told } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { factsOf } from "../jobs/facts.ts";
import { shortJobId } from "../jobs/find.ts";
import { held } from "../jobs/foreground.ts";
import { resultOf } from "../jobs/result.ts";
import { verifyWords } from "../jobs/verify-words.ts";
import type { CommandContext } from "../types.ts";
import { ProgressLine } from "./progress.ts";
import type { JobWork } from "./task.ts";
import type { Terms } from "./terms.ts";

/** How long the submitter of a detached job waits to be told whether it may leave. */
const SAFE_WITHIN_MS = 2_000;

export type Submission = JobWork & { readonly module: Bytes };

export async function submitJob(work: Submission, terms: Terms, context: CommandContext): Promise<number> {
  const { computer, signal } = context;
  if (!terms.isDetached && work.isPicture === true && context.terminal.stdout !== undefined)
    throw new StarfishError("usage", "the result is a picture: detach it, or send it to a file with '>'");
  if (work.inputs.count === 0) throw new StarfishError("usage", "there is no input");
  const release = held(computer);
  try {
    const submitted = await computer.jobs.submit(await specOf(work, terms, context), { signal });
    return terms.isDetached ? await leave(submitted, context) : await stay(submitted.id, work.show, context);
  } finally {
    release();
  }
}

async function specOf(work: Submission, terms: Terms, { computer, signal }: CommandContext): Promise<JobSpec> {
  const { inputs, combine: how, program: { source, reduce, ...rest } = { kind: "bytes" } } = work;
  const content = async (text: string | undefined): Promise<Content | undefined> =>
    text === undefined ? undefined : await computer.jobs.content(utf8(text), { signal });
  const program: Program = {
    ...rest,
    module: await computer.jobs.content(work.module, { signal }),
    source: await content(source),
    reduce: await content(reduce),
  };
  const { fuel, verify, on, keepGoing, reuse } = terms;
  const { memoryBytesMax, timeMsMax } = LIMITS_DEFAULT;
  return {
    title: oneLine(work.title.slice(0, TITLE_CHARS_MAX)).toWellFormed(),
    program,
    inputs,
    combine: how === "reduce" ? { how, program: { ...program, entry: "reduce" } } : { how },
    limits: { fuel, memoryBytesMax, timeMsMax },
    verify,
    on,
    keepGoing,
    reuse,
  };
}

/** Only the id goes to standard output: `id=$(map … --detach)`. */
async function leave(
  { id, isRemembered, safe }: Submitted,
  { computer, stdout, stderr, terminal, signal }: CommandContext,
): Promise<number> {
  const say = (words: string): Promise<void> => stderr.print(`${told(words, terminal.stderr)}\n`);
  await stdout.write(utf8(`${id}\n`));
  const short = shortJobId(id);
  if (isRemembered) {
    await say(`It has been done before: its result is /proc/${id}/result.`);
    return 0;
  }
  await say(`Submitted. 'job ${short}' shows how far it is, 'wait ${short}' waits for it, 'kill ${short}' ends it.`);
  await say(`Its result will be /proc/${id}/result, on every node.`);
  await say(await leavingWords(safe, computer, signal));
  return 0;
}

/** Says when the submitter may leave. */
async function leavingWords(safe: Promise<void>, computer: Computer, signal: AbortSignal): Promise<string> {
  const others = computer.net.members().filter(({ isSelf, status }) => !isSelf && status === "awake");
  if (others.length === 0) return "Nobody else is here: it goes on when somebody joins, or when this node is back.";
  const isSafe = await Promise.race([
    safe.then(
      () => true,
      () => false,
    ),
    sleep(computer.clock, SAFE_WITHIN_MS, { signal }).then(() => false),
  ]);
  if (!isSafe) return "Stay a little: the others do not have all of it yet.";
  const lent = others.reduce((sum, { record }) => sum + record.coresLent, 0);
  if (lent === 0) return "It is safe to leave, but no other member lends cores now: it goes on when one does.";
  return `It is safe to leave: ${count(others.length, "other member")} ${others.length === 1 ? "knows" : "know"} it.`;
}

/** Waits here for the result; Ctrl-C ends the job. */
async function stay(id: JobId, show: JobWork["show"], context: CommandContext): Promise<number> {
  const { computer, signal, stderr, stdout, terminal } = context;
  const { jobs } = computer;
  const title = jobs.state(id)?.spec.title ?? id;
  const progress = new ProgressLine(computer, title, stderr, () => terminal.stderr);
  let isWaiting = false;
  const onState = (state: JobState): void => {
    // A progress line that stands still does not tell why.
    if (state.lacking !== undefined && !isWaiting) void say(verifyWords({ ...state, named: [] }, computer), context);
    isWaiting = state.lacking !== undefined;
    progress.update(progressOf(state, computer));
    if (state.outcome?.is === "done") progress.finish();
  };
  try {
    const result = resultOf(computer, id, { signal, onState });
    if (show !== undefined) await stdout.write(show(concat(await Array.fromAsync(result))));
    else for await (const part of result) await stdout.write(part);
    const state = jobs.state(id);
    if (state !== undefined) await say(verifyWords(state, computer), context);
    return await missing(state, context);
  } catch (error) {
    progress.hide();
    if (signal.aborted) jobs.cancel(id);
    throw error;
  }
}

async function say(lines: readonly string[], { stderr, terminal }: CommandContext): Promise<void> {
  for (const line of lines) await stderr.print(`${told(`map: ${line}`, terminal.stderr)}\n`);
}

/** Reports tasks that are not in the result, and makes the status 1. */
async function missing(state: JobState | undefined, { stderr, terminal }: CommandContext): Promise<number> {
  if (state?.outcome?.is !== "done" || state.outcome.failed === 0) return 0;
  const words = `map: ${count(state.outcome.failed, "task")} failed and left out; 'job ${shortJobId(state.id)}' says why`;
  await stderr.print(`${told(words, terminal.stderr)}\n`);
  return 1;
}

function progressOf(state: JobState, computer: Computer): JobProgress {
  const facts = factsOf(state, computer);
  return {
    chunksDone: facts.done,
    chunksTotal: facts.total,
    reading: false,
    chunksRunning: facts.running,
    byPeer: new Map(facts.nodes.map(({ peer, done }) => [peer, done])),
    reissued: facts.again,
    elapsedMs: facts.elapsedMs,
    ratePerSecond: facts.ratePerSecond,
    remainingMs: facts.remainingMs,
  };
}
