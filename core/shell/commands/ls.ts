/** ls: what is in a directory. */
import { compose, type Text } from "../styled.ts";
import { utf8 } from "../../base/bytes.ts";
import type { Computer } from "../../computer.ts";
import type { FileInfo } from "../../disk/types.ts";
import { baseName, completeWith, shownName } from "../files/paths.ts";
import { dateWords, fileJson } from "../files/words.ts";
import { bytesWords, dim, table } from "../format.ts";
import { Writers, writerWords } from "../mem/writers.ts";
import { parseArguments } from "../options.ts";
import type { Command, CommandContext } from "../types.ts";

/** Rows that are laid out and written together: few enough for a page to stay responsive meanwhile. */
const BLOCK_ROWS = 500;

export const ls: Command = {
  name: "ls",
  summary: "list files and directories",
  help: `
usage: ls [-l] [PATH…] [--json]

Lists what is in a directory, or names the file; without a PATH what is in the root. -l also shows size, time of the last
write (UTC), who wrote it, and whether it is kept whole on this node. A file that two sides wrote without knowing of each
other shows the latest write under its name, and the others beside it as 'NAME (conflict DATE NODE)'.

  ls
  ls -l /
`,
  async run(context) {
    const { options, operands } = parseArguments(context.args, { long: "flag", json: "flag" }, { l: "long" });
    const paths = operands.length === 0 ? ["/"] : operands;
    const writers = new Writers(context.computer);
    try {
      for (const [i, path] of paths.entries()) {
        const infos = entriesOf(path, context.computer);
        if (options.json === true) {
          await context.stdout.write(utf8(asJson(infos, writers)));
          continue;
        }
        if (paths.length > 1) await context.stdout.write(utf8(`${i > 0 ? "\n" : ""}${shown(path, context)}:\n`));
        await writeRows(infos, options.long === true, writers, context);
      }
    } finally {
      writers[Symbol.dispose]();
    }
    return 0;
  },
  complete: completeWith("-l", "--json"),
};

function entriesOf(path: string, { files }: Computer): readonly FileInfo[] {
  const info = files.stat(path);
  return info?.kind === "file" ? [info] : files.list(path);
}

async function writeRows(
  infos: readonly FileInfo[],
  isLong: boolean,
  writers: Writers,
  context: CommandContext,
): Promise<void> {
  const { stdout, terminal } = context;
  for (let at = 0; at < infos.length; at += BLOCK_ROWS) {
    const block = infos.slice(at, at + BLOCK_ROWS);
    const rows = isLong
      ? block.map((info) => longRow(info, writers, context))
      : block.map((info) => [nameOf(info, context)]);
    await stdout.print(table(rows));
  }
  if (infos.length === 0 && terminal.stdout !== undefined) {
    await stdout.print(compose`${dim("Nothing is here yet: 'put' brings files in.", terminal.stdout)}\n`);
  }
}

function longRow(info: FileInfo, writers: Writers, context: CommandContext): Text[] {
  const screen = context.terminal.stdout;
  const isFile = info.kind === "file";
  const marks = `${isFile ? "-" : "d"}${info.isKeptHere ? "k" : "-"}${info.isConflict ? "c" : "-"}`;
  return [
    marks,
    isFile ? bytesWords(info.sizeBytes) : "",
    dateWords(info.modifiedAtMs),
    isFile ? writerWords(writers.find(info.writer), screen) : "",
    nameOf(info, context),
  ];
}

/** Directories end with a slash where a person looks. */
function nameOf(info: FileInfo, context: CommandContext): string {
  const slash = info.kind === "directory" && context.terminal.stdout !== undefined ? "/" : "";
  return shown(baseName(info.path), context) + slash;
}

function shown(name: string, { terminal }: CommandContext): string {
  return shownName(name, terminal.stdout);
}

function asJson(infos: readonly FileInfo[], writers: Writers): string {
  const rows = infos.map((info) => JSON.stringify(fileJson(info, writers.find(info.writer)?.record.name)));
  return `[${rows.join(",\n")}]\n`;
}
