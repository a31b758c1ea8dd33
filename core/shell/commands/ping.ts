/** ping: how long a message to a member and back takes. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { memberWords } from "../who.ts";

/** Enough for a stable median, within a few seconds. */
const COUNT_DEFAULT = 5;

export const ping: Command = {
  name: "ping",
  summary: "time messages to a member and back",
  help: `
usage: ping PEER [-c N]

Sends N (--count) small messages (${COUNT_DEFAULT} by default) one after the other and shows the round trip of each, then the least, the
median and the most. If there is no link to the member, it makes one first. Ctrl-C stops early and still sums up. PEER is
a name, or the beginning or end of an id as in 'peers'.

  ping -c 3 brisk-otter
`,
  async run(context) {
    const { runPing } = await import("../seldom/ping-run.ts");
    return await runPing(context, COUNT_DEFAULT);
  },
  complete: (words, computer) =>
    words.length === 2 ? memberWords(computer.net.members().filter((member) => !member.isSelf)) : [],
};
