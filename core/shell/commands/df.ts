/** df: how much space there is, here and on every node, and what takes it. What tells it is loaded when it is first called. */
import type { Command } from "../types.ts";

export const df: Command = {
  name: "df",
  summary: "how much space the nodes offer, and what takes it",
  help: `
usage: df [-h] [--json]

Shows what this node offers to the swarm and how much of it is used, how many shards it holds and how many of them were
found damaged and were repaired since it started, and how much is in all files together; then what each node offers and
how much of that is used, by its own word. ★ is this node, ● a node, ○ a browser tab. Sizes are always for people to read
(-h); --json has them in bytes.

  df
`,
  async run(context) {
    const { runDf } = await import("../files/df-run.ts");
    return await runDf(context);
  },
};
