/** Background pipelines of one shell: `&`, `jobs`, `wait`, `fg`, `bg`, `kill %1`. */
import type { Process } from "./process.ts";

export interface Job {
  readonly number: number;
  readonly process: Process;
  /** Its text, as typed. */
  readonly text: string;
  /** Resolves to its exit status; never rejects. */
  readonly ended: Promise<number>;
  status: number | undefined;
  /** Whether its end has been reported. */
  isReported: boolean;
  isBackground: boolean;
}

export class Jobs {
  readonly #jobs: Job[] = [];
  /** Statuses of jobs that are no longer in the list, for `wait PID`. */
  readonly #ended = new Map<number, number>();
  onChange: ((job: Job) => void) | undefined;
  readonly #outer: Jobs | undefined;

  /** `outer`: the jobs of the shell of which this one is a copy. */
  constructor(outer?: Jobs) {
    this.#outer = outer;
  }

  add(process: Process, text: string, ended: Promise<number>, isBackground = true): Job {
    const number = (this.#jobs.at(-1)?.number ?? 0) + 1;
    const job: Job = { number, process, text, ended, status: undefined, isReported: false, isBackground };
    this.#jobs.push(job);
    void ended.then((status) => {
      job.status = status;
      this.#remember(process.pid, status);
      this.onChange?.(job);
    });
    return job;
  }

  #remember(pid: number, status: number): void {
    this.#ended.set(pid, status);
    if (this.#ended.size > 1024) this.#ended.delete(this.#ended.keys().next().value ?? pid);
  }

  /** The jobs that `jobs` lists. A copy of a shell without jobs of its own lists that shell's (`$(jobs -p)`). */
  get shown(): readonly Job[] {
    return this.#jobs.length > 0 || this.#outer === undefined ? this.#jobs : this.#outer.shown;
  }

  get all(): readonly Job[] {
    return this.#jobs;
  }

  get running(): readonly Job[] {
    return this.#jobs.filter(({ status }) => status === undefined);
  }

  get current(): Job | undefined {
    return this.#jobs.findLast(({ process, status }) => status === undefined && process.isStopped) ?? this.#jobs.at(-1);
  }

  get previous(): Job | undefined {
    const { current } = this;
    return this.#jobs.findLast((job) => job !== current) ?? current;
  }

  remove(job: Job): void {
    const index = this.#jobs.indexOf(job);
    if (index >= 0) this.#jobs.splice(index, 1);
  }

  statusOf(pid: number): number | undefined {
    return this.#ended.get(pid);
  }

  /** Finds `%1`, `%%`, `%+`, `%-`, `%text`, `%?text`, or a process number; "ambiguous" if several match. */
  find(spec: string): Job | undefined | "ambiguous" {
    if (/^\d+$/.test(spec)) return this.#jobs.find(({ process }) => process.pid === Number(spec));
    if (!spec.startsWith("%")) return undefined;
    const name = spec.slice(1);
    if (name === "" || name === "%" || name === "+") return this.current;
    if (name === "-") return this.previous;
    if (/^\d+$/.test(name)) return this.#jobs.find(({ number }) => number === Number(name));
    const matching = this.#jobs.filter(({ text }) =>
      name.startsWith("?") ? text.includes(name.slice(1)) : text.startsWith(name),
    );
    return matching.length > 1 ? "ambiguous" : matching[0];
  }
}
