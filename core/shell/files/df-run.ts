/** The code of df: the space of this node and of each other, and what uses it. */
import { compose, type Styled, type Text } from "../styled.ts";
import { utf8 } from "../../base/bytes.ts";
import type { Computer } from "../../computer.ts";
import type { StorageUse } from "../../disk/types.ts";
import type { Member } from "../../net/types.ts";
import { filesUnder } from "./paths.ts";
import { bytesWords, count, dim, paint, table } from "../format.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { CommandContext, TerminalInfo } from "../types.ts";
import { mark } from "../who.ts";

export async function runDf({ args, computer, stdout, terminal }: CommandContext): Promise<number> {
  const { options, operands } = parseArguments(
    args,
    { json: "flag", "human-readable": "flag" },
    { h: "human-readable" },
  );
  noOperands(operands);
  const use = computer.storage.use();
  const setAside = use.setAside + computer.files.setAside;
  const nodes = spaceByNode(computer);
  let files = 0;
  let bytes = 0;
  for (const { sizeBytes } of filesUnder(computer.files, "/")) {
    files++;
    bytes += sizeBytes;
  }
  if (options.json === true) {
    const rows = nodes.map(({ member: { record }, offeredBytes, usedBytes }) => {
      return { peer: record.peer, name: record.name, device: record.device, offeredBytes, usedBytes };
    });
    await stdout.write(utf8(`${JSON.stringify({ ...use, setAside, files, filesBytes: bytes, nodes: rows })}\n`));
    return 0;
  }
  const inFiles = `${count(files, "file")}, ${bytesWords(bytes)} in the whole swarm`;
  const screen = terminal.stdout;
  await stdout.print(compose`${table(ownRows(use, inFiles, setAside), screen?.columns)}\n${nodeTable(nodes, screen)}`);
  return 0;
}

function ownRows(use: StorageUse, files: string, setAside: number): string[][] {
  const { offeredBytes, usedBytes } = use;
  const free = Math.max(0, offeredBytes - usedBytes);
  return [
    ["offered", `${bytesWords(offeredBytes)} by this node to the swarm`],
    ["used", `${bytesWords(usedBytes)}${shareOf(usedBytes, offeredBytes)}, ${bytesWords(free)} free`],
    ["shards", `${use.shards}, ${use.damaged} found damaged, ${use.repaired} repaired here`],
    ["kept", `${bytesWords(use.keptBytes)} whole on this node`],
    ["files", files],
    ...(setAside === 0
      ? []
      : [["set aside", `${count(setAside, "entry", "entries")} of the shared maps: too many, or impossible`]]),
  ];
}

interface Space {
  readonly member: Member;
  readonly offeredBytes: number;
  readonly usedBytes: number;
}

/** This node first, then the others by name. */
function spaceByNode({ storage, net }: Computer): Space[] {
  const spaces = storage.offers().flatMap(({ peer, offeredBytes, freeBytes }) => {
    const member = net.member(peer);
    return member === undefined ? [] : [{ member, offeredBytes, usedBytes: Math.max(0, offeredBytes - freeBytes) }];
  });
  return spaces.sort(
    ({ member: a }, { member: b }) => Number(b.isSelf) - Number(a.isSelf) || a.record.name.localeCompare(b.record.name),
  );
}

function nodeTable(spaces: readonly Space[], screen: TerminalInfo | undefined): Styled {
  const sum = (of: (space: Space) => number): number => spaces.reduce((total, space) => total + of(space), 0);
  const row = (name: Text, offeredBytes: number, usedBytes: number): Text[] => [
    name,
    bytesWords(offeredBytes),
    `${bytesWords(usedBytes)}${shareOf(usedBytes, offeredBytes)}`,
  ];
  const rows = spaces.map(({ member, offeredBytes, usedBytes }) =>
    row(paint(`${mark(member)} ${member.record.name}`, member.record.peer, screen), offeredBytes, usedBytes),
  );
  const all = row(
    `  ${count(spaces.length, "node")}`,
    sum(({ offeredBytes }) => offeredBytes),
    sum(({ usedBytes }) => usedBytes),
  );
  const head = ["  node", "offered", "used"].map((title) => dim(title, screen));
  return table([head, ...rows, all], screen?.columns);
}

/** " (12.5%)" */
function shareOf(part: number, whole: number): string {
  return whole === 0 ? "" : ` (${((100 * part) / whole).toFixed(1)}%)`;
}
