/**
 * A shell session: one shell with its jobs, in which scripts and lines run one after the other. Everything outside of
 * the language (files, commands, clock) comes in through SessionOptions.
 */
import { cancelled, StarfishError } from "../../base/errors.ts";
import { ExitJump, ShellFault } from "./faults.ts";
import type { Frame, Interpreter } from "./frame.ts";
import { jobLine } from "./job-line.ts";
import { Jobs } from "./jobs.ts";
import { runInput } from "./input-script.ts";
import { Process, statusOfSignal } from "./process.ts";
import { promptText } from "./prompt.ts";
import { SourceText } from "./source-text.ts";
import { specialVariables } from "./special.ts";
import { ShellState } from "./state.ts";
import { statusOf } from "./subshell.ts";
import { runExitTrap } from "./traps.ts";
import { setFirstVariables } from "./first-variables.ts";
import { type RunningProcess, SessionInterpreter, type SessionOptions } from "./interpreter.ts";

export interface RunOptions {
  /** Ends what runs now; the session goes on. */
  readonly signal: AbortSignal;
  /** For `$0` in messages, and BASH_SOURCE. */
  readonly name?: string;
}

/** The result of a run. */
export interface RunResult {
  readonly status: number;
  /** Whether `exit` was called, or a fault ended the shell. */
  readonly isExit: boolean;
}

export class ShellSession {
  readonly state: ShellState;
  readonly jobs: Jobs = new Jobs();
  readonly #options: SessionOptions;
  readonly #life = new AbortController();
  readonly #interpreter: SessionInterpreter;
  /** The foreground process, which gets the keyboard's signals. */
  #foreground: Process | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const pid = options.pid ?? 1000;
    this.state = new ShellState({
      name: options.name,
      cwd: options.cwd,
      pid,
      isInteractive: options.isInteractive ?? false,
      special: specialVariables(() => this.state, options),
    });
    this.#interpreter = new SessionInterpreter(options, this.#life.signal, pid);
    this.state.secondsFromMs = options.clock.monotonic();
    setFirstVariables(this.state, options);
    this.state.positional = [...(options.args ?? [])];
    if (this.state.isInteractive) {
      this.state.options.add("monitor");
      this.state.shopt.set("expand_aliases", true);
    }
  }

  /** Runs a script or a line. Never rejects because of a command. */
  run(text: string, { signal, name = "main" }: RunOptions): Promise<RunResult> {
    return this.#run(signal, (frame) => this.#interpreter.runText(text, frame, { name }));
  }

  /** Runs the commands of standard input, as they arrive. */
  runInput({ signal }: { signal: AbortSignal }): Promise<RunResult> {
    const input = this.state.descriptors.get(0);
    return this.#run(signal, (frame) => (input === undefined ? Promise.resolve(0) : runInput(input, frame)));
  }

  /** `text` with its prompt escapes and `$…` expanded. */
  prompt(text: string): Promise<string> {
    return promptText(text, this.#frame(new Process(this.state.shellPid, this.#life.signal)));
  }

  async #run(signal: AbortSignal, work: (frame: Frame) => Promise<number>): Promise<RunResult> {
    const process = new Process(this.state.shellPid, AbortSignal.any([signal, this.#life.signal]));
    const frame = this.#frame(process);
    this.state.loopDepth = 0;
    const outer = this.#foreground;
    this.#foreground = process;
    try {
      this.#interpreter.adopt(frame);
      const status = await work(frame);
      if (process.signal.aborted) throw cancelled(process.signal);
      return { status, isExit: false };
    } catch (error) {
      this.#reset();
      if (error instanceof ExitJump && !process.signal.aborted)
        return { status: await runExitTrap(error.status & 0xff, frame), isExit: true };
      const status = await statusOf(error, frame);
      this.state.status =
        process.endedBy === undefined
          ? signal.aborted
            ? statusOfSignal("INT")
            : status
          : statusOfSignal(process.endedBy);
      return {
        status: this.state.status,
        isExit: error instanceof ShellFault && error.isFatal && !this.state.isInteractive,
      };
    } finally {
      this.#foreground = outer;
      process.end();
    }
  }

  /** Cleans up what an interrupted line has left behind. */
  #reset(): void {
    this.state.loopDepth = 0;
    this.state.conditionDepth = 0;
    this.state.callDepth = 0;
    this.state.returnDepth = 0;
    this.state.calls = [];
    while (this.state.variables.depth > 1) this.state.variables.popScope();
  }

  /** Runs the EXIT trap and ends all jobs. Resolves to the session's exit status. */
  async end(status: number): Promise<number> {
    const process = new Process(this.state.shellPid, this.#life.signal);
    const frame = this.#frame(process);
    const last = await runExitTrap(status, frame).catch((error: unknown) => statusOf(error, frame));
    this.#life.abort(new StarfishError("cancelled", "The shell has ended"));
    this.#options.externals.end?.();
    await this.state.descriptors.closeAll();
    return last;
  }

  /**
   * A signal from outside. At a terminal the shell itself handles INT only; QUIT and TSTP are for the processes it
   * waits for. Returns whether anything runs that could take it.
   */
  signal(name: string): boolean {
    const process = this.#foreground;
    if (process === undefined) return false;
    if (!this.state.isInteractive || !KEYBOARD_ONLY.has(name)) process.kill(name);
    else for (const child of [...process.children]) child.kill(name);
    return true;
  }

  /** Reports about ended jobs that have not been shown yet. */
  takeReports(): string {
    const lines: string[] = [];
    for (const job of [...this.jobs.all]) {
      if (job.status === undefined || job.isReported) continue;
      lines.push(jobLine(job, this.jobs));
      this.jobs.remove(job);
    }
    return lines.join("");
  }

  /** The number of subshells, stages, jobs and commands that run now. */
  get processCount(): number {
    return this.#interpreter.processCount;
  }

  get interpreter(): Interpreter {
    return this.#interpreter;
  }

  /** The shell itself first, while it runs something or has background jobs. */
  running(): RunningProcess[] {
    const { cwd, variables, shellPid } = this.state;
    const begun = this.#interpreter.running(shellPid);
    if (this.#foreground === undefined && begun.length === 0) return [];
    const process = this.#foreground ?? new Process(shellPid);
    return [{ process, parent: shellPid - 1, cwd, environment: variables.environment() }, ...begun];
  }

  /** A frame for expanding a prompt and the like in this shell. */
  frame(signal: AbortSignal): Frame {
    return this.#frame(new Process(this.state.shellPid, signal));
  }

  #frame(process: Process): Frame {
    const { files, clock } = this.#options;
    return {
      state: this.state,
      files,
      clock,
      process,
      jobs: this.jobs,
      signal: process.signal,
      interpreter: this.#interpreter,
      source: new SourceText(""),
    };
  }
}

/** Signals that an interactive shell ignores itself. */
const KEYBOARD_ONLY = new Set(["QUIT", "TSTP"]);
