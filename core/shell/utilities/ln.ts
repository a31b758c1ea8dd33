/** ln: further names of files, and symbolic links, in the trees that keep them. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const ln: Command = utility({
  name: "ln",
  summary: "make links",
  help: `
usage: ln [-fnsTv] TARGET [LINK]
       ln [-fnsTv] TARGET… DIRECTORY

Gives the file TARGET another name, or with -s makes a symbolic LINK to it. Only /tmp can have links. -f replaces what is
there; -n (-T) takes a LINK to a directory for the link itself; -v says what was made.

  cd /tmp && seq 3 > a && ln -sf a b && cat b
`,
  specs: {
    f: { long: "force" },
    n: { long: "no-dereference" },
    s: { long: "symbolic" },
    T: { long: "no-target-directory" },
    v: { long: "verbose" },
    t: { long: "target-directory", value: true },
  },
  async run(context) {
    const { runLn } = await import("../seldom/ln-run.ts");
    return await runLn(context);
  },
});
