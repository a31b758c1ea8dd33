/** peers: the members, and how this node is linked to each. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";

export const peers: Command = {
  name: "peers",
  summary: "who is here, and how this node reaches them",
  help: `
usage: peers [--all] [--json]

Lists the members of this swarm: name, last letters of the id, kind, cores that it lends (and how many are busy), round
trip, person, and the link to this node (direct, or relayed and why). Members without a link are reached through others,
or dialled when needed. It warns if this device's clock is wrong, or its identity is used elsewhere. ★ is this node, ● a
Node.js node, ○ a browser tab. --all also shows members that left within the last day.

  peers
`,
  async run(context) {
    const { runPeers } = await import("../seldom/peers-run.ts");
    return await runPeers(context);
  },
};
