/**
 * Runs command lines: the stages of a pipe at the same time, each with streams of its own; the status of a pipe is that
 * of its last stage. When the signal aborts, everything that waits on a stream ends and the status is 130, as in bash.
 */
import { cancelled, isStarfishError, messageOf } from "../base/errors.ts";
import type { Computer } from "../computer.ts";
import { abortable } from "../ports/clock.ts";
import { builtinCommands } from "./commands/index.ts";
import { complete, type Completion } from "./complete.ts";
import { fitted } from "./format.ts";
import { parse, SyntaxFault, type Step, type Words } from "./parse.ts";
import { createPipe } from "./pipe.ts";
import { sinkTo } from "./sink.ts";
import { STATUS } from "./status.ts";
import { suggest } from "./suggest.ts";
import { compose, type Text } from "./styled.ts";
import type { Command, Host, Io, Sink } from "./types.ts";

export interface Shell {
  /** The status of the last pipe that ran. Never rejects for what a command does; errors are printed to stderr. */
  run(line: string, io: Io, options: { signal: AbortSignal }): Promise<number>;
  complete(line: string, cursor: number): Completion;
}

/** `commands` are tried before the built-in ones; the page adds its own that way. */
export function createShell(computer: Computer, host: Host, commands: readonly Command[] = []): Shell {
  const table = new Map<string, Command>();
  for (const command of [...builtinCommands(() => [...table.values()]), ...commands]) table.set(command.name, command);
  return {
    run: async (line, io, { signal }) => {
      const stdout = sinkTo(io.stdout, () => io.terminal.stdout !== undefined);
      const stderr = sinkTo(io.stderr, () => io.terminal.stderr !== undefined);
      const safe: SafeIo = { stdin: io.stdin, stdout, stderr, terminal: io.terminal };
      try {
        return await runLine(line, { computer, host, table, io: safe, signal });
      } finally {
        for (const sink of [stdout, stderr]) await sink.flush().catch(ignoreClosed);
      }
    },
    complete: (line, cursor) => complete(line, cursor, table, computer),
  };
}

interface SafeIo extends Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

interface Run {
  readonly computer: Computer;
  readonly host: Host;
  readonly table: ReadonlyMap<string, Command>;
  readonly io: SafeIo;
  readonly signal: AbortSignal;
}

async function runLine(line: string, run: Run): Promise<number> {
  let steps: Step[];
  try {
    steps = parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    await print(run.io.stderr, `starfish: ${error.message} (at character ${error.position + 1})\n`);
    return STATUS.syntax;
  }
  const stdin = shareable(run.io.stdin);
  let status: number = STATUS.ok;
  for (const step of steps) {
    if (run.signal.aborted) return STATUS.interrupted;
    if (step.when === "on-success" && status !== 0) continue;
    if (step.when === "on-failure" && status === 0) continue;
    status = await runPipe(step.stages, { ...run, io: { ...run.io, stdin } });
  }
  return status;
}

/** Stages run at once. A stage that ends closes its ends of the pipes, so that its neighbours notice. */
async function runPipe(stages: readonly Words[], run: Run): Promise<number> {
  const pipes = stages.slice(1).map(() => createPipe());
  const running = stages.map(async (words, index) => {
    const before = pipes[index - 1];
    const after = pipes[index];
    const io: SafeIo = {
      stdin: before?.input ?? run.io.stdin,
      stdout: after === undefined ? run.io.stdout : sinkTo(after.output, () => false),
      stderr: run.io.stderr,
      terminal: after === undefined ? run.io.terminal : onlyStderr(run.io),
    };
    try {
      return await runCommand(words, { ...run, io });
    } finally {
      after?.output.end();
      before?.close();
    }
  });
  const statuses = await Promise.all(running);
  return run.signal.aborted ? STATUS.interrupted : (statuses.at(-1) ?? STATUS.ok);
}

async function runCommand(words: Words, run: Run): Promise<number> {
  const [name = "", ...args] = words;
  const command = run.table.get(name);
  if (command === undefined) {
    const near = suggest(name, run.table.keys());
    const hint = near === undefined ? "'help' lists what there is" : `did you mean '${near}'?`;
    await print(run.io.stderr, `${name}: there is no such command; ${hint}\n`);
    return STATUS.notFound;
  }
  const { signal, computer, host } = run;
  const io: SafeIo = {
    stdin: untilAborted(run.io.stdin, signal),
    stdout: sinkUntilAborted(run.io.stdout, signal),
    stderr: sinkUntilAborted(run.io.stderr, signal),
    terminal: run.io.terminal,
  };
  try {
    const wantsHelp = args.includes("--help") && (command.verbatim !== true || args.length === 1);
    if (wantsHelp) {
      await print(io.stdout, compose`${fitted(command.help.trim(), io.terminal.stdout)}\n`);
      return STATUS.ok;
    }
    return await command.run({ ...io, computer, host, args, signal, lastWords: run.io.stderr });
  } catch (error) {
    return await report(name, error, run);
  }
}

async function report(name: string, error: unknown, run: Run): Promise<number> {
  if (run.signal.aborted || isStarfishError(error, "cancelled")) return STATUS.interrupted;
  if (isStarfishError(error, "closed")) return STATUS.brokenPipe;
  await print(run.io.stderr, `${name}: ${messageOf(error)}\n`);
  if (!isStarfishError(error, "usage")) return STATUS.failed;
  await print(run.io.stderr, `Try '${name} --help'.\n`);
  return STATUS.usage;
}

/** Errors are written as far as somebody reads them. */
async function print(output: Sink, text: Text): Promise<void> {
  await output.print(text).catch(ignoreClosed);
}

function ignoreClosed(error: unknown): void {
  if (!isStarfishError(error)) throw error;
}

function onlyStderr(io: SafeIo): Io["terminal"] {
  return {
    get stderr() {
      return io.terminal.stderr;
    },
  };
}

/** A stream that several commands read one after the other: leaving a loop over it does not end it. */
function shareable(stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let iterator: AsyncIterator<Uint8Array> | undefined;
  const next = (): Promise<IteratorResult<Uint8Array>> => {
    iterator ??= stream[Symbol.asyncIterator]();
    return iterator.next();
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

function untilAborted(stream: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = stream[Symbol.asyncIterator]();
      return { next: () => abortable(signal, iterator.next()) };
    },
  };
}

function sinkUntilAborted(sink: Sink, signal: AbortSignal): Sink {
  const guarded = (write: () => Promise<void>): Promise<void> =>
    signal.aborted ? Promise.reject(cancelled(signal)) : abortable(signal, write());
  return {
    write: (bytes) => guarded(() => sink.write(bytes)),
    print: (text) => guarded(() => sink.print(text)),
  };
}
