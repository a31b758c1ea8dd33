/** The shard lists of contents, checked against their CIDs; those used last are remembered. */
import { CID } from "multiformats/cid";
import { concat } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Stored } from "../placement/catalogue.ts";
import type { Hash } from "../content/block.ts";
import { FileDag } from "../content/unixfs.ts";
import { LISTS_KEPT_BYTES, LISTS_KEPT_MAX } from "../limits.ts";
import { listBytes, ShardList } from "../code/shard-list.ts";
import type { ContentRef } from "../types.ts";

export interface KnownList {
  readonly list: ShardList;
  readonly dag: FileDag;
}

type ReadWhole = (ref: ContentRef, options: { signal?: AbortSignal | undefined }) => AsyncIterable<Uint8Array>;

export interface ListsParts {
  readonly hash: Hash;
  /** Reads lists that are contents themselves. */
  readonly read: ReadWhole;
  /** Reports that the list of this layout belongs to another content. */
  readonly disprove: (stored: Stored, why: string) => void;
}

export class Lists {
  readonly #parts: ListsParts;
  readonly #known = new Map<string, KnownList>();
  #bytes = 0;

  constructor(parts: ListsParts) {
    this.#parts = parts;
  }

  /**
   * Rejects with "corrupt" if it does not belong to the CID, with "lost" if it is not available, and with errors of
   * reading it.
   */
  async of(stored: Stored, options: { signal?: AbortSignal | undefined } = {}): Promise<KnownList> {
    const known = this.#known.get(stored.id);
    if (known !== undefined) {
      // It was used last, so it is forgotten last.
      this.#known.delete(stored.id);
      this.#known.set(stored.id, known);
      return known;
    }
    const bytes = stored.list instanceof Uint8Array ? stored.list : await this.#load(stored.list, options);
    const cut = { sizeBytes: stored.sizeBytes, code: stored.code };
    if (bytes.length !== listBytes(cut)) throw new StarfishError("corrupt", `${stored.cid} has a list of wrong length`);
    const list = new ShardList(cut, bytes);
    const dag = await this.#verified(stored, list);
    this.#remember(stored.id, { list, dag });
    return { list, dag };
  }

  /** A list that was read completely and does not belong to the content never will. */
  async #verified(stored: Stored, list: ShardList): Promise<FileDag> {
    const { hash, disprove } = this.#parts;
    try {
      return await FileDag.verified(CID.parse(stored.cid), stored.sizeBytes, list.leafDigests, hash);
    } catch (error) {
      if (isStarfishError(error, "corrupt")) disprove(stored, error.message);
      throw error;
    }
  }

  async #load(ref: ContentRef, options: { signal?: AbortSignal | undefined }): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    try {
      for await (const part of this.#parts.read(ref, options)) parts.push(part);
    } catch (error) {
      // Another layout may have its list still.
      if (!isStarfishError(error, "not-found")) throw error;
      throw new StarfishError("lost", `The list of hashes ${ref.cid} is not known here`, { cause: error });
    }
    return concat(parts);
  }

  #remember(id: string, known: KnownList): void {
    if (this.#known.has(id)) return;
    this.#known.set(id, known);
    this.#bytes += known.list.bytes.length;
    for (const [oldest, { list }] of this.#known) {
      if (this.#bytes <= LISTS_KEPT_BYTES && this.#known.size <= LISTS_KEPT_MAX) return;
      if (oldest === id) return;
      this.#known.delete(oldest);
      this.#bytes -= list.bytes.length;
    }
  }
}
