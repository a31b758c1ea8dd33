/** cmp: the first byte in which two files differ, or all such bytes. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const cmp: Command = utility({
  name: "cmp",
  summary: "compare two files byte by byte",
  help: `
usage: cmp [-bls] [-n BYTES] [-i BYTES[:BYTES]] FILE1 [FILE2 [SKIP1 [SKIP2]]]

Says where two files first differ. FILE2 is standard input if it is absent; '-' is standard input too. Bytes and lines are
counted from 1. -l writes all bytes that differ, in octal; -b writes them as characters too; -s writes nothing; -n BYTES
stops after that many bytes; -i BYTES skips that many first.

Exit status: 0 the files are equal, 1 they differ, 2 one could not be read.

  seq 3 > /tmp/a; seq 4 | cmp /tmp/a -
`,
  specs: {
    b: { long: "print-bytes" },
    i: { long: "ignore-initial", value: true },
    l: { long: "verbose" },
    n: { long: "bytes", value: true },
    s: { long: "quiet" },
    silent: {},
  },
  failed: 2,
  async run(context) {
    const { runCmp } = await import("../seldom/cmp-run.ts");
    return await runCmp(context);
  },
});
