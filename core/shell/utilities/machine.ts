/** hostname, tty, uname, nproc, id, which: what scripts ask about their machine. */
import { StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import { absolutePath } from "../language/glob.ts";
import { noMoreOperands } from "../operands.ts";
import type { Command, CommandContext } from "../types.ts";
import { utility } from "./utility.ts";

/** The name of a node without a name. */
const HOST = "starfish";
const SYSTEM = "Starfish";
const MACHINE = "wasm32";

export function hostNameOf({ net }: Pick<Computer, "net">): string | undefined {
  return net.members().find(({ isSelf }) => isSelf)?.record.name;
}

export const hostname: Command = utility({
  name: "hostname",
  summary: "the name of this machine",
  help: `
usage: hostname

Writes this node's name in the swarm, or "starfish" where it has none; $HOSTNAME is the name when the shell began.

  hostname
`,
  specs: { s: {}, f: {} },
  async run({ operands, computer, out }) {
    noMoreOperands(operands, 0);
    await out(`${hostNameOf(computer) ?? HOST}\n`);
    return 0;
  },
});

export const tty: Command = utility({
  name: "tty",
  summary: "the terminal that standard input is",
  help: `
usage: tty [-s]

Writes /dev/tty, or "not a tty" with status 1. -s writes nothing.

  tty && echo a person is there
`,
  specs: { s: { long: "silent" } },
  usageStatus: 2,
  async run({ options, operands, terminal, out }) {
    noMoreOperands(operands, 0);
    const isTerminal = terminal.stdin !== undefined;
    if (!options.has("s")) await out(isTerminal ? "/dev/tty\n" : "not a tty\n");
    return isTerminal ? 0 : 1;
  },
});

export const uname: Command = utility({
  name: "uname",
  summary: "what system this is",
  help: `
usage: uname [-asnrvmo]

Writes the system's name; -n the machine's, -r and -v the version, -m the kind of machine, -a all.

  uname -a
`,
  specs: { a: {}, s: {}, n: {}, r: {}, v: {}, m: {}, o: {}, p: {}, i: {} },
  async run({ options, operands, computer, out }) {
    noMoreOperands(operands, 0);
    const values: readonly (readonly [string, string])[] = [
      ["s", SYSTEM],
      ["n", hostNameOf(computer) ?? HOST],
      ["r", "1"],
      ["v", "#1"],
      ["m", MACHINE],
      ["o", SYSTEM],
    ];
    const isAny = values.some(([letter]) => options.has(letter));
    const chosen = values.filter(([letter]) => options.has("a") || (isAny ? options.has(letter) : letter === "s"));
    await out(`${chosen.map(([, value]) => value).join(" ")}\n`);
    return 0;
  },
});

export const id: Command = utility({
  name: "id",
  summary: "the user: root, for scripts that ask",
  help: `
usage: id [-u | -g | -G] [-n]

There are no users and groups here: it says root, as $UID does. 'whoami' says who this node is in the swarm.

  id -u
`,
  specs: { u: { long: "user" }, g: { long: "group" }, G: { long: "groups" }, n: { long: "name" }, r: { long: "real" } },
  async run({ options, operands, out }) {
    noMoreOperands(operands, 0);
    const isOne = ["u", "g", "G"].some((letter) => options.has(letter));
    if (options.has("n") && !isOne)
      throw new StarfishError("usage", "cannot print only names or real IDs in default format");
    const one = options.has("n") ? "root" : "0";
    await out(isOne ? `${one}\n` : "uid=0(root) gid=0(root) groups=0(root)\n");
    return 0;
  },
});

export const which: Command = utility({
  name: "which",
  summary: "where a command is",
  help: `
usage: which [-a] NAME…

Writes the path of each command in $PATH; -a all paths. Exit status 1 if a command is missing. 'type NAME' knows words of
the language too.

  which -a cat
`,
  specs: { a: { long: "all" }, s: {} },
  usageStatus: 2,
  async run(context) {
    const { options, operands, out } = context;
    let status = 0;
    for (const name of operands) {
      const found = await inPath(name, context);
      if (found.length === 0) status = 1;
      if (options.has("s")) continue;
      for (const path of options.has("a") ? found : found.slice(0, 1)) await out(`${path}\n`);
    }
    return operands.length === 0 ? 1 : status;
  },
});

async function inPath(name: string, { names, environment, cwd, signal }: CommandContext): Promise<string[]> {
  const found: string[] = [];
  const folders = name.includes("/") ? [""] : (environment.get("PATH") ?? "").split(":");
  for (const folder of folders) {
    const shown = name.includes("/") ? name : `${folder === "" ? "." : folder}/${name}`;
    const entry = await names.stat(absolutePath(shown, cwd), { signal }).catch(() => undefined);
    if (entry?.kind === "file" && entry.isExecutable === true) found.push(shown);
  }
  return found;
}
