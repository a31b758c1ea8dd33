/**
 * Rows as text, page by page: as a table, as lines of their own, or in formats for programs. The columns of a table are
 * as wide as the first page needs, and become wider if a later page needs it.
 */
import { csvLine } from "./csv.ts";
import type { SqlValue } from "../../db/types.ts";
import { dim } from "../format.ts";
import { toJson } from "../mem/value.ts";
import { joined, type Text } from "../styled.ts";
import type { TerminalInfo } from "../types.ts";
import { cut, widthOf } from "../width.ts";
import { COLUMN_CELLS_MIN } from "./limits.ts";
import { cellText, textOf } from "./values.ts";

export const MODES = ["table", "csv", "json", "line", "list"] as const;
export type Mode = (typeof MODES)[number];
export type Rows = readonly (readonly SqlValue[])[];

export interface Layout {
  /** The text of a page; the first one includes the heading. */
  page(rows: Rows): Text;
  /** The text after the last page. */
  end(): Text;
}

/** `screen`: the terminal, if the answer is shown on one. */
export function layoutOf(mode: Mode, columns: readonly string[], screen?: TerminalInfo): Layout {
  if (mode === "csv") return csvLayout(columns);
  if (mode === "json") return jsonLayout(columns);
  if (mode === "list") return listLayout();
  const isNarrow = screen !== undefined && columns.length * (COLUMN_CELLS_MIN + GAP) - GAP > screen.columns;
  return mode === "line" || isNarrow ? lineLayout(columns) : new TableLayout(columns, screen);
}

/** Lines end with LF, as is usual in a pipe. */
function csvLayout(columns: readonly string[]): Layout {
  let head = csvLine(columns, ",", "\n");
  const take = (): string => {
    const text = head;
    head = "";
    return text;
  };
  return {
    page: (rows) => take() + rows.map((row) => csvRow(row, "\n")).join(""),
    end: take,
  };
}

export function csvRow(row: readonly SqlValue[], newline: string, delimiter = ","): string {
  return csvLine(
    row.map((value) => (value === null ? null : textOf(value))),
    delimiter,
    newline,
  );
}

/** One array, a row a line. Of two columns with the same name the last counts. */
function jsonLayout(columns: readonly string[]): Layout {
  let before = "[";
  return {
    page(rows) {
      const text = rows.map((row) => toJson(Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null]))));
      if (text.length === 0) return "";
      const page = before + text.join(",\n");
      before = ",\n";
      return page;
    },
    end: () => (before === "[" ? "[]\n" : "]\n"),
  };
}

/** Values separated by tabs and nothing else, for `$(sql --list …)` and `cut`. NULL is empty. */
function listLayout(): Layout {
  return {
    page: (rows) =>
      rows.map((row) => `${row.map((value) => (value === null ? "" : textOf(value))).join("\t")}\n`).join(""),
    end: () => "",
  };
}

/** Each value on a line of its own, after its name; a blank line between rows. */
function lineLayout(columns: readonly string[]): Layout {
  const width = Math.max(0, ...columns.map(widthOf));
  let isFirst = true;
  return {
    page(rows) {
      let text = "";
      for (const row of rows) {
        if (!isFirst) text += "\n";
        isFirst = false;
        for (const [i, name] of columns.entries())
          text += `${" ".repeat(width - widthOf(name))}${name} = ${textOf(row[i] ?? null)}\n`;
      }
      return text;
    },
    end: () => "",
  };
}

/** Spaces between two columns. */
const GAP = 2;

class TableLayout implements Layout {
  readonly #columns: readonly string[];
  readonly #screen: TerminalInfo | undefined;
  #widths: readonly number[] = [];
  #hasHead = false;

  constructor(columns: readonly string[], screen: TerminalInfo | undefined) {
    this.#columns = columns.map((name) => cellText(name));
    this.#screen = screen;
  }

  page(rows: Rows): Text {
    const room = this.#screen?.columns;
    const cells = rows.map((row) => row.map((value) => cellText(value, room)));
    this.#widths = this.#columns.map((name, i) =>
      cells.reduce((most, row) => Math.max(most, widthOf(row[i] ?? "")), this.#widths[i] ?? widthOf(name)),
    );
    const widths = room === undefined ? this.#widths : fitted(this.#widths, room - GAP * (this.#widths.length - 1));
    const lines = cells.map((row, i) => this.#line(row, rows[i] ?? [], widths));
    return joined([...this.#head(widths), ...lines]);
  }

  end(): Text {
    return joined(this.#head(this.#widths.length > 0 ? this.#widths : this.#columns.map(widthOf)));
  }

  #head(widths: readonly number[]): Text[] {
    if (this.#hasHead) return [];
    this.#hasHead = true;
    const titles = this.#columns.map((name, i) => padded(cut(name, widths[i] ?? 1), widths[i] ?? 1, false));
    const rule = widths.map((width) => "-".repeat(width));
    return [titles, rule].flatMap((cells) => [dim(cells.join(" ".repeat(GAP)).trimEnd(), this.#screen), "\n"]);
  }

  #line(cells: readonly string[], values: readonly SqlValue[], widths: readonly number[]): Text {
    const parts: Text[] = [];
    let blanks = 0;
    for (const [i, cell] of cells.entries()) {
      const value = values[i] ?? null;
      const width = widths[i] ?? 1;
      const text = cut(cell, width);
      const space = Math.max(0, width - widthOf(text));
      const isNumber = typeof value === "number" || typeof value === "bigint";
      // No spaces after the last value of a line.
      if (isNumber) blanks += space;
      if (text !== "") {
        parts.push(" ".repeat(blanks), value === null ? dim(text, this.#screen) : text);
        blanks = 0;
      }
      blanks += GAP + (isNumber ? 0 : space);
    }
    return joined([...parts, "\n"]);
  }
}

function padded(text: string, width: number, isNumber: boolean): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return isNumber ? space + text : text + space;
}

/** Narrows the widest columns until all fit. */
export function fitted(widths: readonly number[], room: number): number[] {
  const result = [...widths];
  let extra = result.reduce((sum, width) => sum + width, 0) - room;
  while (extra > 0) {
    const widest = Math.max(...result);
    if (widest <= COLUMN_CELLS_MIN) break;
    const next = Math.max(COLUMN_CELLS_MIN, ...result.filter((width) => width < widest));
    const many = result.filter((width) => width === widest).length;
    const each = Math.min(widest - next, Math.ceil(extra / many));
    for (const [i, width] of result.entries()) {
      if (width !== widest || extra <= 0) continue;
      const less = Math.min(each, extra);
      result[i] = width - less;
      extra -= less;
    }
  }
  return result;
}

/** The whole answer at once. */
export function laidOut(mode: Mode, columns: readonly string[], rows: Rows, screen?: TerminalInfo): Text {
  const layout = layoutOf(mode, columns, screen);
  const page = layout.page(rows);
  return joined([page, layout.end()]);
}
