/** What statements run on: the shared database or an opened file, and its open transaction. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import type { Cursor, Queries, SchemaObject, SqlDatabase, SqlParameters, Transaction } from "../../db/types.ts";
import { isWord, type Token, tokensOf } from "../../db/schema/tokens.ts";

export class Target {
  /** Undefined if it is a file. */
  readonly database: SqlDatabase | undefined;
  readonly #queries: Queries & { schema(): Promise<readonly SchemaObject[]> };
  #transaction: Transaction | undefined;
  /** The schema before the transaction, because meanwhile the database answers nobody else, not even this session. */
  #schemaBefore: readonly SchemaObject[] = [];

  constructor(queries: Queries & { schema(): Promise<readonly SchemaObject[]> }, database?: SqlDatabase) {
    this.#queries = queries;
    this.database = database;
  }

  static shared({ sql }: Pick<Computer, "sql">): Target {
    return new Target(sql, sql);
  }

  /** Throws "unsupported" if it is a file, which can't be written, and has no other nodes to merge with. */
  get shared(): SqlDatabase {
    if (this.#transaction !== undefined)
      throw new StarfishError("busy", "a transaction is open: COMMIT or ROLLBACK comes first");
    if (this.database !== undefined) return this.database;
    throw new StarfishError("unsupported", "this works on the shared database only, not on a file or the past");
  }

  get isInTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** Within a transaction, the schema before it. */
  async schema(): Promise<readonly SchemaObject[]> {
    return this.#transaction === undefined ? await this.#queries.schema() : this.#schemaBefore;
  }

  /** Runs one statement. BEGIN, COMMIT and ROLLBACK resolve to nothing. */
  async open(sql: string, parameters: SqlParameters, signal: AbortSignal): Promise<Cursor | undefined> {
    const control = controlOf(sql);
    if (control !== undefined) {
      await this.#control(control, signal);
      return undefined;
    }
    const transaction = this.#transaction;
    try {
      return await (transaction ?? this.#queries).query(sql, parameters).open({ signal });
    } catch (error) {
      // The transaction has ended by itself: it was idle for too long, or the index has died.
      if (transaction !== undefined && isStarfishError(error) && ["closed", "timeout"].includes(error.code))
        this.#transaction = undefined;
      throw error;
    }
  }

  async #control(control: "BEGIN" | "COMMIT" | "ROLLBACK", signal: AbortSignal): Promise<void> {
    const open = this.#transaction;
    if (control === "BEGIN") {
      if (open !== undefined) throw new StarfishError("usage", "a transaction is open already");
      const database = this.shared;
      this.#schemaBefore = await database.schema();
      this.#transaction = await database.begin({ signal });
      return;
    }
    if (open === undefined) throw new StarfishError("usage", "no transaction is open");
    this.#transaction = undefined;
    await (control === "COMMIT" ? open.commit() : open.rollback());
  }

  /** Marks the transaction as used, so that it does not count as idle. If it is over, the next statement says so. */
  touch(): void {
    this.#transaction
      ?.query("SELECT 1")
      .run()
      .catch((error: unknown) => {
        if (!isStarfishError(error)) throw error;
      });
  }

  /** Rolls back the open transaction. Returns whether there was one. */
  async close(): Promise<boolean> {
    const open = this.#transaction;
    this.#transaction = undefined;
    if (open === undefined) return false;
    await open.rollback().catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
    });
    return true;
  }
}

/**
 * Recognises `BEGIN IMMEDIATE TRANSACTION` and the like. `ROLLBACK TO` is about a savepoint, and is not one of them.
 */
export function controlOf(sql: string): "BEGIN" | "COMMIT" | "ROLLBACK" | undefined {
  const words: Token[] = [];
  for (const token of tokensOf(sql)) {
    if (token.text === ";") break;
    // None of them has more words.
    if (words.push(token) > 3) return undefined;
  }
  const [first, ...rest] = words;
  if (!rest.every((word) => isWord(word, "TRANSACTION", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"))) return undefined;
  if (isWord(first, "BEGIN")) return "BEGIN";
  if (isWord(first, "COMMIT", "END")) return "COMMIT";
  return isWord(first, "ROLLBACK") ? "ROLLBACK" : undefined;
}
