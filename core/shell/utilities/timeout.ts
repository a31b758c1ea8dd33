/** timeout: runs a command with a time limit. */
import { StarfishError } from "../../base/errors.ts";
import { signalName, SIGNALS } from "../language/process.ts";
import type { Command } from "../types.ts";
import { secondsOf } from "./sleep.ts";
import { utility } from "./utility.ts";

export const timeout: Command = utility({
  name: "timeout",
  summary: "end a command that takes too long",
  help: `
usage: timeout [-s SIGNAL] [-k TIME] TIME COMMAND [WORD…]

Runs COMMAND, and ends it after TIME (seconds, or with s, m, h, d). The status is then 124.

  timeout 1 sleep 10 || echo too long
`,
  specs: {
    s: { long: "signal", value: true },
    k: { long: "kill-after", value: true },
    "preserve-status": {},
    foreground: {},
    v: { long: "verbose" },
  },
  parsing: { isPosix: true },
  failed: 125,
  async run({ options, operands, computer, run }) {
    const [time, ...command] = operands;
    if (time === undefined || command.length === 0) throw new StarfishError("usage", "missing operand");
    const name = signalName(options.value("s") ?? "TERM");
    if (name === undefined) throw new StarfishError("usage", `'${options.value("s") ?? ""}': invalid signal`);
    const seconds = secondsOf(time);
    const stop = new AbortController();
    const timer =
      seconds === 0
        ? undefined
        : computer.clock.timer(Math.min(seconds * 1000, 2 ** 31 - 1), () =>
            stop.abort(new StarfishError("cancelled", "Timed out")),
          );
    try {
      const status = await run(command, { signal: stop.signal });
      if (!stop.signal.aborted) return status;
      return options.has("preserve-status") ? 128 + (SIGNALS[name] ?? 15) : name === "KILL" ? 137 : 124;
    } finally {
      timer?.cancel();
    }
  },
});
