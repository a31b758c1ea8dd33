/** help: lists all commands, or explains one of them. */
import { StarfishError } from "../../base/errors.ts";
import { fitted, table, wrapped } from "../format.ts";
import { builtins } from "../language/builtins/index.ts";
import { absolutePath } from "../language/glob.ts";
import { isKeyword } from "../language/keywords.ts";
import { parseArguments } from "../options.ts";
import { programNamed, type ProgramFile } from "../programs/table.ts";
import { compose, type Text } from "../styled.ts";
import { suggest } from "../suggest.ts";
import type { Command, CommandContext } from "../types.ts";
import { utilities } from "../utilities/index.ts";

/** `all` is called when help runs, because the page may have added commands of its own. */
export function help(all: () => readonly Command[]): Command {
  return {
    name: "help",
    summary: "list or explain commands",
    help: `
usage: help [NAME]

Lists the commands, or explains NAME: a word of the language, a command, or a program.

  help map
`,
    async run(context) {
      const { stdout, terminal } = context;
      const { operands } = parseArguments(context.args, {});
      const [name] = operands;
      if (name !== undefined) {
        await stdout.print(compose`${fitted(await explained(name, all(), context), terminal.stdout)}\n`);
        return 0;
      }
      await stdout.print(overview(all(), terminal.stdout?.columns));
      return 0;
    },
  };
}

/** `man` is how people of other systems ask. */
export function man(all: () => readonly Command[]): Command {
  const explain = help(all);
  return {
    name: "man",
    summary: "explain a command, as help does",
    help: `
usage: man NAME

Explains NAME, as 'help NAME' does.

  man ls
`,
    async run(context) {
      const args = context.args.filter((word) => !/^\d$/.test(word));
      if (args.length === 0) throw new StarfishError("usage", "NAME is missing; 'help' lists the commands");
      return await explain.run({ ...context, args });
    },
  };
}

function programHelp({ name, summary, package: from, sizeBytes }: ProgramFile): string {
  const megabytes = (sizeBytes / 1e6).toFixed(1);
  return `${name}: ${summary}

A program (WebAssembly, ${megabytes} MB, from ${from}), which is fetched when it is first called.
'${name} --help' says how it is used.`;
}

function overview(all: readonly Command[], columns = 80): Text {
  const common = new Set(utilities.map((command) => command.name));
  const rows = all
    .filter((command) => !common.has(command.name))
    .map((command) => [`  ${command.name}`, command.summary]);
  const list = (names: Iterable<string>): Text => wrapped([...names].sort().join(" "), Math.max(20, columns - 2));
  const files = list(all.filter((command) => common.has(command.name)).map((command) => command.name));
  const language = list(builtins.keys());
  return compose`This computer:
${table(rows, columns)}
Files and text:
${files}

The language is bash's, with
${language}

${wrapped(FOOTER, Math.max(20, columns - 2))}
`;
}

async function explained(name: string, all: readonly Command[], context: CommandContext): Promise<string> {
  const builtin = builtins.get(name);
  if (builtin !== undefined)
    return `${name} is a builtin of the language: ${builtin.summary}.\n\nusage: ${builtin.usage}`;
  const command = all.find((candidate) => candidate.name === name);
  if (command !== undefined) return command.help.trim();
  const known = programNamed(name);
  if (known !== undefined) return programHelp(known);
  if (isKeyword(name)) return `${name} is a word of the language, as in bash.`;
  const program = await programOf(name, context);
  if (program !== undefined) return `${name} is a program: ${program}. '${name} --help' may explain it.`;
  const near = suggest(name, [...all.map((candidate) => candidate.name), ...builtins.keys()]);
  const hint = near === undefined ? "" : `; did you mean '${near}'?`;
  throw new StarfishError("not-found", `there is no command '${name}'${hint}`);
}

async function programOf(
  name: string,
  { names, environment, cwd, signal }: CommandContext,
): Promise<string | undefined> {
  for (const directory of name.includes("/") ? [""] : (environment.get("PATH") ?? "").split(":")) {
    const path = absolutePath(directory === "" ? name : `${directory}/${name}`, cwd);
    const entry = await names.stat(path, { signal }).catch(() => undefined);
    if (entry !== undefined && entry.kind !== "directory") return path;
  }
  return undefined;
}

const FOOTER =
  "'help NAME' and 'NAME --help' explain one. Tab completes, Ctrl-R searches earlier lines, Ctrl-C stops what runs, " +
  "Ctrl-Z pauses it. Try: peers · map mandelbrot · mem set hello world · invite";
