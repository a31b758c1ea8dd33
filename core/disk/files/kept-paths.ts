/**
 * Paths that this node keeps whole, so that they can be read here without other nodes: the present contents, and those
 * that will be written under them. The list belongs to this node and survives a restart.
 */
import * as v from "valibot";
import { equal } from "../../base/bytes.ts";
import { decode, encode, integerOf, type Schema, textOf } from "../../base/codec.ts";
import { messageOf, StarfishError, throwIfAborted } from "../../base/errors.ts";
import { abortable, type Clock, type Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import { CONTENT_BYTES_MAX } from "../limits.ts";
import type { ContentRef, Contents } from "../types.ts";
import { KEPT_PATHS_MAX, PATH_BYTES_MAX } from "./limits.ts";
import { absolute, isWithin } from "./path.ts";

export interface KeptPathsParts {
  readonly store: Store;
  readonly contents: Contents;
  readonly clock: Clock;
  readonly log: Log;
  /** The contents of files at and under a path, except those that are stored in their entries. */
  readonly contentsUnder: (path: string) => Iterable<ContentRef>;
}

interface State {
  readonly paths: readonly string[];
  /** The contents that are held for them. */
  readonly held: readonly ContentRef[];
  /** CIDs of the contents of which some shards are not here yet. */
  readonly lacking: readonly string[];
}

const STORE_KEY = "files/kept";
/** How long it waits before it tries again to keep what it could not keep: the holders may be away for a while. */
const RETRY_MS = 30_000;
const CID_CHARS_MAX = 128;

const stateSchema: Schema<State> = v.object({
  paths: v.pipe(v.array(textOf(PATH_BYTES_MAX)), v.maxLength(KEPT_PATHS_MAX)),
  held: v.array(v.object({ cid: textOf(CID_CHARS_MAX), sizeBytes: integerOf(0, CONTENT_BYTES_MAX) })),
  // Earlier versions of this program did not note it.
  lacking: v.optional(v.array(textOf(CID_CHARS_MAX)), []),
});

export class KeptPaths {
  readonly #parts: KeptPathsParts;
  readonly #paths = new Set<string>();
  readonly #held = new Map<string, ContentRef>();
  readonly #lacking = new Set<string>();
  /** Paths that somebody waits for. */
  readonly #keeping = new Map<string, Promise<void>>();
  readonly #ended = new AbortController();
  #pass: Promise<void> | undefined;
  #releasing: Promise<void> = Promise.resolve();
  /** What the store has. */
  #stored: Uint8Array | undefined;
  #isStale = false;
  #retry: Timer | undefined;

  constructor(parts: KeptPathsParts) {
    this.#parts = parts;
  }

  /** Reads the list of an earlier life. Rejects with "io". */
  async load(): Promise<void> {
    const bytes = await this.#parts.store.get(STORE_KEY);
    if (bytes === undefined) return;
    this.#stored = bytes;
    const state = this.#decoded(bytes);
    if (state === undefined) return;
    const { paths, held, lacking } = state;
    for (const path of paths) this.#paths.add(path);
    for (const ref of held) this.#held.set(ref.cid, ref);
    for (const cid of lacking) this.#lacking.add(cid);
    this.changed();
  }

  /** A list that can't be read counts as empty: the node starts all the same. */
  #decoded(bytes: Uint8Array): State | undefined {
    try {
      return decode(stateSchema, bytes);
    } catch (error) {
      this.#parts.log.write("warn", "files.kept-unreadable", { error: messageOf(error) });
      return undefined;
    }
  }

  get isNone(): boolean {
    return this.#paths.size === 0;
  }

  /** Whether the content is kept: for a file with its CID, whether all of it is here. */
  has(path: string, cid?: string): boolean {
    if (cid !== undefined && this.#lacking.has(cid)) return false;
    for (const kept of this.#paths) if (isWithin(path, kept)) return true;
    return false;
  }

  /**
   * Resolves when all of it is here; if it rejects, the path is not kept. A node that dies meanwhile continues at its
   * next start.
   */
  async keep(path: string, signal: AbortSignal | undefined): Promise<void> {
    for (let other = this.#keeping.get(path); other !== undefined; other = this.#keeping.get(path)) {
      const over = other.catch(() => {});
      await (signal === undefined ? over : abortable(signal, over));
    }
    if (this.#paths.has(path)) return;
    if (this.#paths.size >= KEPT_PATHS_MAX) {
      throw new StarfishError("full", `this node keeps ${KEPT_PATHS_MAX} paths already`);
    }
    const keeping = this.#keepAll(path, signal).finally(() => {
      this.#keeping.delete(path);
      // Contents may have to be released: those that waited for this, and if it has failed, those that were held for
      // it.
      this.changed();
    });
    this.#keeping.set(path, keeping);
    await keeping;
  }

  /** Rejects with "not-found" if the path itself is not kept. */
  async release(path: string): Promise<void> {
    if (!this.#paths.delete(path)) {
      const around = [...this.#paths].find((kept) => isWithin(path, kept));
      const hint = around === undefined ? "" : `; it is kept as a part of ${absolute(around)}`;
      throw new StarfishError("not-found", `${absolute(path)} is not kept by itself${hint}`);
    }
    await this.#store();
    this.changed();
    await this.#pass;
  }

  /** Something under a kept path has changed. Soon this node holds the present contents, and no others. */
  changed(): void {
    this.#isStale = true;
    this.#pass ??= this.#run().finally(() => (this.#pass = undefined));
  }

  async close(): Promise<void> {
    this.#ended.abort(new StarfishError("closed", "The files are closed"));
    this.#retry?.cancel();
    await this.#pass;
  }

  async #keepAll(path: string, signal: AbortSignal | undefined): Promise<void> {
    this.#paths.add(path);
    try {
      await this.#releasing;
      await this.#store();
      for (const ref of this.#parts.contentsUnder(path)) {
        throwIfAborted(signal);
        await this.#hold(ref, signal);
      }
      await this.#store();
    } catch (error) {
      this.#paths.delete(path);
      throw error;
    }
  }

  async #run(): Promise<void> {
    const { log } = this.#parts;
    while (this.#isStale && !this.#ended.signal.aborted) {
      this.#isStale = false;
      try {
        await this.#settle();
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        log.write("warn", "files.not-kept", { error: messageOf(error) });
        this.#retry?.cancel();
        this.#retry = this.#parts.clock.timer(RETRY_MS, () => this.changed());
      }
    }
  }

  /** Rejects with the first thing that went wrong, once everything has been tried. */
  async #settle(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const ref of this.#wanted().values()) {
      try {
        await this.#hold(ref, this.#ended.signal);
      } catch (error) {
        throwIfAborted(this.#ended.signal);
        failure ??= { error };
      }
    }
    const wanted = this.#wanted();
    for (const ref of [...this.#held.values()]) {
      if (wanted.has(ref.cid)) continue;
      // A path that is being kept might need it by now. There is another pass later.
      if (this.#keeping.size > 0) break;
      this.#releasing = this.#release(ref).catch((error: unknown) => void (failure ??= { error }));
      await this.#releasing;
    }
    await this.#store();
    if (failure !== undefined) throw failure.error;
  }

  #wanted(): Map<string, ContentRef> {
    const wanted = new Map<string, ContentRef>();
    for (const path of this.#paths) for (const ref of this.#parts.contentsUnder(path)) wanted.set(ref.cid, ref);
    return wanted;
  }

  /** A content counts as held before it is fetched, so that one that fails halfway is released like the others. */
  async #hold(ref: ContentRef, signal: AbortSignal | undefined): Promise<void> {
    if (this.#held.has(ref.cid) && !this.#lacking.has(ref.cid)) return;
    this.#held.set(ref.cid, ref);
    this.#lacking.add(ref.cid);
    await this.#parts.contents.keep(ref, { signal });
    this.#lacking.delete(ref.cid);
  }

  async #release(ref: ContentRef): Promise<void> {
    await this.#parts.contents.release(ref);
    this.#held.delete(ref.cid);
    this.#lacking.delete(ref.cid);
  }

  /** Writes the list to the store, if it has changed. */
  async #store(): Promise<void> {
    const state: State = { paths: [...this.#paths], held: [...this.#held.values()], lacking: [...this.#lacking] };
    const bytes = encode(state);
    if (this.#stored !== undefined && equal(bytes, this.#stored)) return;
    await this.#parts.store.set(STORE_KEY, bytes);
    this.#stored = bytes;
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { stateSchema };
