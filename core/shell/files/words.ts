/** How files are described to people and programs. Pure. */
import { unreachable } from "../../base/assert.ts";
import type { ContentStat, FileInfo, Safety } from "../../disk/types.ts";
import { count } from "../format.ts";

/** How safe a content is, in a few words. */
export function safetyWords({
  safety,
  survivesAny,
}: {
  readonly safety: Safety;
  readonly survivesAny: number;
}): string {
  switch (safety) {
    case "here":
      return "on this device only";
    case "lost":
      return "out of reach: too few of the devices that hold it are here";
    case "placing":
      return survivesAny > 0 ? `being placed, survives ${lossWords(survivesAny)} by now` : "being placed";
    case "safe":
      return `safe: survives ${lossWords(survivesAny)}`;
    default:
      return unreachable(safety);
  }
}

function lossWords(devices: number): string {
  return `the loss of any ${count(devices, "device")}`;
}

/** Of several contents the one that is worst off. */
export function leastSafe(stats: readonly ContentStat[]): ContentStat | undefined {
  const [first, ...others] = stats;
  return others.reduce(
    (worst, stat) => (worst !== undefined && worst.survivesAny <= stat.survivesAny ? worst : stat),
    first,
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
