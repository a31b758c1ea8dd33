/** How much disk a node offers to the swarm by default. */
import { mkdir, statfs } from "node:fs/promises";
import { guardFiles } from "./files.ts";

const OFFER_OF_FREE = 0.1;
const OFFER_BYTES_MAX = 2_000_000_000;

/** The offer, if this many bytes are free or used by its own shards: a tenth, up to 2 GB. */
export function storageOffer(freeBytes: number): number {
  return Math.floor(Math.min(OFFER_BYTES_MAX, freeBytes * OFFER_OF_FREE));
}

/**
 * Free bytes of the disk with this directory (which is made if need be), as far as this user may use them. Rejects with
 * "io".
 */
export function freeBytesAt(directory: string): Promise<number> {
  return guardFiles(directory, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  });
}
