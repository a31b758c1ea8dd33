/** diff: how two files or directories differ. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const diff: Command = utility({
  name: "diff",
  summary: "how two files or directories differ",
  help: `
usage: diff [-uqrsNaibwBZ] [-U LINES] [-x PATTERN] [--label NAME]… OLD NEW

Writes what has to change in OLD to get NEW; '-' is standard input. Of two directories the files of the same name are
compared, with -r also those further down. -u with lines around each change, as patch takes it (-U how many), -q only
whether they differ, -s also if they don't, -N what is missing counts as empty. -i takes no note of case, -w of blanks,
-b of how many blanks, -Z of blanks at the end, -B of empty lines; -a takes everything for text, -x passes over names.

Exit status: 0 they are equal, 1 they differ, 2 something could not be compared.

  seq 3 > /tmp/a; seq 4 > /tmp/b; diff -u /tmp/a /tmp/b
`,
  specs: {
    a: { long: "text" },
    b: { long: "ignore-space-change" },
    B: { long: "ignore-blank-lines" },
    d: { long: "minimal" },
    i: { long: "ignore-case" },
    N: { long: "new-file" },
    q: { long: "brief" },
    r: { long: "recursive" },
    s: { long: "report-identical-files" },
    u: {},
    U: { long: "unified", value: true },
    w: { long: "ignore-all-space" },
    x: { long: "exclude", value: true },
    Z: { long: "ignore-trailing-space" },
    label: { value: true },
    normal: {},
  },
  failed: 2,
  async run(context) {
    const { runDiff } = await import("../compare/diff-run.ts");
    return await runDiff(context);
  },
});
