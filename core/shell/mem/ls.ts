/** mem ls: all keys, with one line of the value, its age, its writer and its expiry. */
import { utf8 } from "../../base/bytes.ts";
import type { MapEntry } from "../../memory/types.ts";
import { timeOf } from "../../memory/version.ts";
import { count, dim, roughly, table } from "../format.ts";
import { parseArguments } from "../options.ts";
import { atMostOneOperand } from "../operands.ts";
import type { CommandContext, TerminalInfo } from "../types.ts";
import { cellsOf, compose, plain, type Text } from "../styled.ts";
import { cut } from "../width.ts";
import { entryJson } from "./entry.ts";
import { oneLine, preview } from "./value.ts";
import type { MemVerb } from "./verb.ts";
import { Writers, writerWords } from "./writers.ts";

/** Rows that are laid out and written together: few enough for a page to stay responsive. */
const BLOCK_ROWS = 500;
/** The least width for values; columns that would leave less are not shown. */
const VALUE_CELLS_MIN = 16;
const KEY_CELLS_MIN = 12;
/** Spaces between two columns. */
const GAP = 2;

export const ls: MemVerb = {
  options: ["--json"],
  keys: "one",
  async run(context) {
    const { options, operands } = parseArguments(context.args, { json: "flag" });
    const prefix = atMostOneOperand(operands) ?? "";
    const writers = new Writers(context.computer);
    try {
      if (options.json === true) await writeJson(prefix, writers, context);
      else await writeTable(prefix, writers, context);
    } finally {
      writers[Symbol.dispose]();
    }
    return 0;
  },
};

/** One array, with an entry a line. */
async function writeJson(prefix: string, writers: Writers, { computer, stdout }: CommandContext): Promise<void> {
  let before = "[";
  for (const block of blocks(computer.memory.entries(prefix))) {
    const lines = block.map((entry) => entryJson(entry, writers));
    await stdout.write(utf8(`${before}${lines.join(",\n")}`));
    before = ",\n";
  }
  await stdout.write(utf8(before === "[" ? "[]\n" : "]\n"));
}

async function writeTable(prefix: string, writers: Writers, context: CommandContext): Promise<void> {
  const { computer, stdout, terminal } = context;
  const screen = terminal.stdout;
  let total = 0;
  for (const block of blocks(computer.memory.entries(prefix))) {
    const [head, ...rows] = layOut(columnsOf(block, writers, computer.memory.now(), screen), block, screen);
    const isHeaded = total === 0 && screen !== undefined && head !== undefined;
    await stdout.print(table(isHeaded ? [head, ...rows] : rows));
    total += block.length;
  }
  if (screen !== undefined) await stdout.print(compose`${dim(footer(total, prefix), screen)}\n`);
}

/** The columns besides key and value, the most important first. */
function columnsOf(
  entries: readonly MapEntry[],
  writers: Writers,
  nowMs: number,
  screen: TerminalInfo | undefined,
): Text[][] {
  const by = entries.map(({ version }) => writerWords(writers.find(version.writer), screen));
  const age = entries.map(({ version }) => roughly(nowMs - timeOf(version.stamp)));
  const expires = entries.map(({ expiresAtMs }) =>
    expiresAtMs === undefined ? "" : `in ${roughly(expiresAtMs - nowMs)}`,
  );
  const columns: Text[][] = [
    ["by", ...by],
    ["age", ...age],
  ];
  if (expires.some((cell) => cell !== "")) columns.push(["expires", ...expires]);
  return columns;
}

/** Rows, the heading first. The value comes last, and gets the rest of the terminal's width. */
function layOut(columns: Text[][], entries: readonly MapEntry[], screen: TerminalInfo | undefined): Text[][] {
  const width = screen?.columns ?? Number.POSITIVE_INFINITY;
  const keyCells = Math.max(KEY_CELLS_MIN, Math.floor(width / 3));
  const keys = ["key", ...entries.map(({ key }) => cut(oneLine(key), keyCells))];
  let left = width - widest(keys) - GAP;
  const shown: Text[][] = [keys];
  for (const column of columns) {
    const cells = widest(column) + GAP;
    if (left - cells < VALUE_CELLS_MIN) break;
    left -= cells;
    shown.push(column);
  }
  shown.push(["value", ...entries.map(({ value }) => preview(value, Math.max(1, left)))]);
  return keys.map((_, row) =>
    shown.map((column) => (row === 0 ? dim(plain(column[row] ?? ""), screen) : (column[row] ?? ""))),
  );
}

function widest(cells: readonly Text[]): number {
  return cells.reduce<number>((most, cell) => Math.max(most, cellsOf(cell)), 0);
}

function footer(total: number, prefix: string): string {
  if (total > 0) return `${count(total, "key")}.`;
  if (prefix !== "") return `No key begins with '${oneLine(prefix)}'.`;
  return "Nothing is in memory yet: 'mem set hello world' changes that.";
}

function* blocks(entries: Iterable<MapEntry>): Generator<MapEntry[], void, undefined> {
  let block: MapEntry[] = [];
  for (const entry of entries) {
    block.push(entry);
    if (block.length < BLOCK_ROWS) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}
