/** diff: how two files or directories differ. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const diff: Command = utility({
  name: "diff",
  summary: "how two files or directories differ",
  help: `
usage: diff [-uqrsNaibwBZ] [-U LINES] [-x PATTERN] [--label NAME]… OLD NEW

Writes what has to change in OLD to get NEW; '-' is standard input. In two directories, files of the same name are
compared; -r goes into their directories too. -u shows lines around each change, as patch reads it; -U says how many.
-q says only whether files differ; -s also says that they are equal; -N takes a missing file for an empty one. -i ignores
case, -w blanks, -b the number of blanks, -Z blanks at the end, -B empty lines; -a takes all files for text, -x skips names.

Exit status: 0 no difference, 1 differences, 2 something could not be compared.

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
