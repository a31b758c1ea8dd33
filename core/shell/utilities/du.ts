/** du: the sizes of files, and of directories with their contents. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const du: Command = utility({
  name: "du",
  summary: "how large files and directories are",
  help: `
usage: du [-abchkms] [-d LEVELS] [PATH…]

Writes the size of each directory at or below PATH ('.'), with all that is in it, in KiB. -a lists files too; -s only each
PATH; -d LEVELS only so many levels below it; -c adds the sum. -h writes units, -m MiB, -b bytes. A size is that of the
files' contents, not what a disk or the swarm's copies take (see 'df').

  mkdir -p /tmp/a && seq 1000 > /tmp/a/b && du -ah /tmp/a
`,
  specs: {
    a: { long: "all" },
    b: { long: "bytes" },
    c: { long: "total" },
    d: { long: "max-depth", value: true },
    h: { long: "human-readable" },
    k: {},
    m: {},
    s: { long: "summarize" },
    "apparent-size": {},
  },
  async run(context) {
    const { runDu } = await import("../seldom/du-run.ts");
    return await runDu(context);
  },
});
