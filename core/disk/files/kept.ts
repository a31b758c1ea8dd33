/**
 * Paths that this node keeps whole, so that they can be read here without any other: what is there now, and what will be
 * written under them. The list is this node's own and survives a restart.
 */
import * as v from "valibot";
import { decode, encode, integerOf, type Schema, textOf } from "../../base/codec.ts";
import { messageOf, StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import type { ContentRef, Contents } from "../types.ts";
import { KEPT_PATHS_MAX, PATH_BYTES_MAX } from "./limits.ts";
import { absolute, isWithin } from "./path.ts";

export interface KeptParts {
  readonly store: Store;
  readonly contents: Contents;
  readonly clock: Clock;
  readonly log: Log;
  /** The contents of files at and under a path, but those that live in their entries. */
  readonly contentsUnder: (path: string) => Iterable<ContentRef>;
}

interface State {
  readonly paths: readonly string[];
  /** What is held for them. */
  readonly held: readonly ContentRef[];
}

const STORE_KEY = "files/kept";
/** Until what could not be kept is tried again: its holders may be away for a while. */
const RETRY_MS = 30_000;
const CID_CHARS_MAX = 128;

const stateSchema: Schema<State> = v.object({
  paths: v.pipe(v.array(textOf(PATH_BYTES_MAX)), v.maxLength(KEPT_PATHS_MAX)),
  held: v.array(v.object({ cid: textOf(CID_CHARS_MAX), sizeBytes: integerOf(0) })),
});

export class Kept {
  readonly #parts: KeptParts;
  readonly #paths = new Set<string>();
  readonly #held = new Map<string, ContentRef>();
  readonly #ended = new AbortController();
  #pass: Promise<void> | undefined;
  #isStale = false;
  #retry: Timer | undefined;

  constructor(parts: KeptParts) {
    this.#parts = parts;
  }

  /** Reads the list of an earlier life. Rejects with "io". */
  async load(): Promise<void> {
    const bytes = await this.#parts.store.get(STORE_KEY);
    if (bytes === undefined) return;
    const { paths, held } = decode(stateSchema, bytes);
    for (const path of paths) this.#paths.add(path);
    for (const ref of held) this.#held.set(ref.cid, ref);
    this.changed();
  }

  get isNone(): boolean {
    return this.#paths.size === 0;
  }

  has(path: string): boolean {
    for (const kept of this.#paths) if (isWithin(path, kept)) return true;
    return false;
  }

  /** Resolves when all of it is here; else nothing has changed. */
  async keep(path: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#paths.has(path)) return;
    if (this.#paths.size >= KEPT_PATHS_MAX) {
      throw new StarfishError("full", `this node keeps ${KEPT_PATHS_MAX} paths already`);
    }
    this.#paths.add(path);
    try {
      for (const ref of this.#parts.contentsUnder(path)) {
        throwIfAborted(signal);
        await this.#parts.contents.keep(ref, { signal });
        this.#held.set(ref.cid, ref);
      }
      await this.#store();
    } catch (error) {
      this.#paths.delete(path);
      this.changed();
      throw error;
    }
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

  /** Something under a kept path has changed: soon this node holds what is there, and no more. */
  changed(): void {
    this.#isStale = true;
    this.#pass ??= this.#run().finally(() => (this.#pass = undefined));
  }

  async close(): Promise<void> {
    this.#ended.abort(new StarfishError("closed", "The files are closed"));
    this.#retry?.cancel();
    await this.#pass;
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

  async #settle(): Promise<void> {
    const { contents } = this.#parts;
    const wanted = new Map<string, ContentRef>();
    for (const path of this.#paths) for (const ref of this.#parts.contentsUnder(path)) wanted.set(ref.cid, ref);
    const before = this.#held.size;
    let changes = 0;
    for (const [cid, ref] of wanted) {
      if (this.#held.has(cid)) continue;
      await contents.keep(ref, { signal: this.#ended.signal });
      this.#held.set(cid, ref);
      changes++;
    }
    for (const [cid, ref] of this.#held) {
      if (wanted.has(cid)) continue;
      this.#held.delete(cid);
      await contents.release(ref);
      changes++;
    }
    if (changes > 0 || before !== this.#held.size) await this.#store();
  }

  #store(): Promise<void> {
    const state: State = { paths: [...this.#paths], held: [...this.#held.values()] };
    return this.#parts.store.set(STORE_KEY, encode(state));
  }
}
