/**
 * One table: its rows live, a page at a time, filtered and sorted by SQLite. Cells can be edited, rows added and
 * removed.
 */
import { messageOf, StarfishError } from "../../../core/base/errors.ts";
import type { Unsubscribe } from "../../../core/base/events.ts";
import type { Query, SchemaObject, SqlDatabase, SqlRow, SqlValue } from "../../../core/db/types.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { setText } from "../dom.ts";
import { button, make } from "../make.ts";
import { TableGrid } from "./grid.ts";
import { rowForm } from "./row-form.ts";
import {
  COLUMNS_SHOWN,
  countOf,
  deleteOf,
  insertOf,
  PAGE_ROWS,
  pageOf,
  rowOf,
  type Shape,
  shapeOf,
  type Statement,
  updateOf,
  type View,
} from "./statements.ts";

/** A person who types a filter can finish a word. */
const FILTER_MS = 250;

export class TablePane {
  readonly element: HTMLElement;
  readonly #sql: SqlDatabase;
  readonly #title = make("h3");
  readonly #facts = make("p", { class: "facts" });
  readonly #filter = make("input", { id: "table-filter", type: "search", placeholder: "Filter: a word, or age > 30" });
  readonly #said = make("p", { class: "facts", role: "status", id: "table-said" });
  readonly #undo = button("Undo", () => void this.#restore(), { hidden: true });
  readonly #add = button("Add row", () => this.#openForm());
  readonly #form = make("div");
  readonly #grid: TableGrid;
  readonly #before = button("‹", () => this.#turn(-1), { "aria-label": "Earlier rows" });
  readonly #after = button("›", () => this.#turn(1), { "aria-label": "Later rows" });
  readonly #range = make("span", { role: "status" });
  #shape: Shape = { table: "", columns: [], key: [] };
  #isOpen = false;
  #columns = "";
  #view: View = { filter: "", sort: undefined, offset: 0 };
  #removed: SqlRow | undefined;
  #stops: Unsubscribe[] = [];
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor(sql: SqlDatabase, close: () => void) {
    this.#sql = sql;
    this.#grid = new TableGrid({
      sort: (column) => this.#sort(column),
      read: async (key, column) => {
        const row = await this.#query<{ readonly value: SqlValue }>(rowOf(this.#shape, key, column)).first();
        return row?.value ?? null;
      },
      write: (key, column, value) => this.#write(updateOf(this.#shape, key, column, value)),
      remove: (key) => void this.#remove(key),
    });
    this.#filter.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#look({ filter: this.#filter.value, offset: 0 }), FILTER_MS);
    });
    const head = make("header", {}, button("← Tables", close), this.#title, this.#add);
    const label = make("label", { for: "table-filter", class: "unseen" }, "Filter");
    const scroll = make("div", { class: "scroll" }, this.#grid.element);
    const pager = make("div", { class: "pager buttons" }, this.#before, this.#range, this.#after);
    const news = make("div", { class: "news" }, this.#said, this.#undo);
    this.element = make("section", { id: "table-open", hidden: true });
    this.element.append(head, this.#facts, label, this.#filter, this.#form, news, scroll, pager);
  }

  get table(): string | undefined {
    return this.#isOpen ? this.#shape.table : undefined;
  }

  open(object: SchemaObject): void {
    this.#isOpen = true;
    this.#view = { filter: "", sort: undefined, offset: 0 };
    this.#filter.value = "";
    this.#columns = "";
    this.#removed = undefined;
    this.#undo.hidden = true;
    setText(this.#said, "");
    this.#form.replaceChildren();
    this.follow(object);
  }

  /** The table has changed; its columns may be different. */
  follow(object: SchemaObject): void {
    const columns = JSON.stringify(object.columns);
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.#shape = shapeOf(object);
    const isFixed = this.#shape.key.length === 0;
    setText(this.#title, oneLine(object.name));
    this.#title.title = object.sql;
    this.#add.hidden = isFixed;
    const more = object.columns.length - COLUMNS_SHOWN;
    const notes = [isFixed ? "to read, not to write" : "", more > 0 ? `${more} more columns: a query shows them` : ""];
    setText(this.#facts, notes.filter(Boolean).join(" · "));
    this.#grid.become(this.#shape, this.#view.sort);
    this.#look({});
  }

  close(): void {
    this.#isOpen = false;
    for (const stop of this.#stops.splice(0)) stop();
  }

  focus(): void {
    this.#filter.focus();
  }

  #look(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    for (const stop of this.#stops.splice(0)) stop();
    const page = this.#query(pageOf(this.#shape, this.#view)).live();
    const total = this.#query<{ readonly n: number }>(countOf(this.#shape, this.#view)).live();
    this.#stops = [
      page.subscribe(({ rows, error, isReady }) => {
        if (error !== undefined) setText(this.#said, error.message);
        else if (isReady) this.#grid.show(rows);
      }),
      total.subscribe(({ rows, isReady }) => {
        if (isReady) this.#showRange(rows[0]?.n ?? 0);
      }),
    ];
  }

  #query<Row = SqlRow>({ text, parameters }: Statement): Query<Row> {
    return this.#sql.query<Row>(text, parameters);
  }

  #showRange(total: number): void {
    const { offset, filter } = this.#view;
    const last = Math.min(offset + PAGE_ROWS, total);
    // Rows before this page have gone.
    if (offset > 0 && offset >= total)
      return this.#look({ offset: Math.max(0, PAGE_ROWS * (Math.ceil(total / PAGE_ROWS) - 1)) });
    const of = `${total.toLocaleString()} ${total === 1 ? "row" : "rows"}${filter === "" ? "" : " that match"}`;
    setText(
      this.#range,
      total === 0 ? (filter === "" ? "No rows yet" : "No rows match") : `${offset + 1} to ${last} of ${of}`,
    );
    this.#before.disabled = offset === 0;
    this.#after.disabled = last >= total;
  }

  #turn(by: 1 | -1): void {
    this.#look({ offset: Math.max(0, this.#view.offset + by * PAGE_ROWS) });
  }

  /** Cycles through ascending, descending, and the table's own order. */
  #sort(column: string): void {
    const { sort } = this.#view;
    const isSame = sort?.column === column;
    const next = isSame && sort.isDescending ? undefined : { column, isDescending: isSame };
    this.#look({ sort: next, offset: 0 });
    this.#grid.sorted(next);
  }

  async #write(statement: Statement): Promise<void> {
    const { changes } = await this.#query(statement).run();
    if (changes === 0)
      throw new StarfishError("not-found", "This row is gone: somebody has deleted it, or changed its key.");
  }

  #openForm(): void {
    const close = (): void => {
      this.#form.replaceChildren();
      this.#add.focus();
    };
    const insert = async (values: Readonly<Record<string, SqlValue>>): Promise<void> => {
      await this.#query(insertOf(this.#shape.table, values)).run();
      this.#tell("Added.");
    };
    const form = rowForm(this.#shape, insert, close);
    this.#form.replaceChildren(form);
    form.querySelector("input")?.focus();
  }

  async #remove(key: readonly SqlValue[]): Promise<void> {
    try {
      const row = await this.#query(rowOf(this.#shape, key)).first();
      await this.#write(deleteOf(this.#shape, key));
      this.#tell("Deleted a row.");
      this.#removed = row;
      this.#undo.hidden = row === undefined;
      this.#undo.focus();
    } catch (error) {
      this.#tell(messageOf(error));
    }
  }

  async #restore(): Promise<void> {
    const row = this.#removed;
    if (row === undefined) return;
    try {
      await this.#query(insertOf(this.#shape.table, row)).run();
      this.#tell("It is back.");
    } catch (error) {
      this.#tell(messageOf(error));
    }
    this.#grid.focus();
  }

  #tell(words: string): void {
    this.#removed = undefined;
    this.#undo.hidden = true;
    setText(this.#said, words);
  }
}
