/** mem stat: how much is in memory, and how well the nodes agree. */
import type { Computer } from "../../computer.ts";
import type { MapStat } from "../../memory/types.ts";
import { bytesWords, count, roughly, table } from "../format.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { MemVerb } from "./verb.ts";

export const stat: MemVerb = {
  options: ["--json"],
  keys: "none",
  async run({ args, computer, stdout }) {
    const { options, operands } = parseArguments(args, { json: "flag" });
    noOperands(operands);
    const facts = computer.memory.stat();
    await stdout.print(options.json === true ? `${JSON.stringify(facts)}\n` : table(rows(facts, computer)));
    return 0;
  },
};

function rows(facts: MapStat, computer: Computer): string[][] {
  const { entries, tombstones, bytes, bytesMax, tombstoneBytes, forgottenEarly, isKept } = facts;
  const { fingerprint, quarantined, refused, unionedOld } = facts;
  const early = forgottenEarly === 0 ? "" : `; ${forgottenEarly} forgotten early for want of room`;
  const share = ((100 * bytes) / bytesMax).toFixed(1);
  return [
    ["entries", `${entries}`],
    ["tombstones", `${tombstones} (${bytesWords(tombstoneBytes)}), deleted or expired and still remembered${early}`],
    ["bytes", `${bytesWords(bytes)} of ${bytesWords(bytesMax)} (${share}%)`],
    ["kept", isKept ? "in this node's store" : "in RAM only, on every node"],
    ["fingerprint", `${fingerprint}, the same on all nodes with the same entries`],
    ["reconciled", reconciled(facts, computer)],
    ["divergence", divergence(facts)],
    ["quarantined", quarantined === 0 ? "none" : `${quarantined}, stamped with a time that is still to come`],
    ["refused", refused === 0 ? "none" : `${count(refused, "entry", "entries")} of others, malformed or too large`],
    ...(unionedOld === 0 ? [] : [["on trust", `${count(unionedOld, "old entry", "old entries")} taken in`]]),
  ];
}

function reconciled({ reconciliations }: MapStat, { memory, net }: Computer): string {
  const { complete, brokenOff, lastAtMs, lastPeer } = reconciliations;
  const broken = brokenOff === 0 ? "" : `, ${brokenOff} broken off`;
  if (lastAtMs === undefined) return `never yet${broken}`;
  const name = lastPeer === undefined ? undefined : net.member(lastPeer)?.record.name;
  const last = `last ${roughly(memory.now() - lastAtMs)} ago${name === undefined ? "" : ` with ${name}`}`;
  return `${count(complete, "time")}, ${last}${broken}`;
}

function divergence({ reconciliations: { divergent, entriesReceived } }: MapStat): string {
  if (divergent === 0) return "none seen";
  return `seen ${count(divergent, "time")}; ${count(entriesReceived, "entry", "entries")} came that way`;
}
