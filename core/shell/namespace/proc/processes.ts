/**
 * The processes of all shells of this node. Numbers are used only once. A session is listed while something of it runs.
 */
import { Listeners, type Unsubscribe } from "../../../base/events.ts";
import type { RunningProcess } from "../../language/interpreter.ts";
import type { ShellSession } from "../../language/session.ts";

/** The first number. Smaller ones could be mistaken for numbers of jobs (`%1`). */
const FIRST_PID = 1_000;

export class Processes {
  readonly #sessions = new Set<ShellSession>();
  readonly #changed = new Listeners<void>();
  #last: number = FIRST_PID - 1;

  newPid(): number {
    const pid = ++this.#last;
    this.#changed.emit();
    return pid;
  }

  /** Runs a line of a session. The session is listed meanwhile, and as long as it has jobs. */
  async during<T>(session: ShellSession, run: () => Promise<T>): Promise<T> {
    this.#sessions.add(session);
    this.#changed.emit();
    try {
      return await run();
    } finally {
      this.#settle(session);
    }
  }

  running(): RunningProcess[] {
    return [...this.#sessions].flatMap((session) => session.running());
  }

  find(pid: number): RunningProcess | undefined {
    return this.running().find(({ process }) => process.pid === pid);
  }

  /** Called when something begins or ends. */
  onChange(listener: () => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  #settle(session: ShellSession): void {
    this.#changed.emit();
    if (session.running().length === 0) {
      this.#sessions.delete(session);
      return;
    }
    for (const { ended } of session.jobs.running) void ended.then(() => this.#settle(session));
  }
}

/** One for each node. */
const known = new WeakMap<object, Processes>();

export function processesOf(computer: object): Processes {
  const processes = known.get(computer) ?? new Processes();
  known.set(computer, processes);
  return processes;
}
