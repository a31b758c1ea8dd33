/**
 * Runs any statement, and shows its answer as a table and, if it has numbers, as a small chart. The answer is read in
 * pages: its first rows are kept to be looked at, the others are counted, and the chart samples all of them.
 */
import { messageOf, StarfishError } from "../../../core/base/errors.ts";
import type { SqlDatabase, SqlValue } from "../../../core/db/types.ts";
import { count, duration } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { setText } from "../dom.ts";
import { button, make } from "../make.ts";
import { chartOf, POINTS_MAX, Spread } from "./chart.ts";
import { TEXT_SHOWN } from "./statements.ts";
import { shown } from "./values.ts";

/** Rows of an answer that can be looked at; the others are counted. */
const KEPT_MAX = 2_000;
/** Rows that are drawn at first, and added by each "show more". */
const SHOWN_STEP = 50;
/** Columns that are drawn. */
const COLUMNS_MAX = 30;
/** Cells that are kept, however wide rows are. */
const CELLS_KEPT_MAX = 60_000;

type Values = readonly SqlValue[];

export class QueryBox {
  readonly element: HTMLElement;
  readonly #sql: SqlDatabase;
  readonly #text = make("textarea", { id: "query-text", rows: 4, spellcheck: "false", autocapitalize: "off" });
  readonly #run = button("Run", () => void this.run(), { class: "accent" });
  readonly #stop = button("Cancel", () => this.#running?.abort(new StarfishError("cancelled", "Cancelled")), {
    hidden: true,
  });
  readonly #said = make("p", { role: "status", class: "facts" });
  readonly #chart = make("div");
  readonly #table = make("table", { "aria-label": "Answer" });
  readonly #more = button("", () => this.#drawMore(), { hidden: true });
  #running: AbortController | undefined;
  #kept: Values[] = [];
  #drawn = 0;

  constructor(sql: SqlDatabase) {
    this.#sql = sql;
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void this.run();
    });
    this.element = make(
      "section",
      { id: "query", "aria-label": "Query", hidden: true },
      make("label", { for: "query-text", class: "unseen" }, "SQL"),
      this.#text,
      make("div", { class: "buttons" }, this.#run, this.#stop, this.#said),
      this.#chart,
      make("div", { class: "answer", tabindex: 0, role: "region", "aria-label": "Answer" }, this.#table, this.#more),
    );
  }

  get text(): string {
    return this.#text.value;
  }

  set text(text: string) {
    this.#text.value = text;
  }

  focus(): void {
    this.#text.focus();
  }

  async run(): Promise<void> {
    const text = this.#text.value.trim();
    if (text === "" || this.#running !== undefined) return;
    this.#running = new AbortController();
    this.#run.disabled = true;
    this.#stop.hidden = false;
    this.#said.classList.remove("trouble");
    setText(this.#said, "Running…");
    try {
      await this.#ask(text, this.#running.signal);
    } catch (error) {
      this.#said.classList.add("trouble");
      setText(this.#said, messageOf(error));
    } finally {
      this.#running = undefined;
      this.#run.disabled = false;
      this.#stop.hidden = true;
    }
  }

  async #ask(text: string, signal: AbortSignal): Promise<void> {
    const beganMs = performance.now();
    await using cursor = await this.#sql.query(text).open({ signal });
    const columns = cursor.columns.map(({ name }) => name);
    const keptMax = Math.min(KEPT_MAX, Math.ceil(CELLS_KEPT_MAX / Math.max(1, columns.length)));
    const spread = new Spread<Values>(POINTS_MAX);
    const kept: Values[] = [];
    let rows = 0;
    for await (const page of cursor) {
      for (const row of page) {
        rows++;
        if (kept.length < keptMax) kept.push(row);
        spread.add(row);
      }
    }
    const took = duration(performance.now() - beganMs);
    this.#kept = kept;
    this.#drawHead(columns);
    const chart = chartOf(columns, spread.kept);
    this.#chart.replaceChildren(...(chart === undefined ? [] : [chart]));
    const change = count(cursor.changes, "row");
    setText(this.#said, columns.length > 0 ? `${rowsWords(rows)}, ${took}` : `${change} changed, ${took}`);
  }

  #drawHead(columns: readonly string[]): void {
    const heads = columns.slice(0, COLUMNS_MAX).map((name, i) => {
      const side = this.#kept.some((row) => isNumber(row[i])) ? "number" : "";
      return make("th", { scope: "col", class: side }, oneLine(name));
    });
    const body = make("tbody");
    this.#table.replaceChildren(make("thead", {}, make("tr", {}, ...heads)), body);
    this.#drawn = 0;
    this.#drawMore();
  }

  #drawMore(): void {
    const body = this.#table.tBodies[0];
    const next = this.#kept.slice(this.#drawn, this.#drawn + SHOWN_STEP);
    body?.append(...next.map((row) => make("tr", {}, ...row.slice(0, COLUMNS_MAX).map(cellOf))));
    this.#drawn += next.length;
    const left = this.#kept.length - this.#drawn;
    this.#more.hidden = left <= 0;
    setText(this.#more, `Show ${Math.min(SHOWN_STEP, left)} more`);
  }
}

function cellOf(value: SqlValue): HTMLTableCellElement {
  const text = shown(value);
  const words = value === null ? "NULL" : oneLine(text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text);
  return make("td", { class: value === null ? "null" : isNumber(value) ? "number" : "" }, words);
}

function isNumber(value: SqlValue | undefined): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

function rowsWords(rows: number): string {
  const kept = rows > KEPT_MAX ? `, the first ${KEPT_MAX.toLocaleString()} of them here` : "";
  return `${rows.toLocaleString()} ${rows === 1 ? "row" : "rows"}${kept}`;
}
