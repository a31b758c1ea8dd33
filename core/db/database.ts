/**
 * Runs the shared database: it decides who may use the index when, and puts the changes of a transaction into the map.
 */
import { isStarfishError, StarfishError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import type { MapWrite, ReplicatedMap } from "../memory/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { SqlEngine } from "../ports/sql-engine.ts";
import { AnswerCursor } from "./answer-cursor.ts";
import type { ComputerTable } from "./computer-table.ts";
import type { Captured, StatementAnswer, StatementCall } from "./engine/messages.ts";
import { type DatabaseChange, Follower } from "./follower.ts";
import type { History } from "./history.ts";
import { IndexClient, isLoss } from "./index-client.ts";
import { type GroupOutcomes, Groups } from "./groups.ts";
import { type LargeStore, LargeValues } from "./large-values.ts";
import {
  FILL_ROWS,
  INDEX_BYTES_MAX,
  QUERY_MS_MAX,
  TOO_LARGE_AGAIN_MS,
  TOO_LARGE_TABLES_MAX,
  UPDATE_MS_MAX,
} from "./limits.ts";
import { READING } from "./query.ts";
import { firstWord } from "./schema/tokens.ts";
import { openTransaction } from "./transaction.ts";
import { type Release, Turns } from "./turns.ts";
import type {
  Conflict,
  Cursor,
  DatabaseStat,
  QueryOptions,
  RowVersion,
  SchemaObject,
  SqlFile,
  SqlParameters,
  SqlValue,
  Transaction,
} from "./types.ts";
import { writesOf } from "./writes.ts";

export interface DatabaseParts {
  readonly map: ReplicatedMap;
  readonly history: History;
  readonly engine: SqlEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly computer: readonly ComputerTable[];
  readonly contents: () => LargeStore;
  /** This node as a writer. */
  readonly writer: number;
  /** What the index may take; a device with little memory may have less than the usual. */
  readonly indexBytesMax?: number | undefined;
}

/** Keys of a dropped table that are deleted at once. */
const SWEEP_KEYS = 2_000;

export class Database {
  readonly #parts: DatabaseParts;
  readonly #turns = new Turns();
  readonly #large: LargeValues;
  readonly #follower: Follower;
  readonly #groups: Groups;
  #client: IndexClient | undefined;
  #ready: Promise<IndexClient> | undefined;
  #state: DatabaseStat["index"] = "none";
  #rebuilt = 0;
  #indexBytes = 0;
  #isUpdateAsked = false;
  #isClosed = false;
  /** Ids of tables that are left empty here, since their rows take more memory than the index may have. */
  readonly #tooLarge = new Set<string>();
  #tooLargeSinceMs = 0;
  #isSchemaNew = false;

  constructor(parts: DatabaseParts) {
    this.#parts = parts;
    this.#large = new LargeValues(parts);
    this.#follower = new Follower({ ...parts, large: this.#large }, () => this.#stirred());
    this.#follower.onChange(({ isOfSchema }) => (this.#isSchemaNew ||= isOfSchema));
    this.#groups = new Groups({
      run: (calls) => this.#write((client) => this.#group(client, calls)),
    });
  }

  onChange(listener: (change: DatabaseChange) => void): Unsubscribe {
    return this.#follower.onChange(listener);
  }

  async open(sql: string, parameters: SqlParameters, options: QueryOptions): Promise<Cursor> {
    const call = callOf(sql, parameters, options);
    if (READING.has(firstWord(sql))) {
      const cursor = await this.#read(call, options.signal);
      if (cursor !== undefined) return cursor;
    }
    const answer = await this.#groups.run(call, options.signal);
    const written = answer.needs.length === 0 ? answer : await this.#writeOfComputer(call, options.signal);
    return new AnswerCursor(written, undefined);
  }

  async begin(options: QueryOptions): Promise<Transaction> {
    const { client, release } = await this.#enter("exclusive", options.signal);
    try {
      await client.call("begin", []);
    } catch (error) {
      release();
      throw error;
    }
    return openTransaction({
      clock: this.#parts.clock,
      execute: (call, signal) => this.#execute(client, call, signal),
      commit: async () => this.#commit(client, await client.call("capture", [])),
      rollback: () => client.call("rollback", []),
      end: release,
    });
  }

  /** One statement with each of these parameters, in one transaction. */
  async executeMany(sql: string, rows: readonly SqlParameters[], options: QueryOptions): Promise<void> {
    const { signal } = options;
    const call = callOf(sql, [], options);
    await this.#write(async (client) => {
      try {
        await client.call("begin", [], { signal });
        await client.call("executeMany", [call, rows], { signal });
        await this.#commit(client, await client.call("capture", []));
      } catch (error) {
        if (client.isAlive) await client.call("rollback", []);
        throw error;
      }
    }, signal);
  }

  /** Makes the index, so that changes are noticed. */
  async start(): Promise<void> {
    await this.#index();
  }

  async schema(): Promise<readonly SchemaObject[]> {
    return this.#ask((client) => client.call("objects", []));
  }

  async conflicts(): Promise<readonly Conflict[]> {
    return this.#ask((client) => client.call("conflicts", []));
  }

  async discard({ kind, key }: Conflict): Promise<void> {
    if (kind === "check" || kind === "foreign-key") {
      throw new StarfishError("usage", "This row is in its table: change it or what it refers to");
    }
    const { map } = this.#parts;
    const { release } = await this.#enter("exclusive");
    try {
      const cells = [...map.entries(`${key} `)].map((cell) => cell.key);
      map.batch([key, ...cells].map((gone) => ({ key: gone, deleted: true })));
    } finally {
      release();
    }
  }

  async at(atMs: number): Promise<SqlFile> {
    const { openAt } = await import("./as-of.ts");
    return openAt(atMs, { ...this.#parts, large: this.#large });
  }

  async history(table: string, key: readonly SqlValue[]): Promise<readonly RowVersion[]> {
    const { rowHistory } = await import("./row-history.ts");
    return rowHistory(this.#parts.map, this.#parts.history, this.#follower.schemaEntries(), table, key);
  }

  async serialize(): Promise<Uint8Array> {
    return this.#ask((client) => client.call("serialize", []));
  }

  stat(): DatabaseStat {
    const { entries, bytes, bytesMax } = this.#parts.map.stat();
    return {
      index: this.#state,
      entries,
      bytes,
      bytesMax,
      tables: this.#follower.tables,
      behind: this.#follower.behind,
      indexBytes: this.#indexBytes,
      rebuilt: this.#rebuilt,
      setAside: this.#follower.setAside,
      missing: this.#large.missing,
      tooLarge: this.#tooLarge.size,
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#follower.close();
    this.#large.close();
    this.#client?.end("The computer has ended");
  }

  // The index

  /** Takes a turn with an index that shows everything in the map, as far as this node knows it. */
  async #enter(
    kind: "shared" | "exclusive",
    signal?: AbortSignal,
  ): Promise<{ readonly client: IndexClient; readonly release: Release }> {
    for (;;) {
      if (this.#isClosed) throw new StarfishError("closed", "The computer has ended");
      await this.#index();
      const release = await this.#turns.take(kind, signal);
      const client = this.#client;
      if (client?.isAlive === true && this.#state === "ready") return { client, release };
      // The index was lost during the wait.
      release();
    }
  }

  async #ask<Result>(work: (client: IndexClient) => Promise<Result>): Promise<Result> {
    const { client, release } = await this.#enter("shared");
    try {
      return await work(client);
    } finally {
      release();
    }
  }

  async #write<Result>(work: (client: IndexClient) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const { client, release } = await this.#enter("exclusive", signal);
    try {
      return await work(client);
    } finally {
      release();
    }
  }

  #index(): Promise<IndexClient> {
    this.#ready ??= this.#load().catch((error: unknown) => {
      this.#ready = undefined;
      this.#state = "failed";
      throw error;
    });
    return this.#ready;
  }

  async #load(): Promise<IndexClient> {
    this.#state = "loading";
    const release = await this.#turns.take("exclusive");
    try {
      for (;;) {
        const client = await this.#fillNew();
        if (client === undefined) continue;
        this.#state = "ready";
        // The map may have changed since its last row was read.
        if (this.#follower.behind > 0) this.#stirred();
        return client;
      }
    } finally {
      release();
    }
  }

  /** Makes an index. Undefined: a table was too large for it, and is left out next time. */
  async #fillNew(): Promise<IndexClient | undefined> {
    const { engine, clock, log, computer, indexBytesMax = INDEX_BYTES_MAX } = this.#parts;
    const client = new IndexClient(engine, clock, (error) => {
      if (!this.#isClosed) log.write("warn", "db.index-lost", { message: error.message });
      this.#lost(client);
    });
    this.#client = client;
    try {
      await client.call("open", [{ bytesMax: indexBytesMax, tooLarge: [...this.#tooLarge] }]);
      await client.call("computer", [computer.map(({ name, columns }) => [name, columns] as const)]);
      await this.#follower.load(client);
      this.#indexBytes = await client.call("memory", []);
      this.#isSchemaNew = false;
      return client;
    } catch (error) {
      const table = client.isAlive ? await client.call("blamed", []) : undefined;
      const isToBeTried =
        table !== undefined && !this.#tooLarge.has(table) && this.#tooLarge.size < TOO_LARGE_TABLES_MAX;
      // Whoever waits for the index goes on waiting.
      if (isToBeTried) this.#client = undefined;
      client.end("It could not be filled");
      if (!isToBeTried) throw error;
      this.#follower.forget();
      this.#tooLarge.add(table);
      this.#tooLargeSinceMs = clock.monotonic();
      log.write("warn", "db.too-large", { table });
      return undefined;
    }
  }

  /** Tables that were too large may no longer be so, once the schema has changed. */
  #tryTooLarge(isOwn: boolean): void {
    if (!this.#isSchemaNew || this.#tooLarge.size === 0) return;
    if (!isOwn && this.#parts.clock.monotonic() - this.#tooLargeSinceMs < TOO_LARGE_AGAIN_MS) return;
    this.#tooLarge.clear();
    this.#client?.end("Tables that were too large are tried again");
  }

  #lost(client: IndexClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#ready = undefined;
    this.#follower.forget();
    if (this.#state === "ready") this.#rebuilt++;
    this.#state = "none";
  }

  /** Something waits to be put into the index. */
  #stirred(): void {
    if (this.#follower.isLost) {
      this.#client?.end("Too much has changed at once");
      return;
    }
    if (this.#isUpdateAsked || this.#state !== "ready" || this.#follower.isHolding) return;
    this.#isUpdateAsked = true;
    void this.#update();
  }

  async #update(): Promise<void> {
    try {
      const { client, release } = await this.#enter("exclusive");
      const { clock } = this.#parts;
      const watchdog = clock.timer(UPDATE_MS_MAX, () => client.end("The index took too long to follow the map"));
      try {
        this.#isUpdateAsked = false;
        if (this.#follower.behind > 0) await this.#follower.update(client, { mayHold: true });
        this.#indexBytes = await client.call("memory", []);
        this.#tryTooLarge(false);
      } catch (error) {
        // The index may have a part of the changes already, so it can't be used any more.
        client.end("The index could not follow the map");
        throw error;
      } finally {
        watchdog.cancel();
        release();
      }
    } catch (error) {
      this.#isUpdateAsked = false;
      if (!isStarfishError(error)) throw error;
      if (!this.#isClosed) this.#parts.log.write("warn", "db.behind", { message: error.message });
    }
  }

  // Statements

  /** Undefined: the statement writes. */
  async #read(call: StatementCall, signal: AbortSignal | undefined): Promise<Cursor | undefined> {
    for (let attempt = 0; ; attempt++) {
      const { client, release } = await this.#enter("shared", signal);
      try {
        const answer = await client.call("read", [call], { signal });
        if (answer.needs.length === 0 && !answer.isWrite) return this.#cursor(answer, client, release, signal);
        release();
        return answer.isWrite ? undefined : await this.#readOfComputer(call, answer.needs, signal);
      } catch (error) {
        release();
        // Another statement has ended the thread. This one changes nothing, so it can be run again.
        if (!isLoss(error) || attempt > 0) throw error;
      }
    }
  }

  #cursor(answer: StatementAnswer, client: IndexClient, release: Release, signal: AbortSignal | undefined): Cursor {
    if (!answer.isOpen) release();
    const { clock } = this.#parts;
    const isWaitedFor = (): boolean => this.#turns.isWaitedFor;
    return new AnswerCursor(answer, { client, clock, release, isWaitedFor, signal });
  }

  /** Nobody else reads while the computer's tables are filled. */
  async #readOfComputer(
    call: StatementCall,
    tables: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Cursor> {
    const { client, release } = await this.#enter("exclusive", signal);
    try {
      await this.#fill(client, tables, signal);
      const answer = await client.call("read", [{ ...call, isFilled: true }], { signal });
      return this.#cursor(answer, client, release, signal);
    } catch (error) {
      release();
      throw error;
    }
  }

  async #writeOfComputer(call: StatementCall, signal: AbortSignal | undefined): Promise<StatementAnswer> {
    return this.#write(async (client) => {
      try {
        await client.call("begin", []);
        const answer = await this.#execute(client, call, signal);
        await this.#commit(client, await client.call("capture", []));
        return answer;
      } catch (error) {
        if (client.isAlive) await client.call("rollback", []);
        throw error;
      }
    }, signal);
  }

  /** Runs a statement within a transaction. */
  async #execute(client: IndexClient, call: StatementCall, signal: AbortSignal | undefined): Promise<StatementAnswer> {
    const answer = await client.call("execute", [call], { signal });
    if (answer.needs.length === 0) return answer;
    await this.#fill(client, answer.needs, signal);
    return client.call("execute", [{ ...call, isFilled: true }], { signal });
  }

  async #fill(client: IndexClient, tables: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (const table of this.#parts.computer) {
      if (!tables.includes(table.name)) continue;
      let waiting: (readonly SqlValue[])[] = [];
      let isFirst = true;
      const send = async (): Promise<void> => {
        await client.call("fill", [table.name, waiting, isFirst], { signal });
        isFirst = false;
        waiting = [];
      };
      for (const row of table.rows()) if (waiting.push(row) >= FILL_ROWS) await send();
      if (isFirst || waiting.length > 0) await send();
    }
  }

  /** Runs statements that are transactions of their own as one transaction. Undefined: they can't be written as one. */
  async #group(client: IndexClient, calls: readonly StatementCall[]): Promise<GroupOutcomes> {
    let outcomes: GroupOutcomes;
    try {
      const answer = await client.call("group", [calls]);
      outcomes = answer.outcomes;
      await this.#commit(client, answer.captured);
    } catch (error) {
      if (client.isAlive) await client.call("rollback", []);
      if (!isStarfishError(error) || isLoss(error) || calls.length === 1) throw error;
      return undefined;
    }
    return outcomes;
  }

  async #commit(client: IndexClient, captured: Captured): Promise<void> {
    const { map } = this.#parts;
    const large = await this.#large.store(captured);
    const writes = writesOf(map, this.#parts.writer, captured, large);
    // The index names each row once. Only the other lists may name a row again.
    const isDistinct = captured.replaced.length + captured.parts.length + captured.schema.length === 0;
    // The transaction is done once the map has it. If the index then can't commit, it is made anew.
    this.#follower.write(() => map.batch(writes, { isDistinct }));
    try {
      await client.call("commit", [large]);
    } catch (error) {
      client.end("The index could not commit what the map has");
      if (!isLoss(error)) throw error;
      return;
    }
    // A set is written in the same order on all nodes, whatever order its writer gave it.
    this.#follower.touch([...captured.unsettled, ...captured.parts.map(({ row }) => row)]);
    if (captured.schema.length > 0) await this.#followSchema(client);
    this.#follower.tell(captured.tables);
    if (captured.schema.length > 0) this.#tryTooLarge(true);
    for (const table of captured.dropped) void this.#sweep(table);
  }

  /** The transaction is done, so what fails here is mended by an index that is made anew. */
  async #followSchema(client: IndexClient): Promise<void> {
    try {
      await this.#follower.schemaChanged(client);
    } catch (error) {
      client.end("The index could not follow the schema");
      if (!isStarfishError(error)) throw error;
    }
  }

  /** Deletes the rows of a dropped table. */
  async #sweep(table: string): Promise<void> {
    const { map } = this.#parts;
    for (;;) {
      const gone: MapWrite[] = [];
      for (const { key } of map.entries(`${table}/`)) {
        if (gone.push({ key, deleted: true }) >= SWEEP_KEYS) break;
      }
      if (gone.length === 0 || this.#isClosed) return;
      this.#follower.write(() => map.batch(gone));
      await new Promise<void>((resolve) => void this.#parts.clock.timer(0, resolve));
    }
  }
}

function callOf(sql: string, parameters: SqlParameters, { timeoutMs = QUERY_MS_MAX }: QueryOptions): StatementCall {
  return { sql, parameters, timeoutMs: Math.min(timeoutMs, QUERY_MS_MAX) };
}
