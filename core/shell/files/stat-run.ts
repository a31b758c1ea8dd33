/** The code of stat: describes a file, or an entry of any other tree, also in a format of the user's own. */
import type { Text } from "../styled.ts";
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { ContentStat, FileInfo } from "../../disk/types.ts";
import { bytesWords, count, table } from "../format.ts";
import type { Options } from "../getopt.ts";
import { formatTime } from "../language/strftime.ts";
import { oneLine } from "../mem/value.ts";
import { Writers, writerWords } from "../mem/writers.ts";
import type { TreeEntry } from "../namespace/tree.ts";
import { STATUS } from "../status.ts";
import type { CommandContext } from "../types.ts";
import { modeWords } from "../utilities/modes.ts";
import { filesUnder, placeOf } from "./paths.ts";
import { dateWords, fileJson, safetyWords } from "./words.ts";

/** @param options -c with a format, --json, and at least one path */
export async function runStat(options: Options, context: CommandContext): Promise<number> {
  let status: number = STATUS.ok;
  for (const operand of options.operands) {
    const path = placeOf(operand, context);
    const entry = await context.names.stat(context.path(operand), { signal: context.signal });
    const format = options.value("c");
    if (entry === undefined) {
      await context.stderr.print(`stat: cannot stat '${operand}': No such file or directory\n`);
      status = STATUS.failed;
    } else if (format !== undefined) await context.stdout.print(`${formatted(format, operand, entry)}\n`);
    else if (context.names.isSameTree(path, "/")) await tellFile(path, options.has("json"), context);
    else await tellEntry(operand, entry, options.has("json"), context);
  }
  return status;
}

/** In the format of GNU's stat. */
function formatted(format: string, shown: string, entry: TreeEntry): string {
  const mode = entry.mode ?? (entry.kind === "directory" ? 0o755 : 0o644);
  const seconds = Math.floor((entry.modifiedAtMs ?? 0) / 1000);
  const fields: Readonly<Record<string, string>> = {
    n: shown,
    N: `'${shown}'`,
    s: String(entry.sizeBytes ?? 0),
    b: String(Math.ceil((entry.sizeBytes ?? 0) / 512)),
    B: "512",
    F:
      entry.kind === "file"
        ? entry.sizeBytes === 0
          ? "regular empty file"
          : "regular file"
        : entry.kind === "device"
          ? "character special file"
          : entry.kind,
    a: (mode & 0o7777).toString(8),
    A: modeWords(entry.kind, mode),
    U: entry.owner ?? "-",
    G: "-",
    y: entry.modifiedAtMs === undefined ? "-" : formatTime("%F %T.%N +0000", entry.modifiedAtMs),
    Y: String(seconds),
    "%": "%",
  };
  return format.replaceAll(/%([a-zA-Z%])/g, (whole, letter: string) =>
    Object.hasOwn(fields, letter) ? (fields[letter] ?? whole) : whole,
  );
}

/** What is known of an entry that is not kept on the disk. */
async function tellEntry(
  shown: string,
  entry: TreeEntry,
  isJson: boolean,
  { stdout, terminal }: CommandContext,
): Promise<void> {
  const { kind, sizeBytes, modifiedAtMs, owner } = entry;
  if (isJson) {
    await stdout.print(
      `${JSON.stringify({ path: shown, kind, sizeBytes: sizeBytes ?? null, modifiedAtMs: modifiedAtMs ?? null, owner: owner ?? null })}\n`,
    );
    return;
  }
  const rows = [
    ["path", shown],
    ["kind", kind],
    ...(sizeBytes === undefined ? [] : [["size", bytesWords(sizeBytes)]]),
    ...(modifiedAtMs === undefined ? [] : [["written", dateWords(modifiedAtMs)]]),
    ...(owner === undefined ? [] : [["by", owner]]),
  ];
  await stdout.print(table(rows, terminal.stdout?.columns));
}

async function tellFile(path: string, isJson: boolean, context: CommandContext): Promise<void> {
  const { files } = context.computer;
  const info = files.stat(path);
  if (info === undefined) throw new StarfishError("not-found", `there is no ${oneLine(path)}`);
  const content = info.kind === "file" ? await files.statContent(path, { signal: context.signal }) : undefined;
  const writers = new Writers(context.computer);
  const by = writers.find(info.writer);
  writers[Symbol.dispose]();
  if (isJson) {
    const known = fileJson(info, by?.record.name);
    await context.stdout.write(
      utf8(`${JSON.stringify({ ...known, ...(content && { content: contentJson(content) }) })}\n`),
    );
    return;
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
}

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
    // With one device there is no half; and if the content is lost, that has been said.
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

/** What happens to it when half of the devices are lost at one instant. */
function halfWords(lossChance: number): string {
  if (lossChance === 0) return "it survives, whichever half of the devices that is";
  return `lost with a probability of ${lossChance.toPrecision(2)}, if the half is a random one`;
}

/** A device, by the names of its nodes that are known here. */
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
