/** df: how much space there is, and what takes it. */
import { utf8 } from "../../base/bytes.ts";
import { filesUnder } from "../files/paths.ts";
import { bytesWords, count, table } from "../format.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const df: Command = {
  name: "df",
  summary: "how much space this node offers, and what takes it",
  help: `
usage: df [--json]

Shows what this node offers to the swarm and how much of it is used, how many shards it holds and how many of them were
found damaged and were repaired since it started, and how much is in all files together.

  df
`,
  async run({ args, computer, stdout }) {
    const { options, operands } = parseArguments(args, { json: "flag" });
    noOperands(operands);
    const use = computer.storage.use();
    let files = 0;
    let bytes = 0;
    for (const { sizeBytes } of filesUnder(computer.files, "/")) {
      files++;
      bytes += sizeBytes;
    }
    if (options.json === true) {
      await stdout.write(utf8(`${JSON.stringify({ ...use, files, filesBytes: bytes })}\n`));
      return 0;
    }
    const free = Math.max(0, use.offeredBytes - use.usedBytes);
    const share = use.offeredBytes === 0 ? "" : ` (${((100 * use.usedBytes) / use.offeredBytes).toFixed(1)}%)`;
    const rows = [
      ["offered", `${bytesWords(use.offeredBytes)} by this node to the swarm`],
      ["used", `${bytesWords(use.usedBytes)}${share}, ${bytesWords(free)} free`],
      ["shards", `${use.shards}, ${use.damaged} found damaged, ${use.repaired} repaired here`],
      ["kept", `${bytesWords(use.keptBytes)} whole on this node`],
      ["files", `${count(files, "file")}, ${bytesWords(bytes)} in the whole swarm`],
    ];
    await stdout.write(utf8(table(rows)));
    return 0;
  },
};
