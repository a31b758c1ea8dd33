/** xxd: bytes as hexadecimal text, and back. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

const plainXxd: Command = utility({
  name: "xxd",
  summary: "bytes as hexadecimal text, and back",
  help: `
usage: xxd [-bdiprsu] [-c COLUMNS] [-g BYTES] [-l BYTES] [-s [-]BYTES] [-o BYTES] [INPUT [OUTPUT]]
       xxd -r [-p] [-s BYTES] [INPUT [OUTPUT]]

Shows bytes in hexadecimal, with their place before and their characters behind them. -p only the digits, -i as an array in
C, -b in bits, -u with capitals, -d places in decimal; -s begins so many bytes further on (or before the end), -l ends after
so many. -r makes bytes of such a text again.

  echo hello | xxd | xxd -r
`,
  specs: {
    b: { long: "bits" },
    c: { long: "cols", value: true },
    d: {},
    g: { long: "groupsize", value: true },
    i: { long: "include" },
    l: { long: "len", value: true },
    o: { value: true },
    p: { long: "plain" },
    r: { long: "revert" },
    s: { long: "seek", value: true },
    u: { long: "uppercase" },
  },
  async run(context) {
    const { runXxd } = await import("../seldom/xxd-run.ts");
    return await runXxd(context);
  },
  failed: 2,
  usageStatus: 1,
});

/** Users of xxd write `-ps` for `-p`; its s takes no value. */
export const xxd: Command = {
  ...plainXxd,
  run: (context) => plainXxd.run({ ...context, args: context.args.map((word) => (word === "-ps" ? "-p" : word)) }),
};
