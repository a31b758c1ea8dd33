/** top: the swarm's jobs live: progress, rate, nodes. Its code is loaded when it is first called. */
import { StarfishError } from "../../base/errors.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import { compose, joined } from "../styled.ts";
import type { Command } from "../types.ts";

export const top: Command = {
  name: "top",
  summary: "the swarm's jobs, live",
  help: `
usage: top [-b] [-n 1]

Shows the jobs of the swarm live: progress, rate, time left and the nodes that work on them; and how many of its lent
cores each node uses. q leaves. Without a terminal, or with -b, it shows them once.

  top
`,
  async run(context) {
    const isOnce = context.args.includes("-b");
    const rest = context.args.join(" ").replaceAll(/-b|-n ?1/g, "");
    noOperands(parseArguments(rest.split(" ").filter(Boolean), {}).operands);
    const { runTop, topRows } = await import("../terminal/top.ts");
    const { computer, fullScreen, signal, stdout, terminal } = context;
    if (fullScreen === undefined || isOnce) {
      await stdout.print(joined(topRows(computer, terminal.stdout).map((row) => compose`${row}\n`)));
      return 0;
    }
    const screen = fullScreen();
    const close = (): void => screen.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      return await runTop(screen, computer);
    } catch (error) {
      throw signal.aborted ? new StarfishError("cancelled", "Ended") : error;
    } finally {
      signal.removeEventListener("abort", close);
      close();
    }
  },
};
