/** peers: who forms this computer, and how this node is linked to each. What tells it is loaded when it is first called. */
import type { Command } from "../types.ts";

export const peers: Command = {
  name: "peers",
  summary: "who is here, and how this node reaches them",
  help: `
usage: peers [--all] [--json]

Lists the members of this swarm: name, last letters of the id, kind, cores that it lends (and how many are busy), the round
trip, whose node it is where that was said, and how this node is linked to it (direct, or relayed and why). Members without a link are reached through others,
or dialled when needed. It says so if this device's clock is wrong, or its identity in use elsewhere. ★ is this node, ● a node, ○ a browser tab. --all also shows who was here during the last day.

  peers
`,
  async run(context) {
    const { runPeers } = await import("../seldom/peers-run.ts");
    return await runPeers(context);
  },
};
