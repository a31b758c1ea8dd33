/** help: what there is, in a few lines. */
import { compose } from "../styled.ts";
import { StarfishError } from "../../base/errors.ts";
import { fitted, table } from "../format.ts";
import { parseArguments } from "../options.ts";
import { programNamed, type ProgramFile } from "../programs/table.ts";
import { suggest } from "../suggest.ts";
import type { Command } from "../types.ts";

/** `all` is asked when help runs: the page may have added commands of its own. */
export function help(all: () => readonly Command[]): Command {
  return {
    name: "help",
    summary: "say what there is",
    help: `
usage: help [COMMAND]

Lists the commands, or explains one.

  help map
`,
    async run({ args, stdout, terminal }) {
      const { operands } = parseArguments(args, {});
      const name = operands[0];
      if (name === undefined) {
        const rows = all().map((command) => [`  ${command.name}`, command.summary]);
        await stdout.print(compose`${table(rows, terminal.stdout?.columns)}\n${fitted(FOOTER, terminal.stdout)}`);
        return 0;
      }
      const command = all().find((candidate) => candidate.name === name);
      const program = command !== undefined ? undefined : programNamed(name);
      if (program !== undefined) {
        await stdout.print(compose`${fitted(programHelp(program), terminal.stdout)}\n`);
        return 0;
      }
      if (command === undefined) {
        const near = suggest(
          name,
          all().map((candidate) => candidate.name),
        );
        throw new StarfishError(
          "not-found",
          `there is no command '${name}'${near === undefined ? "" : `; did you mean '${near}'?`}`,
        );
      }
      await stdout.print(compose`${fitted(`${command.help.trim()}\n\n${OWN}`, terminal.stdout)}\n`);
      return 0;
    },
    complete: (words) => (words.length === 2 ? all().map((command) => command.name) : []),
  };
}

const OWN = "This is a command of the shell itself.";

function programHelp({ name, summary, package: from, sizeBytes }: ProgramFile): string {
  const megabytes = (sizeBytes / 1e6).toFixed(1);
  return `${name}: ${summary}

A program (WebAssembly, ${megabytes} MB, from ${from}), which is fetched when it is first called.
'${name} --help' says how it is used.`;
}

const FOOTER = `'COMMAND --help' shows an example. Join commands with | && || ; and quote words that hold blanks.
Tab completes, Ctrl-C stops what runs. Try: peers · map mandelbrot · mem set hello world · invite
`;
