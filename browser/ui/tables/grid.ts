/**
 * Rows of a table as a grid of cells. The arrow keys go from cell to cell; Enter or a second click edits one. Rows are
 * kept from one drawing to the next, and a cell that is being edited is left alone; its person is told if it has
 * changed meanwhile.
 */
import { messageOf } from "../../../core/base/errors.ts";
import type { ColumnDetail, SqlRow, SqlValue } from "../../../core/db/types.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { setText } from "../dom.ts";
import { KeyedRows } from "../keyed-rows.ts";
import { button, make } from "../make.ts";
import { BLOB_SHOWN, type Shape, TEXT_SHOWN, type View } from "./statements.ts";
import { kindOf, parsed, shown } from "./values.ts";

export interface GridEvents {
  readonly sort: (column: string) => void;
  /** The whole value. Rejects as a statement does. */
  readonly read: (key: readonly SqlValue[], column: string) => Promise<SqlValue>;
  /** Rejects as a statement does. */
  readonly write: (key: readonly SqlValue[], column: string, value: SqlValue) => Promise<void>;
  readonly remove: (key: readonly SqlValue[]) => void;
}

interface Row {
  readonly element: HTMLTableRowElement;
  readonly key: readonly SqlValue[];
}

const EDITING = "editing";

export class TableGrid {
  readonly element: HTMLTableElement = make("table", { class: "grid", role: "grid" });
  readonly #head = make("tr");
  readonly #body = make("tbody");
  readonly #events: GridEvents;
  readonly #rows = new KeyedRows<Row>(this.#body);
  readonly #rowOf = new WeakMap<Element, Row>();
  #shape: Shape = { table: "", columns: [], key: [] };

  constructor(events: GridEvents) {
    this.#events = events;
    this.element.append(make("thead", {}, this.#head), this.#body);
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("click", (event) => this.#click(event));
    this.#body.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLTableCellElement) this.#reach(target);
    });
  }

  /** Shows another table, or other columns of it. */
  become(shape: Shape, sort: View["sort"]): void {
    this.#shape = shape;
    this.#rows.clear();
    this.element.ariaLabel = oneLine(shape.table);
    this.sorted(sort);
  }

  sorted(sort: View["sort"]): void {
    const heads = this.#shape.columns.map((column) => this.#headOf(column, sort));
    const last = this.#shape.key.length === 0 ? [] : [make("th", {}, make("span", { class: "unseen" }, "Delete"))];
    this.#head.replaceChildren(...heads, ...last);
  }

  /** Rows with the column names that pageOf gives. */
  show(rows: readonly SqlRow[]): void {
    const shape = this.#shape;
    const all = rows.map((values, i) => {
      const key = shape.key.map((_, k) => values[`k${k}`] ?? null);
      return { values, key, name: key.length === 0 ? String(i) : nameOf(key) };
    });
    this.#rows.show(all, {
      idOf: ({ name }) => name,
      make: ({ key }) => this.#newRow(key),
      fill: ({ element }, { values }) => {
        shape.columns.forEach((column, i) => fill(element.cells[i], values[`c${i}`] ?? null, column));
      },
      // A row that is being edited stays, even if it has gone.
      staysOpen: ({ element }) => element.querySelector(`.${EDITING}`) !== null,
    });
    if (this.#body.querySelector('[tabindex="0"]') === null) this.#reach(this.#body.querySelector("td"));
  }

  focus(): void {
    this.#body.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  #headOf(column: ColumnDetail, sort: View["sort"]): HTMLTableCellElement {
    const isSorted = sort?.column === column.name;
    const order = isSorted ? (sort.isDescending ? "descending" : "ascending") : "none";
    const sign = isSorted ? (sort.isDescending ? " ↓" : " ↑") : "";
    const sorting = button(`${oneLine(column.name)}${sign}`, () => this.#events.sort(column.name), {
      title: [column.type, column.primaryKeyAt > 0 ? "primary key" : "", column.isNotNull ? "not null" : ""]
        .filter(Boolean)
        .join(", "),
    });
    return make("th", { scope: "col", "aria-sort": order }, sorting);
  }

  #newRow(key: readonly SqlValue[]): Row {
    const element = make("tr");
    for (const { type } of this.#shape.columns) {
      const kind = kindOf(type ?? "");
      element.append(
        make("td", { role: "gridcell", tabindex: -1, class: kind === "text" || kind === "blob" ? "" : "number" }),
      );
    }
    if (key.length > 0) {
      const remove = button("✕", () => this.#events.remove(key), { "aria-label": "Delete this row", tabindex: -1 });
      element.append(make("td", { role: "gridcell", class: "last" }, remove));
    }
    const row = { element, key };
    this.#rowOf.set(element, row);
    return row;
  }

  #reach(cell: HTMLTableCellElement | null): void {
    for (const before of this.#body.querySelectorAll<HTMLElement>('[tabindex="0"]')) before.tabIndex = -1;
    if (cell === null) return;
    cell.tabIndex = 0;
    const remove = cell.parentElement?.querySelector<HTMLElement>(".last button");
    if (remove) remove.tabIndex = 0;
  }

  #click({ target }: MouseEvent): void {
    const cell = target instanceof Element ? target.closest("td") : null;
    if (cell === null || cell.classList.contains("last") || cell.classList.contains(EDITING)) return;
    if (document.activeElement === cell && cell.dataset["clicked"] === "yes") return void this.#edit(cell);
    for (const other of this.#body.querySelectorAll<HTMLElement>("[data-clicked]")) delete other.dataset["clicked"];
    cell.dataset["clicked"] = "yes";
    cell.focus();
  }

  #key(event: KeyboardEvent): void {
    const cell = event.target;
    if (!(cell instanceof HTMLTableCellElement)) return;
    const row = cell.parentElement;
    const at = cell.cellIndex;
    const to = {
      ArrowRight: cell.nextElementSibling,
      ArrowLeft: cell.previousElementSibling,
      ArrowDown: row?.nextElementSibling?.children[at],
      ArrowUp: row?.previousElementSibling?.children[at],
      Home: row?.firstElementChild,
      End: row?.children[this.#shape.columns.length - 1],
    }[event.key];
    if (to instanceof HTMLTableCellElement && to.tabIndex === -1) to.focus();
    else if (event.key === "Enter" || event.key === "F2") void this.#edit(cell);
    else if (event.key === "Delete") row?.querySelector<HTMLButtonElement>(".last button")?.click();
    else if (to === undefined || to === null) return;
    event.preventDefault();
  }

  async #edit(cell: HTMLTableCellElement): Promise<void> {
    const column = this.#shape.columns[cell.cellIndex];
    const row = cell.parentElement === null ? undefined : this.#rowOf.get(cell.parentElement);
    if (column === undefined || row === undefined || row.key.length === 0) return;
    cell.classList.add(EDITING);
    try {
      const before = await this.#events.read(row.key, column.name);
      const editor = new CellEditor(column, before, {
        write: (value) => this.#events.write(row.key, column.name, value),
        close: (value) => {
          cell.classList.remove(EDITING);
          delete cell.dataset["clicked"];
          cell.replaceChildren();
          fill(cell, value, column, true);
          cell.focus();
        },
      });
      editor.open(cell);
    } catch (error) {
      cell.classList.remove(EDITING);
      cell.title = messageOf(error);
    }
  }
}

interface EditorEvents {
  readonly write: (value: SqlValue) => Promise<void>;
  /** Called with the value that the cell shows now. */
  readonly close: (value: SqlValue) => void;
}

/** The field in a cell. An error is shown below it, and what was typed stays. */
class CellEditor {
  readonly #column: ColumnDetail;
  readonly #before: SqlValue;
  readonly #events: EditorEvents;
  readonly #input: HTMLInputElement;
  readonly #said = make("small", { role: "alert" });
  #isOver = false;

  constructor(column: ColumnDetail, before: SqlValue, events: EditorEvents) {
    this.#column = column;
    this.#before = before;
    this.#events = events;
    this.#input = make("input", { "aria-label": oneLine(column.name), autocomplete: "off", spellcheck: "false" });
    this.#input.value = shown(before);
    this.#input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" || event.key === "Tab") void this.#commit();
      else if (event.key === "Escape") this.#close(before);
      else return;
      event.preventDefault();
    });
    this.#input.addEventListener("blur", () => {
      if (this.#input.value === shown(before)) this.#close(before);
    });
  }

  open(cell: HTMLTableCellElement): void {
    const parts: HTMLElement[] = [this.#input, button("✓", () => void this.#commit(), { "aria-label": "Save" })];
    if (!this.#column.isNotNull)
      parts.push(button("NULL", () => void this.#save(null), { "aria-label": "Save as NULL" }));
    const buttons = parts.slice(1);
    for (const one of buttons) one.addEventListener("pointerdown", (event) => event.preventDefault());
    cell.replaceChildren(make("div", { class: "edit" }, ...parts), this.#said);
    this.#input.focus();
    this.#input.select();
  }

  async #commit(): Promise<void> {
    const text = this.#input.value;
    if (text === shown(this.#before)) return this.#close(this.#before);
    const value = parsed(text, this.#column.type ?? "");
    if (value.isRight) return await this.#save(value.value);
    this.#fail(value.why);
  }

  async #save(value: SqlValue): Promise<void> {
    try {
      await this.#events.write(value);
      this.#close(value);
    } catch (error) {
      this.#fail(messageOf(error));
    }
  }

  #fail(why: string): void {
    setText(this.#said, why);
    this.#input.ariaInvalid = "true";
    this.#input.focus();
  }

  #close(value: SqlValue): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.close(value);
  }
}

function fill(
  cell: HTMLTableCellElement | undefined,
  value: SqlValue,
  column: ColumnDetail,
  isWhole: boolean = false,
): void {
  if (cell === undefined) return;
  const text = shown(value);
  if (cell.classList.contains(EDITING)) {
    const input = cell.querySelector("input");
    const said = cell.querySelector("small");
    const before = cell.dataset["value"];
    if (before !== undefined && before !== text && input !== null && said !== null)
      setText(said, `It was changed to '${oneLine(text).slice(0, TEXT_SHOWN)}' meanwhile; saving replaces that.`);
    cell.dataset["value"] = text;
    return;
  }
  cell.dataset["value"] = text;
  const cut = cutOf(value, text);
  const isCut = cut.length < text.length;
  setText(cell, value === null ? "NULL" : oneLine(isCut ? `${cut}…` : text));
  cell.classList.toggle("null", value === null);
  cell.title = isWhole || !isCut ? "" : `${column.name}: more of it shows when it is edited`;
}

function cutOf(value: SqlValue, text: string): string {
  return value instanceof Uint8Array ? text.slice(0, 2 + 2 * BLOB_SHOWN) : text.slice(0, TEXT_SHOWN);
}

/** Different for different keys. */
function nameOf(key: readonly SqlValue[]): string {
  return JSON.stringify(key.map((value) => [value === null ? "null" : typeof value, shown(value)]));
}
