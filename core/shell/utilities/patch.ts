/** patch: changes files as a unified diff says. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const patch: Command = utility({
  name: "patch",
  summary: "change files as a diff says",
  help: `
usage: patch [-Rs] [-p PARTS] [-i PATCH] [--dry-run] [FILE [PATCH]]

Changes FILE, or the files that PATCH names, as PATCH says: a unified diff, by default from standard input. -p takes that
many parts off the front of names in it ('-p1' for git's); without it, all but the last. -R undoes the changes; --dry-run
only says whether they fit; -s writes only what is wrong. If not all changes fit a file, it stays as it was.

Exit status: 0 all changes were made, 1 some did not fit, 2 another error.

  cd /tmp && seq 3 > a && seq 4 > b && diff -u a b | patch a
`,
  specs: {
    i: { long: "input", value: true },
    p: { long: "strip", value: true },
    R: { long: "reverse" },
    s: { long: "quiet" },
    silent: {},
    u: { long: "unified" },
    "dry-run": {},
  },
  failed: 2,
  async run(context) {
    const { runPatch } = await import("../compare/patch-run.ts");
    return await runPatch(context);
  },
});
