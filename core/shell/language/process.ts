/**
 * A process of the shell: the shell itself, a subshell, a stage of a pipe, a background job. It has a number, can be
 * sent signals, stopped and continued.
 */
import { StarfishError } from "../../base/errors.ts";

export const SIGNALS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
};

/** "INT" for "2", "int", "SIGINT"; undefined for an unknown signal. */
export function signalName(text: string): string | undefined {
  if (/^\d+$/.test(text)) return Object.entries(SIGNALS).find(([, number]) => number === Number(text))?.[0];
  const name = text.toUpperCase().replace(/^SIG/, "");
  return Object.hasOwn(SIGNALS, name) ? name : undefined;
}

/** Signals that have no effect on a process without a trap for them. */
const HARMLESS = new Set(["CHLD", "CONT", "URG", "WINCH"]);
const STOPPING = new Set(["STOP", "TSTP", "TTIN", "TTOU"]);

export class Process {
  readonly pid: number;
  readonly children: Set<Process> = new Set();
  /** The command that it runs now, or ran last. */
  words: readonly string[] = [];
  readonly #controller = new AbortController();
  readonly #pending: string[] = [];
  #resumed: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  #endedBy: string | undefined;
  #wake: (() => void) | undefined;
  /** Whether a trap catches the signal (true) or ignores it (false). */
  trapped: ((signal: string) => boolean | undefined) | undefined;
  onStopped: (() => void) | undefined;

  constructor(pid: number, outer?: AbortSignal) {
    this.pid = pid;
    if (outer === undefined) return;
    const stop = (): void => this.#controller.abort(outer.reason);
    if (outer.aborted) stop();
    else outer.addEventListener("abort", stop, { once: true, signal: this.#controller.signal });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Frees its resources without an abort; nothing of this process runs any more. */
  end(): void {
    this.continue();
    this.#controller.abort(new StarfishError("cancelled", "The process has ended"));
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** The signal that ended it, if one did. */
  get endedBy(): string | undefined {
    return this.#endedBy;
  }

  /** Sends a signal, also to those of its children that are of the same job. */
  kill(name: string): void {
    for (const child of this.children) child.kill(name);
    const caught = name === "KILL" || name === "STOP" ? undefined : this.trapped?.(name);
    if (caught === false) return;
    if (caught === true) {
      if (this.#pending.length < 64) this.#pending.push(name);
      this.#wake?.();
      return;
    }
    if (STOPPING.has(name)) return this.stop();
    if (name === "CONT") return this.continue();
    if (HARMLESS.has(name)) return;
    this.#endedBy ??= name;
    this.continue();
    this.#controller.abort(new StarfishError("cancelled", `Ended by SIG${name}`));
  }

  stop(): void {
    for (const child of this.children) child.stop();
    if (this.#stopped !== undefined) return;
    this.#stopped = new Promise((resolve) => (this.#resumed = resolve));
    this.onStopped?.();
  }

  continue(): void {
    for (const child of this.children) child.continue();
    this.#stopped = undefined;
    this.#resumed?.();
  }

  /** Lets other work of the thread have its turn; undefined if it is not time for that. */
  pause: (() => Promise<void> | undefined) | undefined;

  /**
   * Wait for this before each piece that is read or written: until the process is not stopped, and others had their
   * turn.
   */
  rest(): Promise<void> | undefined {
    return this.#stopped ?? this.pause?.();
  }

  /** Resolves when it is not stopped; undefined if nobody has to wait. */
  turn(): Promise<void> | undefined {
    return this.#stopped;
  }

  /** Resolves when it is not stopped any more, however often it is stopped meanwhile. */
  async goesOn(): Promise<void> {
    while (this.#stopped !== undefined) await this.#stopped;
  }

  /** The next caught signal whose trap has to be run. */
  takePending(): string | undefined {
    return this.#pending.shift();
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  get nextPending(): string | undefined {
    return this.#pending[0];
  }

  /** Resolves when a caught signal arrives; `wait` waits for this too. */
  caught(): Promise<void> {
    if (this.hasPending) return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/** The exit status of a process that a signal has ended. */
export function statusOfSignal(name: string | undefined): number {
  return 128 + (SIGNALS[name ?? "INT"] ?? 2);
}
