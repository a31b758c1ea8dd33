/** me: whose node this is, and which other nodes are theirs. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";

export const me: Command = {
  name: "me",
  summary: "who you are, and which nodes are yours",
  help: `
usage: me [--json] | name NAME | add | join CODE | remove NODE | --picture FILE | --no-picture

'me name anna' says whose node this is. 'me add' prints a code for 'me join' on another node: mail to anna then reaches
both, and is read once. 'me remove' makes a new key, which NODE does not get. 'me --picture photo.jpg' shows all members a
picture beside your name; a tab makes it small, elsewhere it has at most 16 KiB and 256 x 256 pixels (PNG, JPEG, WebP).

  me
`,
  async run(context) {
    const { runMe } = await import("../people/me-run.ts");
    return await runMe(context);
  },
};
