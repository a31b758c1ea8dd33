/**
 * The swarm's jobs as the map `proc` has them: who submitted what, what is cancelled, and how what is over ended. An entry
 * that says what can't be is as if it were not there, counted and told once.
 */
import type { Unsubscribe } from "../base/events.ts";
import { Listeners } from "../base/events.ts";
import type { MapEntry, ReplicatedMap } from "../memory/types.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import { JOB_ID, type JobEntry, readCancel, readJob, readOutcome, writable } from "./entries.ts";
import { JOB_KEPT_MS, JOBS_KNOWN_MAX, READ_KEPT_MS } from "./limits.ts";
import { contentsOf } from "./spec.ts";
import type { JobId, JobOutcome } from "./types.ts";
import type { Writers } from "./view.ts";

export interface JobRecord extends JobEntry {
  readonly id: JobId;
  /** How it ended; undefined while it runs. */
  readonly outcome: JobOutcome | undefined;
}

export class Book {
  readonly #map: ReplicatedMap;
  readonly #writers: Writers;
  readonly #log: Log;
  readonly #jobs = new Map<JobId, JobEntry>();
  readonly #outcomes = new Map<JobId, JobOutcome>();
  readonly #cancelled = new Map<JobId, JobOutcome>();
  readonly #changed = new Listeners<JobId>();
  readonly #stop: Unsubscribe;
  #setAside = 0;

  constructor(map: ReplicatedMap, writers: Writers, log: Log) {
    this.#map = map;
    this.#writers = writers;
    this.#log = log;
    for (const entry of map.entries()) this.#take(entry.key, entry);
    this.#stop = map.watch("", ({ key, entry }) => {
      const id = this.#take(key, entry);
      if (id !== undefined) this.#changed.emit(id);
    });
  }

  get map(): ReplicatedMap {
    return this.#map;
  }

  get(id: JobId): JobRecord | undefined {
    const job = this.#jobs.get(id);
    if (job === undefined) return undefined;
    return { ...job, id, outcome: this.#outcomes.get(id) ?? this.#cancelled.get(id) };
  }

  /** All that are considered, the oldest first. */
  all(): JobRecord[] {
    const all = [...this.#jobs].map(([id, { atMs }]) => ({ id, atMs }));
    all.sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
    return all.slice(0, JOBS_KNOWN_MAX).flatMap(({ id }) => this.get(id) ?? []);
  }

  onChange(listener: (id: JobId) => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  /** Throws as `ReplicatedMap.set`. */
  submit(id: JobId, entry: JobEntry): void {
    this.#map.set(`j/${id}`, writable(entry), { expiresInMs: JOB_KEPT_MS });
  }

  cancel(id: JobId, by: PeerId): void {
    this.#map.set(`c/${id}`, { by, atMs: Math.round(this.#map.now()) }, { expiresInMs: JOB_KEPT_MS });
  }

  finish(id: JobId, outcome: Exclude<JobOutcome, { is: "cancelled" }>): void {
    this.#map.set(`r/${id}`, writable(outcome), { expiresInMs: JOB_KEPT_MS });
  }

  /** Its submitter has read the result: it need not be kept longer than a week. */
  haveRead(id: JobId): void {
    const [job, outcome] = [this.#map.entry(`j/${id}`), this.#map.entry(`r/${id}`)];
    const finishedAtMs = this.#outcomes.get(id)?.finishedAtMs;
    if (job === undefined || outcome === undefined || finishedAtMs === undefined) return;
    const expiresInMs = finishedAtMs + READ_KEPT_MS - this.#map.now();
    if (expiresInMs <= 0 || (outcome.expiresAtMs ?? 0) <= this.#map.now() + expiresInMs) return;
    this.#map.batch([job, outcome].map(({ key, value }) => ({ key, value, expiresInMs })));
  }

  /** Forgets a job that is over. */
  remove(id: JobId): void {
    this.#map.batch([`j/${id}`, `r/${id}`, `c/${id}`].map((key) => ({ key, deleted: true })));
  }

  /** CIDs of what jobs need and have given. */
  *references(): Iterable<string> {
    for (const { spec, outcome } of this.all()) {
      if (outcome === undefined) for (const { cid } of contentsOf(spec)) yield cid;
      if (outcome?.is !== "done") continue;
      for (const content of [outcome.result, outcome.ends]) {
        if (content !== undefined && "cid" in content) yield content.cid;
      }
    }
  }

  close(): void {
    this.#stop();
  }

  /** The job of which an entry speaks, if it says what can be. */
  #take(key: string, entry: MapEntry | undefined): JobId | undefined {
    const id = key.slice(2);
    if (!JOB_ID.test(id)) return this.#refuse(key);
    const kind = key.slice(0, 2);
    const value = entry?.value;
    if (kind === "j/") {
      let job = entry === undefined ? undefined : readJob(value);
      // A job is its writer's: whoever names another could fill that one's share.
      if (job !== undefined && this.#writers.numberOf(job.by) !== entry?.version.writer) job = undefined;
      if (job === undefined) this.#jobs.delete(id);
      else this.#jobs.set(id, job);
      if (job === undefined && entry !== undefined) return this.#refuse(key);
    } else if (kind === "c/") {
      const cancel = entry === undefined ? undefined : readCancel(value);
      if (cancel === undefined) this.#cancelled.delete(id);
      else this.#cancelled.set(id, { is: "cancelled", by: cancel.by, finishedAtMs: cancel.atMs });
      if (cancel === undefined && entry !== undefined) return this.#refuse(key);
    } else if (kind === "r/") {
      const outcome = entry === undefined ? undefined : readOutcome(value);
      if (outcome === undefined) this.#outcomes.delete(id);
      else this.#outcomes.set(id, outcome);
      if (outcome === undefined && entry !== undefined) return this.#refuse(key);
    } else return this.#refuse(key);
    return id;
  }

  #refuse(key: string): undefined {
    if (this.#setAside++ === 0) this.#log.write("warn", "jobs.set-aside", { key: key.slice(0, 40) });
  }
}
