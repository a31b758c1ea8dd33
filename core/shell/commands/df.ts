/**
 * df: how much space there is, here and on every node, and what uses it. Its code is loaded when it is first called.
 */
import type { Command } from "../types.ts";

export const df: Command = {
  name: "df",
  summary: "how much space the nodes offer, and what uses it",
  help: `
usage: df [-h] [--json]

Shows how much space this node offers to the swarm and how much is used, how many shards it holds, how many of them were
damaged and repaired since it started, and the size of all files. Then it shows what each node says that it offers and
uses. ★ is this node, ● a Node.js node, ○ a browser tab. Sizes are always readable (-h); --json has them in bytes.

  df
`,
  async run(context) {
    const { runDf } = await import("../files/df-run.ts");
    return await runDf(context);
  },
};
