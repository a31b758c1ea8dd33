/** Users' statements: prepared and judged, kept for the next time, with their parameters bound. */
import { StarfishError } from "../../base/errors.ts";
import { PREPARED_MAX, SQL_VALUE_BYTES_MAX } from "../limits.ts";
import type { SqlParameter, SqlParameters, SqlValue } from "../types.ts";
import type { Connection, Statement } from "./connection.ts";
import { Judge } from "./judge.ts";

export interface Prepared {
  readonly statement: Statement;
  readonly judge: Judge;
  readonly parameters: readonly (string | undefined)[];
}

export class Statements {
  readonly #connection: Connection;
  readonly #kept = new Map<string, Prepared>();
  readonly #inUse = new Set<Prepared>();
  #judge: Judge | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.api.capi.sqlite3_set_authorizer(
      connection.db,
      (_, action, first, second, schema) => this.#judge?.see(action, first, second, schema) ?? 0,
      0,
    );
  }

  /** Prepares a statement with a judge; the caller asks for its verdict. */
  judged(sql: string, isKept = false): { readonly statement: Statement; readonly judge: Judge } {
    const judge = new Judge();
    this.#judge = judge;
    try {
      return { statement: this.#connection.prepare(sql, isKept), judge };
    } catch (error) {
      // The judge says more than "not authorized".
      judge.check();
      throw error;
    } finally {
      this.#judge = undefined;
    }
  }

  /** Takes a statement, which `release` gives back. Throws "usage" and "unsupported". */
  take(sql: string, parameters: SqlParameters): Prepared {
    const kept = this.#kept.get(sql);
    let prepared: Prepared;
    if (kept !== undefined && !this.#inUse.has(kept)) {
      // Statements are in the order of their last use, the latest last.
      this.#kept.delete(sql);
      this.#kept.set(sql, kept);
      prepared = kept;
    } else prepared = this.#prepare(sql);
    try {
      bind(prepared, parameters);
    } catch (error) {
      if (prepared !== kept) prepared.statement.finalize();
      throw error;
    }
    this.#inUse.add(prepared);
    return prepared;
  }

  release(sql: string, prepared: Prepared): void {
    this.#inUse.delete(prepared);
    const kept = this.#kept.get(sql);
    if (kept === prepared) return prepared.statement.clear();
    if (kept !== undefined || prepared.judge.isSchemaChange) return prepared.statement.finalize();
    prepared.statement.clear();
    this.#kept.set(sql, prepared);
    if (this.#kept.size <= PREPARED_MAX) return;
    for (const [old, { statement }] of this.#kept) {
      if ([...this.#inUse].some((used) => used.statement === statement)) continue;
      this.#kept.delete(old);
      statement.finalize();
      break;
    }
  }

  /** Call it before the schema changes: statements have to be judged by the new one. */
  forget(): void {
    for (const [sql, prepared] of this.#kept) {
      if (this.#inUse.has(prepared)) continue;
      prepared.statement.finalize();
      this.#kept.delete(sql);
    }
  }

  #prepare(sql: string): Prepared {
    const { statement, judge } = this.judged(sql, true);
    try {
      judge.check();
      return { statement, judge, parameters: statement.parameterNames() };
    } catch (error) {
      statement.finalize();
      throw error;
    }
  }
}

function bind({ statement, parameters: names }: Prepared, parameters: SqlParameters): void {
  const isList = isArray(parameters);
  if (isList && parameters.length !== names.length) {
    const taken = `${names.length} ${names.length === 1 ? "parameter" : "parameters"}`;
    const given = parameters.length === 1 ? "1 value was" : `${parameters.length} values were`;
    throw new StarfishError("usage", `The statement takes ${taken}, and ${given} given`);
  }
  for (const [i, name] of names.entries()) {
    let value: SqlParameter;
    if (isList) value = parameters[i];
    else if (name !== undefined && Object.hasOwn(parameters, name)) value = parameters[name];
    else throw new StarfishError("usage", `No value was given for the parameter ${name ?? i + 1}`);
    statement.bind(i, toValue(value));
  }
}

function isArray(parameters: SqlParameters): parameters is readonly SqlParameter[] {
  return Array.isArray(parameters);
}

function toValue(value: SqlParameter): SqlValue {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  const bytes = typeof value === "string" ? value.length : value instanceof Uint8Array ? value.length : 0;
  if (bytes > SQL_VALUE_BYTES_MAX) {
    throw new StarfishError("too-large", `A parameter has at most ${SQL_VALUE_BYTES_MAX} bytes, this one ${bytes}`);
  }
  return value;
}
