/** Keeps earlier versions within their shares of the space; the oldest go first. */
import { inBatches } from "../../memory/in-batches.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import type { Contents } from "../types.ts";
import { REDUNDANCY, TREE_BYTES_MAX, VERSION_CONTENT_SHARE, VERSION_ENTRIES_SHARE, VERSION_TRIM } from "./limits.ts";
import type { Tree } from "./tree.ts";

interface TrimParts {
  readonly map: ReplicatedMap;
  readonly contents: Contents;
  readonly devices: () => number;
  readonly versionBytesMax?: () => number;
}

export function trimVersions(tree: Tree, parts: TrimParts): void {
  const entriesMax = TREE_BYTES_MAX * VERSION_ENTRIES_SHARE;
  const contentMax = parts.versionBytesMax?.() ?? shareOfSwarm(parts);
  let { pastEntryBytes: entryBytes, pastContentBytes: contentBytes } = tree;
  if (entryBytes <= entriesMax && contentBytes <= contentMax) return;
  const oldest = [...tree.past].sort(([, x], [, y]) => x.expiresAtMs - y.expiresAtMs);
  const keys: string[] = [];
  for (const [key, past] of oldest) {
    const entriesFit = entryBytes <= entriesMax * VERSION_TRIM;
    if (entriesFit && contentBytes <= contentMax * VERSION_TRIM) break;
    // If only contents take too much space, removing versions that are stored in their entries would free nothing.
    if (entriesFit && past.contentBytes === 0) continue;
    keys.push(key);
    entryBytes -= past.entryBytes;
    contentBytes -= past.contentBytes;
  }
  inBatches(
    parts.map,
    keys.map((key) => [{ key, deleted: true }]),
  );
}

/**
 * The offer of this node is taken as typical for all devices. A node that offers nothing can't estimate that, and
 * leaves trimming to the others.
 */
function shareOfSwarm({ contents, devices }: TrimParts): number {
  const { offeredBytes } = contents.use();
  if (offeredBytes === 0) return Number.POSITIVE_INFINITY;
  return VERSION_CONTENT_SHARE * offeredBytes * Math.max(1, devices() / REDUNDANCY);
}
