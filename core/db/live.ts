/**
 * Answers that follow the tables. While somebody listens, the query is run again when something that it reads has
 * changed.
 */
import { toStarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { Clock } from "../ports/clock.ts";
import { LIVE_EVERY_MS } from "./limits.ts";
import type { DatabaseChange } from "./follower.ts";
import type { LiveQuery, QueryOptions, Snapshot, SqlResult, SqlValue } from "./types.ts";

export interface Watched {
  readonly clock: Clock;
  /** Called with each change, including changes of the computer's tables that `sql` names. */
  onChange(listener: (change: DatabaseChange) => void, sql: string): Unsubscribe;
}

/** An answer, and the tables from which it was read. */
export interface ReadResult<Row> extends SqlResult<Row> {
  readonly reads: readonly string[];
}

export class LiveAnswer<Row> implements LiveQuery<Row> {
  readonly #watched: Watched;
  readonly #sql: string;
  readonly #run: (options: QueryOptions) => Promise<ReadResult<Row>>;
  readonly #listeners = new Listeners<Snapshot<Row>>();
  #snapshot: Snapshot<Row> = { rows: [], columns: [], isReady: false, error: undefined };
  /** The tables of the last answer. Undefined: there is none, and any change may make one possible. */
  #reads: ReadonlySet<string> | undefined;
  #schemaChanges = 0;
  #stop: Unsubscribe | undefined;
  #ended = new AbortController();
  #isRunning = false;
  #isStale = false;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(watched: Watched, sql: string, run: (options: QueryOptions) => Promise<ReadResult<Row>>) {
    this.#watched = watched;
    this.#sql = sql;
    this.#run = run;
  }

  readonly current = (): Snapshot<Row> => this.#snapshot;

  readonly subscribe = (listener: (snapshot: Snapshot<Row>) => void): Unsubscribe => {
    // Two subscriptions with the same function are two.
    const remove = this.#listeners.add((snapshot) => listener(snapshot));
    if (this.#stop === undefined) this.#start();
    else if (this.#snapshot.isReady) listener(this.#snapshot);
    return () => {
      remove();
      if (this.#listeners.size === 0) this.#end();
    };
  };

  async *[Symbol.asyncIterator](): AsyncGenerator<Snapshot<Row>, void, undefined> {
    let seen: Snapshot<Row> | undefined;
    let wake: () => void = () => {};
    const stop = this.subscribe(() => wake());
    try {
      for (;;) {
        const snapshot = this.#snapshot;
        if (snapshot.isReady && snapshot !== seen) {
          seen = snapshot;
          yield snapshot;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      stop();
    }
  }

  #start(): void {
    this.#ended = new AbortController();
    this.#reads = undefined;
    this.#stop = this.#watched.onChange((change) => {
      if (this.#concerns(change)) this.#stale();
    }, this.#sql);
    this.#stale();
  }

  #end(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#ended.abort();
  }

  #concerns({ tables, isOfSchema }: DatabaseChange): boolean {
    const reads = this.#reads;
    if (isOfSchema) {
      this.#schemaChanges++;
      this.#reads = undefined;
    }
    if (reads === undefined || isOfSchema) return true;
    for (const table of reads) if (tables.has(table)) return true;
    return false;
  }

  #stale(): void {
    this.#isStale = true;
    if (!this.#isRunning) void this.#follow(this.#ended.signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    while (this.#isStale && !signal.aborted) {
      const { clock } = this.#watched;
      const waitMs = this.#lastMs + LIVE_EVERY_MS - clock.monotonic();
      if (waitMs > 0) await new Promise<void>((resolve) => void clock.timer(waitMs, resolve));
      if (signal.aborted) break;
      this.#isStale = false;
      this.#lastMs = clock.monotonic();
      await this.#ask(signal);
    }
    this.#isRunning = false;
    if (signal.aborted && this.#stop !== undefined) this.#stale();
  }

  async #ask(signal: AbortSignal): Promise<void> {
    let next: Snapshot<Row>;
    const schemaChanges = this.#schemaChanges;
    try {
      const { rows, columns, reads } = await this.#run({ signal });
      // After another change of the schema it may read other tables.
      this.#reads = schemaChanges === this.#schemaChanges ? new Set(reads) : undefined;
      next = { rows, columns, isReady: true, error: undefined };
    } catch (thrown) {
      if (signal.aborted) return;
      this.#reads = undefined;
      const error = toStarfishError(thrown, "io");
      next = { ...this.#snapshot, isReady: true, error };
      if (error.message === this.#snapshot.error?.message) return;
    }
    if (signal.aborted || (this.#snapshot.isReady && isSame(this.#snapshot, next))) return;
    this.#snapshot = next;
    this.#listeners.emit(next);
  }
}

function isSame<Row>(a: Snapshot<Row>, b: Snapshot<Row>): boolean {
  if (a.error !== b.error || a.rows.length !== b.rows.length || a.columns.join("\0") !== b.columns.join("\0"))
    return false;
  return a.rows.every((row, i) => isSameRow(row as SqlRecord, b.rows[i] as SqlRecord));
}

type SqlRecord = Readonly<Record<string, SqlValue>>;

function isSameRow(a: SqlRecord, b: SqlRecord): boolean {
  for (const name in a) {
    const [x, y] = [a[name], b[name]];
    if (x === y) continue;
    const isBytes = x instanceof Uint8Array && y instanceof Uint8Array && x.length === y.length;
    if (!isBytes || !x.every((byte, i) => byte === y[i])) return false;
  }
  return true;
}
