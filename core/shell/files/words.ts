/** Describes files to people and programs. Pure. */
import { unreachable } from "../../base/assert.ts";
import type { ContentStat, FileInfo } from "../../disk/types.ts";
import { count } from "../format.ts";

/** The facts about a content's safety. */
export type Standing = Pick<ContentStat, "safety" | "survivesAny" | "devices" | "machines" | "survivesAnyMachines">;

/** How safe a content is, in a few words. */
export function safetyWords(standing: Standing): string {
  const { safety, survivesAny } = standing;
  switch (safety) {
    case "here":
      return "on this device only";
    case "lost":
      return "out of reach: too few of the devices that hold it are here";
    case "placing":
      return survivesAny > 0 ? `being placed, survives ${lossWords(standing)} by now` : "being placed";
    case "safe":
      // Processes of one machine fail independently, but not if the machine fails.
      return isOnOneMachine(standing) ? `survives ${lossWords(standing)}` : `safe: survives ${lossWords(standing)}`;
    default:
      return unreachable(safety);
  }
}

/** Whether losing one machine loses everything, though there are several nodes. */
export function isOnOneMachine({ devices, machines }: Pick<Standing, "devices" | "machines">): boolean {
  return machines <= 1 && devices > 1;
}

/**
 * To a person, nodes that share a machine are not separate devices. So if some do, the words count nodes, and machines
 * beside them.
 */
function lossWords({ survivesAny, devices, machines, survivesAnyMachines }: Standing): string {
  if (machines >= devices) return `the loss of any ${count(survivesAny, "device")}`;
  const nodes = `the loss of any ${survivesAny} of ${count(devices, "node")}`;
  if (machines <= 1) return `${nodes}; all on this computer`;
  if (survivesAnyMachines < 1) return `${nodes}; too much of it is on one of ${machines} machines`;
  return `${nodes}, of any ${survivesAnyMachines} of ${machines} machines`;
}

/** The least safe of several contents. */
export function leastSafe(stats: readonly ContentStat[]): ContentStat | undefined {
  const [first, ...others] = stats;
  return others.reduce((worst, stat) => (worst !== undefined && !isWorse(stat, worst) ? worst : stat), first);
}

function isWorse(a: ContentStat, b: ContentStat): boolean {
  return (
    a.survivesAny < b.survivesAny || (a.survivesAny === b.survivesAny && a.survivesAnyMachines < b.survivesAnyMachines)
  );
}

/** `2026-11-22 14:03`, UTC. */
export function dateWords(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

export function fileJson(info: FileInfo, by: string | undefined): Record<string, unknown> {
  const { path, kind, sizeBytes, content, modifiedAtMs, isConflict, isKeptHere } = info;
  return {
    path,
    kind,
    sizeBytes,
    cid: content?.cid ?? null,
    modifiedAtMs,
    by: kind === "file" ? (by ?? null) : null,
    isConflict,
    isKeptHere,
  };
}
