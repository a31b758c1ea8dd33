/** Lines over two axes, as an SVG for a page of docs/. */
const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 56;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 48;
const LEGEND_STEP = 18;

export interface Axis {
  /** The values that have labels. */
  readonly ticks: readonly number[];
  /** The position of a value, from 0 to 1. */
  readonly place: (value: number) => number;
  readonly name?: (value: number) => string;
}

export interface Line {
  readonly label: string;
  readonly colour: string;
  readonly isDashed?: boolean;
  /** Whether its points have no dots, because there are too many. */
  readonly isPlain?: boolean;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Plot {
  readonly title: string;
  /** For people who don't see it. */
  readonly description: string;
  readonly x: Axis & { readonly label: string };
  readonly y: Axis;
  readonly lines: readonly Line[];
  /**
   * Where the labels of the lines are: at their last points, or below each other in the lower or upper right corner.
   */
  readonly labels: "ends" | "legend" | "upper legend";
}

export function linear(max: number, ticks: readonly number[]): Axis {
  return { ticks, place: (value) => value / max };
}

/** A logarithmic axis from the first of the ticks to the last. */
export function logarithmic(ticks: readonly number[], name: (value: number) => string): Axis {
  const low = Math.log(ticks[0] ?? 1);
  const high = Math.log(ticks.at(-1) ?? Math.E);
  return { ticks, name, place: (value) => (Math.log(value) - low) / (high - low) };
}

export function draw({ title, description, x, y, lines, labels }: Plot): string {
  const at = {
    x: (value: number): string => (LEFT + x.place(value) * (WIDTH - LEFT - RIGHT)).toFixed(1),
    y: (value: number): string => (HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM)).toFixed(1),
  };
  const lowest = HEIGHT - BOTTOM - 10;
  const parts: string[] = [];
  for (const value of y.ticks) {
    const name = y.name?.(value) ?? value;
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at.y(value)}" y2="${at.y(value)}" stroke="#ddd"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${at.y(value)}" text-anchor="end" dominant-baseline="middle">${name}</text>`);
  }
  for (const value of x.ticks) {
    const name = x.name?.(value) ?? value;
    parts.push(`<text x="${at.x(value)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${name}</text>`);
  }
  for (const [i, { label, colour, isDashed, isPlain, points }] of lines.entries()) {
    const places = points.map((point) => `${at.x(point.x)},${at.y(point.y)}`);
    const dashes = isDashed === true ? ` stroke-dasharray="5 4"` : "";
    parts.push(`<polyline points="${places.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>`);
    for (const place of isDashed === true || isPlain === true ? [] : places) {
      const [cx, cy] = place.split(",");
      parts.push(`<circle cx="${cx}" cy="${cy}" r="4" fill="${colour}"/>`);
    }
    const last = points.at(-1);
    if (last === undefined) continue;
    const [labelX, labelY] =
      labels === "ends"
        ? [at.x(last.x), Number(at.y(last.y)) - 12]
        : [
            WIDTH - RIGHT - 8,
            labels === "legend" ? lowest - (lines.length - 1 - i) * LEGEND_STEP : TOP + (i + 1) * LEGEND_STEP,
          ];
    parts.push(`<text x="${labelX}" y="${labelY}" text-anchor="end" fill="${colour}">${label}</text>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" role="img" aria-label="${description}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="22" font-weight="bold">${title}</text>
${parts.join("\n")}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${x.label}</text>
</svg>
`;
}
