/** stat: everything about a file, and how safe it is. */
import type { Text } from "../styled.ts";
import { utf8 } from "../../base/bytes.ts";
import type { ContentStat, FileInfo } from "../../disk/types.ts";
import { completeWith, filesUnder } from "../files/paths.ts";
import { dateWords, fileJson, safetyWords } from "../files/words.ts";
import { bytesWords, count, table } from "../format.ts";
import { oneLine } from "../mem/value.ts";
import { Writers, writerWords } from "../mem/writers.ts";
import { oneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Command, CommandContext } from "../types.ts";

export const stat: Command = {
  name: "stat",
  summary: "all about a file: its CID, who holds it, how safe it is",
  help: `
usage: stat PATH [--json]

Shows size, CID (the one that IPFS gives the same bytes), writer, how it is coded, which devices hold how much of it, and
how many devices may be lost, whichever they are, before it is.

  echo hello | put - /hello.txt
  stat /hello.txt
`,
  async run(context) {
    const { options, operands } = parseArguments(context.args, { json: "flag" });
    const path = oneOperand(operands, "PATH");
    const { files } = context.computer;
    const info = files.stat(path);
    if (info === undefined) throw new StarfishError("not-found", `there is no ${oneLine(path)}`);
    const content = info.kind === "file" ? await files.statContent(path, { signal: context.signal }) : undefined;
    const writers = new Writers(context.computer);
    const by = writers.find(info.writer);
    writers[Symbol.dispose]();
    if (options.json === true) {
      const known = fileJson(info, by?.record.name);
      await context.stdout.write(
        utf8(`${JSON.stringify({ ...known, ...(content && { content: contentJson(content) }) })}\n`),
      );
      return 0;
    }
    const head = [
      ["path", oneLine(info.path)],
      ["kind", info.isConflict ? "file, a conflict copy" : info.kind],
    ];
    const rest =
      content === undefined
        ? directoryRows(info, context)
        : fileRows(info, content, writerWords(by, context.terminal.stdout), context);
    await context.stdout.print(table([...head, ...rest], context.terminal.stdout?.columns));
    return 0;
  },
  complete: completeWith("--json"),
};

function directoryRows(info: FileInfo, { computer }: CommandContext): string[][] {
  let files = 0;
  let bytes = 0;
  for (const { sizeBytes } of filesUnder(computer.files, info.path)) {
    files++;
    bytes += sizeBytes;
  }
  return [
    ["holds", `${count(files, "file")}, ${bytesWords(bytes)}`],
    ["written", `${dateWords(info.modifiedAtMs)} UTC`],
    ["kept here", info.isKeptHere ? "yes" : "no"],
  ];
}

function fileRows(info: FileInfo, content: ContentStat, by: Text, context: CommandContext): Text[][] {
  const { safety, code, lossChance, holders } = content;
  const bytes = holders.reduce((sum, holder) => sum + holder.bytes, 0);
  const rows: Text[][] = [
    ["size", `${bytesWords(info.sizeBytes)} (${info.sizeBytes} bytes)`],
    ["written", `${dateWords(info.modifiedAtMs)} UTC`],
    ["by", by],
    ["cid", content.cid],
    ["safety", safetyWords(content)],
    ["coded", codeWords(content)],
    ["kept here", info.isKeptHere ? "yes" : "no"],
  ];
  if (code !== undefined) {
    // With one device there is no half, and what is lost already has been said.
    if (safety === "safe" || safety === "placing") rows.push(["half lost", halfWords(lossChance)]);
    rows.push(["held by", `${count(holders.length, "device")}, ${bytesWords(bytes)} in all`]);
  }
  return [
    ...rows,
    ...holders.map((holder) => ["", `${deviceName(holder.device, context)}  ${bytesWords(holder.bytes)}`]),
  ];
}

function codeWords({ code, stripes }: ContentStat): string {
  if (code === undefined) return "in its entry, whole on every node";
  const { k, n, copies, wholes } = code;
  if (k === 1) return `not coded: ${count(stripes, "stripe")}, whole on each of ${count(n, "device")}`;
  const each =
    wholes > 0
      ? `one on each of ${count(n, "device")}, and one more holds it whole`
      : `each on ${count(copies, "device")}`;
  return `${count(stripes, "stripe")}, any ${k} of ${n} shards give it back, ${each}`;
}

/** What becomes of it when half of the devices die at one instant. */
function halfWords(lossChance: number): string {
  if (lossChance === 0) return "it survives, whichever half of the devices that is";
  return `a random half of the devices takes it with a chance of ${lossChance.toPrecision(2)}`;
}

/** A device by the names of its nodes that are known here. */
function deviceName(device: string, { computer }: CommandContext): string {
  const names = computer.net.members().flatMap(({ record }) => (record.device === device ? [record.name] : []));
  return names.length === 0 ? oneLine(device) : names.join(", ");
}

function contentJson({
  safety,
  code,
  stripes,
  survivesAny,
  devices,
  machines,
  survivesAnyMachines,
  lossChance,
  holders,
}: ContentStat): Record<string, unknown> {
  return {
    safety,
    code: code ?? null,
    stripes,
    survivesAny,
    devices,
    machines,
    survivesAnyMachines,
    lossChance,
    holders,
  };
}
