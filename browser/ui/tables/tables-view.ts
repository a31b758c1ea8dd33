/**
 * The shared tables as a place of the page: the list of tables, one of them with its rows, and a box for any statement.
 * It is loaded, with SQLite, when it is first looked at. While it is in sight it follows the tables.
 */
import { messageOf } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import type { SchemaObject } from "../../../core/db/types.ts";
import { count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { byId, setText } from "../dom.ts";
import { button, make } from "../make.ts";
import { Conflicts } from "./conflicts.ts";
import { QueryBox } from "./query-box.ts";
import { TablePane } from "./table-pane.ts";

/** The least time between two looks at the schema and at conflicts, which a change of any row may cause. */
const LOOK_MS = 400;
/** Tables that are listed; a query finds the others. */
const LISTED_MAX = 200;
/** A new member does not know all tables until it has reconciled; only after this time it says that there are none. */
const SETTLE_MS = 2_500;

const NOTES = "CREATE TABLE notes (id UUID PRIMARY KEY, text TEXT, done INTEGER DEFAULT 0)";
const TEMPLATE = "CREATE TABLE things (\n  id UUID PRIMARY KEY,\n  name TEXT NOT NULL,\n  amount INTEGER\n)";

type Pane = "list" | "table" | "query";

export class TablesView {
  readonly #computer: Computer;
  readonly #place = byId("tables-place", HTMLElement);
  readonly #facts = make("p", { class: "facts" });
  readonly #said = make("p", { class: "facts", role: "status", id: "tables-said" }, "Opening the database…");
  readonly #own = make("ul", { id: "tables-own", "aria-label": "Tables" });
  readonly #others = make("ul", { id: "tables-others", "aria-label": "Tables of the computer" });
  readonly #empty = make("div", { class: "empty", hidden: true });
  readonly #list = make("div", { id: "tables-list" });
  readonly #lists = button("Tables", () => this.#show("list"), { id: "tables-show-list" });
  readonly #queries = button("Query", () => this.#openQuery(), { id: "tables-show-query" });
  readonly #conflicts: Conflicts;
  readonly #pane: TablePane;
  readonly #query: QueryBox;
  readonly #beganAtMs: number = performance.now();
  #objects: readonly SchemaObject[] = [];
  #looking: ReturnType<typeof setTimeout> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(computer: Computer) {
    const { sql } = computer;
    this.#computer = computer;
    this.#conflicts = new Conflicts(sql);
    this.#query = new QueryBox(sql);
    this.#pane = new TablePane(sql, () => this.#show("list"));
  }

  show(): void {
    const choice = make("div", { class: "choice", role: "group", "aria-label": "Show" }, this.#lists, this.#queries);
    const create = button("New table", () => {
      if (this.#query.text.trim() === "") this.#query.text = TEMPLATE;
      this.#openQuery();
    });
    this.#empty.append(
      make(
        "p",
        {},
        "Tables that everybody here holds and edits, also while cut off from the others. There is none yet; try",
      ),
      button(NOTES, () => void this.#makeFirst()),
    );
    this.#list.append(this.#empty, this.#own, make("h3", {}, "Of the computer itself"), this.#others);
    this.#place.append(
      make("header", { id: "tables-head" }, make("h2", {}, "Tables"), this.#facts, choice, create),
      make("div", { class: "news" }, this.#said, this.#conflicts.element),
      this.#list,
      this.#pane.element,
      this.#query.element,
    );
    this.#show("list");
    this.#computer.sql.onChange(() => this.#later());
    // It comes into view, or its size changes.
    new ResizeObserver(() => this.#later()).observe(this.#place);
    setTimeout(() => this.#later(), SETTLE_MS);
  }

  #show(pane: Pane): void {
    const table = this.#pane.table;
    if (pane !== "table") this.#pane.close();
    this.#list.hidden = pane !== "list";
    this.#pane.element.hidden = pane !== "table";
    this.#query.element.hidden = pane !== "query";
    this.#lists.ariaPressed = String(pane !== "query");
    this.#queries.ariaPressed = String(pane === "query");
    this.#later();
    // Back to the same place in the list.
    const rows = [...this.#list.querySelectorAll<HTMLButtonElement>("li button")];
    if (pane === "list" && table !== undefined) rows.find((row) => row.dataset["table"] === table)?.focus();
  }

  #openQuery(): void {
    this.#show("query");
    this.#query.focus();
  }

  #open(object: SchemaObject): void {
    this.#show("table");
    this.#pane.open(object);
    this.#pane.focus();
  }

  async #makeFirst(): Promise<void> {
    try {
      await this.#computer.sql.query(NOTES.replace("TABLE", "TABLE IF NOT EXISTS"));
      await this.#look();
      const made = this.#objects.find(({ name }) => name === "notes");
      if (made !== undefined) this.#open(made);
    } catch (error) {
      setText(this.#said, messageOf(error));
    }
  }

  #later(): void {
    if (this.#looking !== undefined) return;
    const waitMs = Math.max(0, this.#lookedAtMs + LOOK_MS - performance.now());
    this.#looking = setTimeout(() => void this.#look(), waitMs);
  }

  async #look(): Promise<void> {
    // Out of sight nothing is asked; coming into view is a change of size.
    if (this.#place.checkVisibility()) {
      try {
        this.#objects = (await this.#computer.sql.schema()).filter(({ kind }) => kind === "table" || kind === "view");
        await this.#conflicts.look();
        setText(this.#said, "");
        this.#draw();
      } catch (error) {
        setText(this.#said, messageOf(error));
      }
    }
    this.#lookedAtMs = performance.now();
    clearTimeout(this.#looking);
    this.#looking = undefined;
  }

  #draw(): void {
    const own = this.#objects.filter(({ isOfComputer }) => !isOfComputer);
    const others = this.#objects.filter(({ isOfComputer }) => isOfComputer);
    setText(this.#facts, own.length === 0 ? "" : count(own.length, "table"));
    const isKnown = performance.now() - this.#beganAtMs > SETTLE_MS || own.length > 0;
    this.#empty.hidden = own.length > 0 || !isKnown;
    this.#fill(this.#own, own);
    this.#fill(this.#others, others);
    this.#others.previousElementSibling?.toggleAttribute("hidden", others.length === 0);
    if (this.#pane.table === undefined) return;
    const open = this.#objects.find(({ name }) => name === this.#pane.table);
    if (open !== undefined) return this.#pane.follow(open);
    setText(this.#said, `${oneLine(this.#pane.table)} was dropped.`);
    this.#show("list");
  }

  /** Rows are kept, so that the keyboard focus stays. */
  #fill(list: HTMLUListElement, objects: readonly SchemaObject[]): void {
    const shown = objects.slice(0, LISTED_MAX);
    while (list.children.length > shown.length) list.lastElementChild?.remove();
    shown.forEach((object, i) => {
      const there = list.children[i]?.querySelector("button");
      const row = there ?? this.#newRow(list);
      row.dataset["table"] = object.name;
      const [name, columns] = row.children;
      if (name !== undefined) setText(name, oneLine(object.name));
      const words = object.columns.map((column) => oneLine(column.name)).join(", ");
      if (columns !== undefined) setText(columns, object.kind === "view" ? `view: ${words}` : words);
    });
  }

  #newRow(list: HTMLUListElement): HTMLButtonElement {
    const row = button("", () => {
      const object = this.#objects.find(({ name }) => name === row.dataset["table"]);
      if (object !== undefined) this.#open(object);
    });
    row.append(make("b"), make("small"));
    list.append(make("li", {}, row));
    return row;
  }
}
