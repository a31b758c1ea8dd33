/** cmp: the first byte in which two files differ, or all such bytes. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const cmp: Command = utility({
  name: "cmp",
  summary: "compare two files byte by byte",
  help: `
usage: cmp [-bls] [-n BYTES] [-i BYTES[:BYTES]] FILE1 [FILE2 [SKIP1 [SKIP2]]]

Says where FILE1 and FILE2 (standard input unless given, as is '-') first differ; bytes and lines are counted from 1. -l
writes each byte that differs, in octal, -b also as characters, -s nothing at all, -n compares at most so many bytes, -i
passes over so many first.

Exit status: 0 they are equal, 1 they differ, 2 one could not be read.

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
