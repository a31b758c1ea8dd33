/**
 * The swarm's jobs, as the map `proc` has them: the jobs, their cancellations, and their outcomes. An entry that says
 * something impossible is ignored, counted, and logged once.
 */
import { equal } from "../base/bytes.ts";
import type { Unsubscribe } from "../base/events.ts";
import { Listeners } from "../base/events.ts";
import type { MapEntry, ReplicatedMap } from "../memory/types.ts";
import { isSignedBy } from "../net/identity/statement.ts";
import type { Net } from "../net/types.ts";
import type { Log } from "../ports/log.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { PeerId } from "../ports/network.ts";
import { confirmationOf } from "./ending.ts";
import {
  type Confirmation,
  JOB_ID,
  type JobEntry,
  readCancel,
  readConfirmation,
  readJob,
  readOutcome,
  writable,
} from "./entries.ts";
import type { FinishedOutcome } from "./finish.ts";
import {
  CONFIRMATIONS_MAX,
  DISTRUST_MS,
  JOB_KEPT_MS,
  JOBS_KNOWN_MAX,
  MEMBERS_KNOWN_MS,
  READ_KEPT_MS,
} from "./limits.ts";
import { contentsOf } from "./spec.ts";
import type { JobId, JobOutcome } from "./types.ts";
import { RADIX, type Writers } from "./view.ts";

export interface JobRecord extends JobEntry {
  readonly id: JobId;
  /** The outcome; undefined while the job runs. */
  readonly outcome: JobOutcome | undefined;
}

export interface BookParts {
  readonly net: Net;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly writers: Writers;
}

interface Said extends Confirmation {
  /** Undefined until it has been checked. */
  isSigned: boolean | undefined;
}

/** The purpose for which confirmations are signed. */
const CONFIRM = "outcome of a job";

export class Book {
  readonly #map: ReplicatedMap;
  readonly #parts: BookParts;
  readonly #jobs = new Map<JobId, JobEntry>();
  /** Outcomes, as any member has written them. */
  readonly #outcomes = new Map<JobId, FinishedOutcome>();
  /** Outcomes of verified jobs that enough nodes have confirmed. */
  readonly #confirmed = new Map<JobId, FinishedOutcome>();
  readonly #confirmations = new Map<JobId, Map<string, Said>>();
  readonly #cancelled = new Map<JobId, JobOutcome>();
  readonly #changed = new Listeners<JobId>();
  readonly #stop: Unsubscribe;
  #setAside = 0;

  constructor(map: ReplicatedMap, parts: BookParts) {
    this.#map = map;
    this.#parts = parts;
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
    const finished = job.spec.verify === undefined ? this.#outcomes.get(id) : this.#confirmed.get(id);
    return { ...job, id, outcome: finished ?? this.#cancelled.get(id) };
  }

  /** The outcome that a node proposes for a verified job. */
  proposal(id: JobId): FinishedOutcome | undefined {
    return this.#outcomes.get(id);
  }

  /** This node has found the same outcome. Throws as `ReplicatedMap.set`. */
  confirm(id: JobId, outcome: FinishedOutcome): void {
    const { net } = this.#parts;
    const hash = this.#hashOf(id, outcome);
    const value = { by: net.self, hash, signature: net.sign(CONFIRM, hash) };
    this.#map.set(`v/${id}/${this.#numberOf(net.self)}`, value, { expiresInMs: JOB_KEPT_MS });
  }

  /** Nodes that gave other answers in a verified job lately. */
  distrusted(): ReadonlySet<PeerId> {
    const sinceMs = this.#map.now() - DISTRUST_MS;
    const bad = new Set<PeerId>();
    for (const { named = [], finishedAtMs } of this.#confirmed.values()) {
      if (finishedAtMs >= sinceMs) for (const { peer } of named) bad.add(peer);
    }
    return bad;
  }

  /** All jobs that are considered, the oldest first. */
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

  /** Its submitter has read the result, so it is kept for no more than a week. */
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
    const confirmations = Array.from(this.#map.entries(`v/${id}/`), ({ key }) => key);
    this.#map.batch([`j/${id}`, `r/${id}`, `c/${id}`, ...confirmations].map((key) => ({ key, deleted: true })));
  }

  /** CIDs of the contents that jobs need, and of their results. */
  *references(): Iterable<string> {
    for (const { id, spec, outcome } of this.all()) {
      if (outcome === undefined) for (const { cid } of contentsOf(spec)) yield cid;
      // A proposed result has to be kept, so that others can confirm it.
      const finished = outcome ?? this.#outcomes.get(id);
      if (finished?.is !== "done") continue;
      for (const content of [finished.result, finished.ends]) {
        if (content !== undefined && "cid" in content) yield content.cid;
      }
    }
  }

  close(): void {
    this.#stop();
  }

  /** The job that an entry describes, if the entry is possible. */
  #take(key: string, entry: MapEntry | undefined): JobId | undefined {
    const kind = key.slice(0, 2);
    const id = kind === "v/" ? key.slice(2, key.indexOf("/", 2)) : key.slice(2);
    if (!JOB_ID.test(id)) return this.#refuse(key);
    const value = entry?.value;
    if (kind === "j/") {
      let job = entry === undefined ? undefined : readJob(value);
      // A job belongs to the node that wrote it. Otherwise a member could use up another's share of jobs.
      if (job !== undefined && this.#parts.writers.numberOf(job.by) !== entry?.version.writer) job = undefined;
      if (job === undefined) this.#jobs.delete(id);
      else this.#jobs.set(id, job);
      if (job === undefined) this.#confirmed.delete(id);
      else this.#count(id);
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
      this.#count(id);
    } else if (kind === "v/") {
      if (!this.#takeConfirmation(id, key, value)) return this.#refuse(key);
      this.#count(id);
    } else return this.#refuse(key);
    return id;
  }

  /**
   * Counts whether enough nodes have confirmed the proposed outcome. Once they have, another proposal does not change
   * that.
   */
  #count(id: JobId): void {
    const [job, outcome] = [this.#jobs.get(id), this.#outcomes.get(id)];
    const { verify } = job?.spec ?? {};
    if (job === undefined || outcome === undefined || verify === undefined) return;
    const { net, crypto } = this.#parts;
    const hash = this.#hashOf(id, outcome);
    // The members that confirmed the result of an old job may be forgotten by now.
    const isOld = this.#map.now() - job.atMs > MEMBERS_KNOWN_MS;
    const devices = new Set<string>();
    for (const said of this.#confirmations.get(id)?.values() ?? []) {
      const member = net.member(said.by);
      if ((member === undefined && !isOld) || !equal(said.hash, hash)) continue;
      said.isSigned ??= isSignedBy(crypto, said.by, CONFIRM, hash, said.signature);
      if (said.isSigned) devices.add(member?.record.device ?? said.by);
    }
    if (devices.size >= verify.agree) this.#confirmed.set(id, outcome);
  }

  /**
   * Takes in a confirmation. Their number for each job is bounded, because anybody may write some; those of members
   * come first.
   */
  #takeConfirmation(id: JobId, key: string, value: unknown): boolean {
    const all = this.#confirmations.get(id) ?? new Map<string, Said>();
    all.delete(key);
    const said = value === undefined ? undefined : readConfirmation(value);
    if (said !== undefined && key === `v/${id}/${this.#numberOf(said.by)}`) {
      const isMember = (by: PeerId): boolean => this.#parts.net.member(by) !== undefined;
      const stranger = all.size < CONFIRMATIONS_MAX ? undefined : [...all].find(([, { by }]) => !isMember(by))?.[0];
      if (stranger !== undefined && isMember(said.by)) all.delete(stranger);
      if (all.size < CONFIRMATIONS_MAX) all.set(key, { ...said, isSigned: undefined });
    }
    if (all.size === 0) this.#confirmations.delete(id);
    else this.#confirmations.set(id, all);
    return value === undefined || said !== undefined;
  }

  #numberOf(peer: PeerId): string {
    return this.#parts.writers.numberOf(peer).toString(RADIX);
  }

  #hashOf(id: JobId, outcome: FinishedOutcome): Uint8Array {
    return confirmationOf((message) => this.#parts.crypto.sha256(message), id, outcome);
  }

  #refuse(key: string): undefined {
    if (this.#setAside++ === 0) this.#parts.log.write("warn", "jobs.set-aside", { key: key.slice(0, 40) });
  }
}
