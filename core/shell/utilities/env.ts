/** env, printenv: shows exported variables, and runs commands with other ones. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const env: Command = utility({
  name: "env",
  summary: "show the environment, or run a command in a changed one",
  help: `
usage: env [-i] [-0] [-u NAME]… [NAME=VALUE]… [COMMAND [WORD…]]

Writes the environment, or runs COMMAND with these variables added. -i starts with an empty one; -u leaves NAME out.

  env GREETING=hello printenv GREETING
`,
  specs: { i: { long: "ignore-environment" }, u: { long: "unset", value: true }, "0": { long: "null" } },
  parsing: { isPosix: true },
  failed: 125,
  async run({ options, operands, environment, out, run, flush }) {
    const own = new Map(options.has("i") || operands[0] === "-" ? [] : environment);
    for (const name of options.values("u")) own.delete(name);
    const words = operands[0] === "-" ? operands.slice(1) : operands;
    let at = 0;
    for (; /^[^=]+=/s.test(words[at] ?? ""); at++) {
      const word = words[at] ?? "";
      own.set(word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1));
    }
    const command = words.slice(at);
    if (command.length === 0) {
      for (const [name, value] of own) await out(`${name}=${value}${options.has("0") ? "\0" : "\n"}`);
      return 0;
    }
    await flush();
    return await run(command, { environment: own });
  },
});

export const printenv: Command = utility({
  name: "printenv",
  summary: "values of exported variables",
  help: `
usage: printenv [-0] [NAME…]

  printenv HOME
`,
  specs: { "0": { long: "null" } },
  usageStatus: 2,
  async run({ options, operands, environment, out }) {
    const end = options.has("0") ? "\0" : "\n";
    if (operands.length === 0) for (const [name, value] of environment) await out(`${name}=${value}${end}`);
    let status = 0;
    for (const name of operands) {
      const value = environment.get(name);
      if (value === undefined) status = 1;
      else await out(value + end);
    }
    return status;
  },
});
