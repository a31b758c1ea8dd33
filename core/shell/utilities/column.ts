/** column: lines in columns, or their fields as a table. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const column: Command = utility({
  name: "column",
  summary: "lines in columns, or as a table",
  help: `
usage: column [-txL] [-s SEPARATORS] [-o TEXT] [-c WIDTH] [-N NAMES] [-R COLUMNS] [FILE…]

Writes lines in as many columns as fit, filled from top to bottom, or with -x from left to right. -c sets the width. -t
makes a table, with a row for each line: -s says which characters separate its words (blanks), -o what is written between
columns (two blanks), -N NAME,… names the columns, -R COLUMN,… aligns these to the right. -L keeps empty lines.

  printf 'name,size\\na,12\\nlonger,3\\n' | column -t -s ,
`,
  specs: {
    c: { long: "output-width", value: true },
    L: { long: "keep-empty-lines" },
    N: { long: "table-columns", value: true },
    o: { long: "output-separator", value: true },
    R: { long: "table-right", value: true },
    s: { long: "separator", value: true },
    t: { long: "table" },
    x: { long: "fillrows" },
  },
  async run(context) {
    const { runColumn } = await import("../seldom/column-run.ts");
    return await runColumn(context);
  },
});
