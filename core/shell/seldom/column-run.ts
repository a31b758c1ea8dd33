/** The code of `column`: lines in columns, or their fields as a table. */
import { StarfishError } from "../../base/errors.ts";
import { widthOf } from "../width.ts";
import { lines } from "../utilities/lines.ts";
import { numberValue, type UtilityContext } from "../utilities/utility.ts";

/** Characters that are held until the widest line is known. */
const HELD_CHARS_MAX: number = 64 * 1024 * 1024;
const COLUMNS_UNKNOWN = 80;
const TAB = 8;

export async function runColumn(context: UtilityContext): Promise<number> {
  const { options, eachInput } = context;
  const rows: string[] = [];
  let chars = 0;
  await eachInput(async (input) => {
    for await (const line of lines(input)) {
      if (line.trim() === "" && !options.has("L")) continue;
      chars += line.length + 1;
      if (chars > HELD_CHARS_MAX) throw new StarfishError("too-large", `more than ${HELD_CHARS_MAX} characters`);
      rows.push(line);
    }
  });
  await (options.has("t") ? table(rows, context) : fill(rows, context));
  return 0;
}

async function table(rows: readonly string[], { options, out }: UtilityContext): Promise<void> {
  const separators = options.value("s");
  const between = options.value("o") ?? "  ";
  const names = options.value("N")?.split(",");
  const cells = rows.map((row) => fieldsOf(row, separators));
  if (names !== undefined) cells.unshift(names);
  const widths: number[] = [];
  for (const row of cells) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  const right = new Set(
    (options.value("R") ?? "").split(",").map((name) => (names?.indexOf(name) ?? -1) + 1 || Number(name)),
  );
  for (const row of cells) {
    const shown = widths.map((width, i) => {
      const cell = row[i] ?? "";
      const room = " ".repeat(width - widthOf(cell));
      if (right.has(i + 1)) return room + cell;
      return i === widths.length - 1 ? cell : cell + room;
    });
    await out(`${shown.join(between)}\n`);
  }
}

/** Several blanks in a row separate once; of given separators, each separates. */
function fieldsOf(row: string, separators: string | undefined): string[] {
  if (separators === undefined) return row.split(/[ \t]+/).filter((field) => field !== "");
  const fields: string[] = [""];
  for (const character of row) {
    if (separators.includes(character)) fields.push("");
    else fields[fields.length - 1] += character;
  }
  return fields;
}

async function fill(rows: readonly string[], { options, out, terminal, environment }: UtilityContext): Promise<void> {
  const given = options.value("c") ?? environment.get("COLUMNS");
  const width =
    given === undefined ? (terminal.stdout?.columns ?? COLUMNS_UNKNOWN) : numberValue(given, "columns argument");
  const widest = rows.reduce((most, row) => Math.max(most, widthOf(row)), 0);
  const columnWidth = (Math.floor(widest / TAB) + 1) * TAB;
  const count = Math.max(1, Math.floor(width / columnWidth));
  const height = Math.ceil(rows.length / count);
  const at = (row: number, place: number): string | undefined =>
    rows[options.has("x") ? row * count + place : place * height + row];
  for (let row = 0; row < height; row++) {
    let text = "";
    for (let place = 0; place < count; place++) {
      const cell = at(row, place);
      if (cell === undefined) break;
      const isLast = place === count - 1 || at(row, place + 1) === undefined;
      text += cell + (isLast ? "" : "\t".repeat(Math.ceil((columnWidth - widthOf(cell)) / TAB)));
    }
    await out(`${text}\n`);
  }
}
