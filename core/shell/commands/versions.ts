/** versions: the earlier versions of a file. */
import type { Text } from "../styled.ts";
import { StarfishError } from "../../base/errors.ts";
import type { FileVersion } from "../../disk/types.ts";
import { completeWith, placeOf } from "../files/paths.ts";
import { dateWords, fileJson } from "../files/words.ts";
import { bytesWords, roughly, table } from "../format.ts";
import { oneLine } from "../mem/value.ts";
import { Writers, writerWords } from "../mem/writers.ts";
import { oneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const versions: Command = {
  name: "versions",
  summary: "list the earlier versions of a file",
  help: `
usage: versions PATH [--json]

Lists the versions of a file, also of a removed one, the latest first: the name for 'restore', size, time (UTC), writer,
and how long it is kept. Overwritten and removed files are kept for a week, as long as they fit their share of the space.

  echo one | put - /note; echo two | put - /note
  versions /note
`,
  async run(context) {
    const { args, computer, stdout, terminal } = context;
    const { options, operands } = parseArguments(args, { json: "flag" });
    const path = placeOf(oneOperand(operands, "PATH"), context);
    const found = computer.files.versions(path);
    if (found.length === 0) {
      const isDirectory = computer.files.stat(path)?.kind === "directory";
      if (isDirectory)
        throw new StarfishError("is-a-directory", `${oneLine(path)} is a directory: files have versions`);
      throw new StarfishError("not-found", `there is no ${oneLine(path)}, nor is an earlier version of it kept`);
    }
    const writers = new Writers(computer);
    const nowMs = computer.memory.now();
    const row = (one: FileVersion): Text[] => [
      one.version,
      bytesWords(one.sizeBytes),
      dateWords(one.modifiedAtMs),
      writerWords(writers.find(one.writer), terminal.stdout),
      one.isCurrent ? "now" : one.keptUntilMs === undefined ? "conflict" : `for ${roughly(one.keptUntilMs - nowMs)}`,
    ];
    const json = (one: FileVersion): Record<string, unknown> => ({
      version: one.version,
      isCurrent: one.isCurrent,
      keptUntilMs: one.keptUntilMs ?? null,
      ...fileJson(one, writers.find(one.writer)?.record.name),
    });
    const output = options.json === true ? `${JSON.stringify(found.map(json))}\n` : table(found.map(row));
    writers[Symbol.dispose]();
    await stdout.print(output);
    return 0;
  },
  complete: completeWith("--json"),
};
