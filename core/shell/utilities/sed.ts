/** sed: edits a stream of text. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const sed: Command = utility({
  name: "sed",
  summary: "edit a stream of text",
  help: `
usage: sed [-nEsz] [-i[SUFFIX]] SCRIPT [FILE…]
       sed [OPTION]… -e SCRIPT… [-f FILE] [FILE…]

Runs SCRIPT on each line of each FILE, or of standard input, and writes the result. -n writes only what 'p' and similar
commands write; -E reads extended expressions; -i changes the files themselves, and keeps the old ones under SUFFIX; -s
treats each file separately; -z reads lines that end with a NUL. It is GNU sed without 'e', which would run commands.

  seq 5 | sed -n '2,4s/$/ apples/p'
`,
  specs: {
    n: { long: "quiet" },
    silent: {},
    e: { long: "expression", value: true },
    f: { long: "file", value: true },
    E: { long: "regexp-extended" },
    r: {},
    i: { long: "in-place", value: "optional" },
    s: { long: "separate" },
    z: { long: "null-data" },
    u: { long: "unbuffered" },
    l: { long: "line-length", value: true },
    posix: {},
    sandbox: {},
    debug: {},
  },
  failed: 2,
  usageStatus: 1,
  async run(context) {
    const { runSedWords } = await import("../sed/sed-run.ts");
    return await runSedWords(context);
  },
});
