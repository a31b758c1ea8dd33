/** ping: how long a message to a member and back takes. What sends them is loaded when it is first called. */
import type { Command } from "../types.ts";
import { memberWords } from "../who.ts";

/** As many as tell a median from chance, in few seconds. */
const COUNT_DEFAULT = 5;

export const ping: Command = {
  name: "ping",
  summary: "time messages to a member and back",
  help: `
usage: ping PEER [--count N]

Sends N small messages (${COUNT_DEFAULT} unless told) one after the other and shows how long each took to come back, then the
least, the median and the most. Links to the member first if there is no link. Ctrl-C stops early and still sums up.
PEER is a name, or the beginning or end of an id as 'peers' shows it.

  ping brisk-otter --count 3
`,
  async run(context) {
    const { runPing } = await import("../seldom/ping-run.ts");
    return await runPing(context, COUNT_DEFAULT);
  },
  complete: (words, computer) =>
    words.length === 2 ? memberWords(computer.net.members().filter((member) => !member.isSelf)) : [],
};
