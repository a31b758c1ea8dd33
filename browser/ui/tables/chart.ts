/** A small chart of an answer with numbers: bars for one column with few rows, lines for more. Drawn by us, in SVG. */
import type { SqlValue } from "../../../core/db/types.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { svg } from "../dom.ts";

/** Rows that a chart shows, spread over the whole answer. */
export const POINTS_MAX = 400;
/** Bars that fit beside each other in a column of the page. */
const BARS_MAX = 40;
/** Columns that can be told apart by colour and dashes. */
const SERIES_MAX = 4;
/** As wide as a wide letter of a label. */
const LETTER_WIDTH = 7;
const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [400, 150, 44, 8, 22];

interface Series {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
}

/** Undefined if there is nothing to draw. */
export function chartOf(columns: readonly string[], rows: readonly (readonly SqlValue[])[]): SVGSVGElement | undefined {
  if (rows.length < 2) return undefined;
  const numeric = columns.map((_, i) => isNumeric(rows, i));
  const first = numeric.indexOf(false);
  // If all columns are numbers, the first of several is the horizontal axis.
  const label = first >= 0 ? first : columns.length > 1 ? 0 : -1;
  const series = columns
    .map((name, i): Series & { readonly at: number } => ({ name, at: i, values: rows.map((row) => numberOf(row[i])) }))
    .filter(({ at }) => at !== label && numeric[at] === true)
    .slice(0, SERIES_MAX);
  if (series.length === 0) return undefined;
  const labels = rows.map((row, i) => (label < 0 ? String(i + 1) : oneLine(String(row[label] ?? ""))));
  return drawn(series, labels);
}

function isNumeric(rows: readonly (readonly SqlValue[])[], column: number): boolean {
  let some = false;
  for (const row of rows) {
    const value = row[column];
    if (value === null || value === undefined) continue;
    if (typeof value !== "number" && typeof value !== "bigint") return false;
    some = true;
  }
  return some;
}

function numberOf(value: SqlValue | undefined): number | undefined {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
}

function drawn(series: readonly Series[], labels: readonly string[]): SVGSVGElement {
  const all = series.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const low = Math.min(0, ...all);
  const high = Math.max(0, ...all);
  const span = high - low || 1;
  const y = (value: number): number => TOP + ((high - value) / span) * (HEIGHT - TOP - BOTTOM);
  const step = (WIDTH - LEFT) / labels.length;
  const x = (i: number): number => LEFT + (i + 0.5) * step;
  const names = series.map(({ name }) => oneLine(name)).join(", ");
  const picture = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT + 16}`, role: "img" });
  picture.ariaLabel = `Chart of ${names} in ${labels.length} rows, from ${short(low)} to ${short(high)}`;
  picture.append(svg("line", { class: "axis", x1: LEFT, x2: WIDTH, y1: y(0), y2: y(0) }));
  for (const value of new Set([low, high])) picture.append(words(LEFT - 4, y(value) + 4, "end", short(value)));
  const isBars = series.length === 1 && labels.length <= BARS_MAX;
  for (const [i, { values }] of series.entries()) {
    if (isBars) picture.append(...bars(values, labels, step, x, y));
    else picture.append(line(values, i, x, y));
    picture.append(words(LEFT + i * 88, HEIGHT + 12, "start", cut(series[i]?.name ?? "", 13), `series s${i}`));
  }
  const last = labels.length - 1;
  const letters = Math.floor(step / LETTER_WIDTH);
  if (isBars && labels.every((label) => label.length <= letters)) {
    for (const [i, label] of labels.entries()) picture.append(words(x(i), HEIGHT - 6, "middle", label));
    return picture;
  }
  picture.append(words(x(0), HEIGHT - 6, "start", cut(labels[0] ?? "", 16)));
  picture.append(words(WIDTH - 2, HEIGHT - 6, "end", cut(labels[last] ?? "", 16)));
  return picture;
}

function bars(
  values: Series["values"],
  labels: readonly string[],
  step: number,
  x: (i: number) => number,
  y: (value: number) => number,
): SVGElement[] {
  return values.flatMap((value, i) => {
    if (value === undefined) return [];
    const [top, bottom] = [Math.min(y(value), y(0)), Math.max(y(value), y(0))];
    const width = Math.max(1, step * 0.76);
    const bar = svg("rect", {
      class: "bar-of s0",
      x: x(i) - width / 2,
      y: top,
      width,
      height: Math.max(0.5, bottom - top),
    });
    const title = svg("title");
    title.textContent = `${labels[i] ?? ""}: ${value}`;
    bar.append(title);
    return [bar];
  });
}

function line(
  values: Series["values"],
  index: number,
  x: (i: number) => number,
  y: (value: number) => number,
): SVGElement {
  let path = "";
  let isDown = false;
  for (const [i, value] of values.entries()) {
    if (value !== undefined) path += `${isDown ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = value !== undefined;
  }
  return svg("path", { class: `line-of s${index}`, d: path });
}

function words(
  x: number,
  y: number,
  anchor: "start" | "middle" | "end",
  text: string,
  className: string = "",
): SVGElement {
  const element = svg("text", { x, y, "text-anchor": anchor, class: className });
  element.textContent = text;
  return element;
}

function short(value: number): string {
  return new Intl.NumberFormat(undefined, { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

function cut(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}

/** Keeps this many of the values that pass, evenly spread, without knowing how many there will be. */
export class Spread<T> {
  readonly #max: number;
  #kept: T[] = [];
  #every = 1;
  #seen = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get kept(): readonly T[] {
    return this.#kept;
  }

  add(one: T): void {
    if (this.#seen++ % this.#every !== 0) return;
    this.#kept.push(one);
    if (this.#kept.length < 2 * this.#max) return;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
    this.#every *= 2;
  }
}
