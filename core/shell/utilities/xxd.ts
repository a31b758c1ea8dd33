/** xxd: bytes as hexadecimal text, and back. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

const plainXxd: Command = utility({
  name: "xxd",
  summary: "bytes as hexadecimal text, and back",
  help: `
usage: xxd [-bdiprsu] [-c COLUMNS] [-g BYTES] [-l BYTES] [-s [-]BYTES] [-o BYTES] [INPUT [OUTPUT]]
       xxd -r [-p] [-s BYTES] [INPUT [OUTPUT]]

Shows bytes in hexadecimal, with their offset before and their characters after them. -p writes only the digits, -i an array
in C, -b bits, -u capitals, -d decimal offsets. -s skips that many bytes (with a minus, starts that many before the end); -l
stops after that many. -r turns such a text back into bytes.

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
