/** The files of a running node: the tree's map, this node as a writer, and who else is there, put together. */
import type { Memory } from "../../memory/memory.ts";
import { shortIdOf } from "../../net/membership/rows.ts";
import type { MemberRecord, Net } from "../../net/types.ts";
import { createFiles, type FilesParts, type NodeFiles } from "./files.ts";
import { TREE_BYTES_MAX } from "./limits.ts";

export interface OpenFilesParts extends Pick<FilesParts, "contents" | "store" | "clock" | "crypto" | "log"> {
  readonly net: Net;
  readonly memory: Memory;
}

/** Call it before anything is put, so that contents in the tree are not collected. Rejects with "io". */
export async function openFiles(parts: OpenFilesParts): Promise<NodeFiles> {
  const { net, memory, crypto } = parts;
  const map = await memory.map("tree", { isKept: true, bytesMax: TREE_BYTES_MAX });
  return createFiles({
    ...parts,
    map,
    self: shortIdOf(crypto, net.self),
    name: () => net.member(net.self)?.record.name ?? "",
    devices: () => new Set(awake(net).map(({ device }) => device)).size,
    machines: () => new Set(awake(net).map(({ host }) => host)).size,
  });
}

function awake(net: Net): MemberRecord[] {
  return net.members().flatMap(({ record, status }) => (status === "awake" ? [record] : []));
}
