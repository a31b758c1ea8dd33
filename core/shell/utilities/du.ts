/** du: the sizes of files, and of directories with their contents. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const du: Command = utility({
  name: "du",
  summary: "how large files and directories are",
  help: `
usage: du [-abchkms] [-d LEVELS] [PATH…]

Writes the size of each directory at or below each PATH ('.'), with all that is in it, in KiB; -a of files too, -s only of
each PATH, -d so many levels down, -c a sum of all. -h with units, -m in MiB, -b in bytes. Sizes are the bytes of the
files, not what a disk or the swarm's copies take (see 'df').

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
