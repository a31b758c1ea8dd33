/** whoami: this node as the others see it. What tells it is loaded when it is first called. */
import type { Command } from "../types.ts";

export const whoami: Command = {
  name: "whoami",
  summary: "this node: its name, id, and what it lends",
  help: `
usage: whoami [--json]

Says what this node is called, its id, the swarm that it belongs to, and what it lends and keeps.

  whoami
`,
  async run(context) {
    const { runWhoami } = await import("../seldom/whoami-run.ts");
    return await runWhoami(context);
  },
};
