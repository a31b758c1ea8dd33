/** `computer.sql`: a small front, which loads the database when a statement is first run. */
import { StarfishError, toStarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { ReplacedEntry, ReplicatedMap } from "../memory/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { SqlEngine } from "../ports/sql-engine.ts";
import type { ComputerTable } from "./computer-table.ts";
import type { Database } from "./database.ts";
import type { DatabaseChange } from "./follower.ts";
import { History } from "./history.ts";
import type { LargeStore } from "./large-values.ts";
import { queriesOf, sqlName } from "./query.ts";
import { folded } from "./schema/names.ts";
import { nameOf, tokensOf } from "./schema/tokens.ts";
import type { QueryOptions, SqlDatabase, SqlValue, Transaction } from "./types.ts";
import type { Upkeep } from "./upkeep.ts";

export interface SqlParts {
  readonly map: ReplicatedMap;
  readonly engine: SqlEngine;
  readonly clock: Clock;
  readonly log: Log;
  /** Parts of the computer that can be read as tables; called when the database is loaded. */
  readonly computer: () => Promise<readonly ComputerTable[]>;
  /** The disk, for values that are too large for the map. */
  readonly contents: () => LargeStore;
  /** This node as a writer: the first 48 bits of the hash of its PeerId. */
  readonly writer: number;
  /** What SQLite's index may take, if not the usual. */
  readonly indexBytesMax?: number | undefined;
}

export interface OwnedSql {
  readonly sql: SqlDatabase;
  /** The contents to which large values refer, as far as they are known. */
  references(): Iterable<string>;
  close(): Promise<void>;
}

export function createSql(parts: SqlParts): OwnedSql {
  const changed = new Listeners<DatabaseChange>();
  let database: Promise<Database> | undefined;
  let isClosed = false;
  const history = new History(parts.map);
  let upkeep: Upkeep | undefined;
  const loadUpkeep = async (): Promise<Upkeep> => {
    const { Upkeep: Loaded } = await import("./upkeep.ts");
    return (upkeep ??= new Loaded(parts));
  };
  const take = async (replaced: ReplacedEntry): Promise<void> => {
    const loaded = await loadUpkeep();
    if (!isClosed) loaded.take(replaced);
  };
  const stopUpkeep = parts.map.watchReplaced((replaced) => {
    // Keys of counters and sets have a "+". If the code can't be loaded, other nodes do this work.
    if (replaced.key.includes("+")) take(replaced).catch(() => {});
  });
  const load = async (): Promise<Database> => {
    const { Database: Loaded } = await import("./database.ts");
    const made = new Loaded({ ...parts, history, computer: await parts.computer() });
    made.onChange((change) => changed.emit(change));
    return made;
  };
  const loaded = (): Promise<Database> => {
    if (isClosed) return Promise.reject(new StarfishError("closed", "The computer has ended"));
    database ??= load().catch((error: unknown) => {
      database = undefined;
      throw toStarfishError(error, "unreachable");
    });
    return database;
  };
  /** Listens to changes of tables, and of the computer's tables that the statement names. */
  const watch = (listener: (change: DatabaseChange) => void, text: string): Unsubscribe => {
    const stops = [changed.add(listener)];
    let isOver = false;
    const ofComputer = async (): Promise<void> => {
      for (const table of await parts.computer())
        if (!isOver && namesWord(text, table.name))
          stops.push(table.onChange(() => listener({ tables: new Set([table.name]), isOfSchema: false })));
    };
    // If they can't be loaded, the statement itself fails and says so.
    ofComputer().catch(() => {});
    return () => {
      isOver = true;
      for (const stop of stops) stop();
    };
  };
  let current: Database | undefined;
  const use = async (): Promise<Database> => (current = await loaded());
  const queries = queriesOf({
    open: async (sql, parameters, options) => (await use()).open(sql, parameters, options),
    watched: { clock: parts.clock, onChange: watch },
  });
  const begin = async (options: QueryOptions = {}): Promise<Transaction> => (await use()).begin(options);
  const sql: SqlDatabase = Object.assign(queries, {
    identifier: sqlName,
    begin,
    transaction: async <Result>(
      work: (tx: Transaction) => Promise<Result>,
      options: QueryOptions = {},
    ): Promise<Result> => {
      await using tx = await begin(options);
      const result = await work(tx);
      await tx.commit();
      return result;
    },
    schema: async () => (await use()).schema(),
    conflicts: async () => (await use()).conflicts(),
    discard: async (conflict: Parameters<SqlDatabase["discard"]>[0]) => (await use()).discard(conflict),
    insert: async (...given: Parameters<SqlDatabase["insert"]>) => {
      const { insertAll } = await import("./insert.ts");
      return insertAll(await use(), ...given);
    },
    export: async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      const { exportFile } = await import("./export.ts");
      yield* exportFile(await use());
    },
    at: async (atMs: number) => (await use()).at(atMs),
    history: async (table: string, key: readonly SqlValue[]) => (await use()).history(table, key),
    openFile: async (file: Uint8Array) => {
      const { openFile } = await import("./sql-file.ts");
      return openFile(file, parts);
    },
    sync: (options: Parameters<SqlDatabase["sync"]>[0]) => parts.map.sync(options),
    onChange: (listener: (tables: ReadonlySet<string>) => void) => {
      // Only the index sees changes of other nodes, and it exists once somebody asks for it.
      void use().then(
        (made) => made.start(),
        () => {},
      );
      return changed.add(({ tables }) => {
        if (tables.size > 0) listener(tables);
      });
    },
    stat: () => current?.stat() ?? idleStat(parts.map),
  });
  return {
    sql,
    references: () => {
      // The collector comes again.
      if (upkeep === undefined) loadUpkeep().catch(() => {});
      return upkeep?.references() ?? [];
    },
    close: async () => {
      isClosed = true;
      history.close();
      stopUpkeep();
      upkeep?.close();
      (await database?.catch(() => undefined))?.close();
    },
  };
}

function idleStat(map: ReplicatedMap): ReturnType<SqlDatabase["stat"]> {
  const { entries, bytes, bytesMax } = map.stat();
  const nothing = { tables: 0, behind: 0, indexBytes: 0, rebuilt: 0, setAside: 0, missing: 0, tooLarge: 0 };
  return { index: "none", entries, bytes, bytesMax, ...nothing };
}

/** Whether the text contains that name, however the text quotes it. */
function namesWord(text: string, name: string): boolean {
  for (const token of tokensOf(text)) if (folded(nameOf(token)) === name) return true;
  return false;
}
