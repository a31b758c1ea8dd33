/** whoami: this node as other members see it. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";

export const whoami: Command = {
  name: "whoami",
  summary: "this node: its name, id, and what it lends",
  help: `
usage: whoami [--json]

Shows this node's name and id, its swarm, and what it lends and keeps.

  whoami
`,
  async run(context) {
    const { runWhoami } = await import("../seldom/whoami-run.ts");
    return await runWhoami(context);
  },
};
