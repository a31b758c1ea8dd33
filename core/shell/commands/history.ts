/** history: the lines that were run at this node's terminals. */
import { StarfishError } from "../../base/errors.ts";
import { utf8 } from "../../base/bytes.ts";
import { getopt } from "../getopt.ts";
import { numberValue } from "../utilities/utility.ts";
import { historyOf } from "../terminal/history-store.ts";
import type { Command } from "../types.ts";

export const history: Command = {
  name: "history",
  summary: "the lines that were run here",
  help: `
usage: history [-c] [N]

Lists the lines that were run at the terminals of this node, or the last N of them. -c forgets them all. They are kept
when the node restarts. A line that begins with a blank is not kept. Ctrl-R searches them.

  history 5
`,
  usageStatus: 2,
  async run({ args, computer, stdout }) {
    const options = getopt(args, { c: { long: "clear" } });
    const lines = historyOf(computer.store);
    await lines.ready;
    if (options.has("c")) {
      lines.clear();
      return 0;
    }
    const [count, extra] = options.operands;
    if (extra !== undefined) throw new StarfishError("usage", "too many arguments");
    const all = lines.all;
    const from = count === undefined ? 0 : Math.max(0, all.length - numberValue(count, "number of lines"));
    const text = all.slice(from).map((line, i) => `${String(from + i + 1).padStart(5)}  ${line}\n`);
    await stdout.write(utf8(text.join("")));
    return 0;
  },
};
