/**
 * Decides what a user's statement may do, by what SQLite's authorizer reports while the statement is prepared. It also
 * tells schema changes apart, which become entries of the map. https://sqlite.org/c3ref/c_alter_table.html lists the
 * actions.
 */
import { StarfishError } from "../../base/errors.ts";
import { isOfComputer } from "../computer-table.ts";
import { folded } from "../schema/names.ts";

const CREATE_INDEX = 1;
const CREATE_TABLE = 2;
const CREATE_TRIGGER = 7;
const CREATE_VIEW = 8;
const DELETE = 9;
const DROP_INDEX = 10;
const DROP_TABLE = 11;
const DROP_TRIGGER = 16;
const DROP_VIEW = 17;
const INSERT = 18;
const PRAGMA = 19;
const READ = 20;
const TRANSACTION = 22;
const UPDATE = 23;
const ALTER_TABLE = 26;
/** CREATE INDEX includes this action too. */
const REINDEX = 27;
const FUNCTION = 31;
const SAVEPOINT = 32;

const SCHEMA_ACTIONS: ReadonlySet<number> = new Set([
  CREATE_INDEX,
  CREATE_TABLE,
  CREATE_TRIGGER,
  CREATE_VIEW,
  DROP_INDEX,
  DROP_TABLE,
  DROP_TRIGGER,
  DROP_VIEW,
  ALTER_TABLE,
]);

const CREATIONS: ReadonlySet<number> = new Set([CREATE_INDEX, CREATE_TABLE, CREATE_TRIGGER, CREATE_VIEW]);

/** Actions that no statement may have, with the message for each. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  ...[3, 4, 5, 6, 12, 13, 14, 15].map((action) => [action, "TEMP tables"] as const),
  [24, "ATTACH: there is one database; `sql --open` and `openFile` read a file"],
  [25, "DETACH"],
  [28, "ANALYZE"],
  [29, "virtual tables"],
  [30, "virtual tables"],
  [TRANSACTION, "BEGIN, COMMIT and ROLLBACK as text: use a transaction of the program, or the interactive `sql`"],
  [SAVEPOINT, "SAVEPOINT"],
]);

/** Pragmas that only read. With an argument they name a table or an index. */
const PRAGMAS: ReadonlySet<string> = new Set([
  "table_info",
  "table_xinfo",
  "table_list",
  "index_list",
  "index_info",
  "index_xinfo",
  "foreign_key_list",
  "foreign_key_check",
  "function_list",
  "collation_list",
  "pragma_list",
  "compile_options",
  "integrity_check",
  "quick_check",
]);

const FUNCTIONS_REFUSED: ReadonlySet<string> = new Set(["load_extension", "fts3_tokenizer", "edit", "readfile"]);

/** The authorizer's answers. IGNORE for a deletion makes SQLite delete row by row. */
const ALLOW = 0;
const DENY = 1;
const IGNORE = 2;

type Name = string | null | 0;

/** Collects the actions of one statement. */
export class Judge {
  readonly reads: Set<string> = new Set();
  readonly #writes = new Set<string>();
  /** The tables in SQLite's temporary database that it reads: those of the computer. */
  readonly readsOfComputer: Set<string> = new Set();
  readonly #schemaActions: { readonly action: number; readonly name: string }[] = [];
  #refused: string | undefined;
  #isReindexed = false;

  /**
   * Answers SQLite's authorizer. Refused actions are reported by `check`; those that would have an effect before that
   * are denied here.
   */
  see(action: number, first: Name, second: Name, schema: Name): number {
    const name = typeof first === "string" ? first : "";
    const detail = typeof second === "string" ? second : "";
    if (REFUSED.has(action)) this.#refuse(REFUSED.get(action) ?? "");
    else if (SCHEMA_ACTIONS.has(action)) {
      this.#schemaActions.push({ action, name: action === ALTER_TABLE ? detail : name });
      // Behind a / the database numbers tables of the same name.
      if (CREATIONS.has(action) && name.includes("/")) this.#refuse(`the name ${name}: names can't contain /`);
    } else if (action === REINDEX) this.#isReindexed = true;
    else if (action === READ) this.#read(name, schema);
    else if (action === INSERT || action === UPDATE || action === DELETE) this.#write(name, schema);
    else if (action === FUNCTION && FUNCTIONS_REFUSED.has(folded(detail))) this.#refuse(`${detail}()`);
    else if (action === PRAGMA && !PRAGMAS.has(folded(name))) this.#refuse(`PRAGMA ${name}`);
    if (this.#refused !== undefined && action === PRAGMA) return DENY;
    // Without a condition SQLite would empty the table as a whole, and the session would not record its rows.
    return action === DELETE && !this.isSchemaChange && !/^sqlite_/i.test(name) ? IGNORE : ALLOW;
  }

  get isSchemaChange(): boolean {
    return this.#schemaActions.length > 0;
  }

  /** Whether the statement makes that object and does nothing else. */
  isOnly(kind: "index" | "view" | "trigger", name: string): boolean {
    const wanted = { index: CREATE_INDEX, view: CREATE_VIEW, trigger: CREATE_TRIGGER }[kind];
    const [made] = this.#schemaActions;
    if (this.#refused !== undefined || this.#schemaActions.length !== 1 || made === undefined) return false;
    return made.action === wanted && folded(made.name) === folded(name);
  }

  /** Throws "unsupported" if the statement does something that it may not. */
  check(): void {
    const [table] = this.#writes;
    if (this.#refused === undefined && !this.isSchemaChange && table !== undefined) {
      if (/^(sqlite|_)/i.test(table)) this.#refuse(`writing to ${table}, which is the database's own`);
      if (this.readsOfComputer.has(folded(table))) this.#refuse(`writing to ${table}, which is a view of the computer`);
    }
    if (this.#isReindexed && !this.isSchemaChange) this.#refuse("REINDEX");
    if (this.#refused === undefined) return;
    throw new StarfishError("unsupported", `A shared database does not take ${this.#refused}`);
  }

  #read(table: string, schema: Name): void {
    if (table.startsWith("_k_")) this.#refuse(table);
    if (schema === "temp" && isOfComputer(folded(table))) this.readsOfComputer.add(folded(table));
    else this.reads.add(folded(table));
  }

  #write(table: string, schema: Name): void {
    if (schema === "temp") this.readsOfComputer.add(folded(table));
    this.#writes.add(table);
  }

  #refuse(what: string): void {
    this.#refused ??= what;
  }
}
