/**
 * What runs on this node in all of its shells: numbers that are given once, and who has which. A session is here while
 * something of it runs.
 */
import { Listeners, type Unsubscribe } from "../../../base/events.ts";
import type { RunningProcess } from "../../language/interpreter.ts";
import type { ShellSession } from "../../language/session.ts";

/** As the first shell of a machine has it in bash's own examples: small numbers are taken for something else. */
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

  /** Runs a line of a session, which is among those that run meanwhile, and as long as it has jobs. */
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

  /** When something begins or ends. */
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
