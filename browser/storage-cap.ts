/**
 * How much this tab keeps for the swarm: what the browser allows, unless its person wants it to be less. The choice is one
 * for all tabs of the browser, and each keeps so much.
 */
import type { Contents } from "../core/disk/types.ts";
import { onSetting, readSetting, writeSetting } from "./settings.ts";

export class StorageCap {
  readonly #storage: Contents;
  /** What the browser allows, bytes. */
  readonly allowedBytes: number;

  constructor(storage: Contents) {
    this.#storage = storage;
    this.allowedBytes = storage.use().offeredBytes;
    onSetting("storage-cap", () => this.#apply());
    this.#apply();
  }

  /** Undefined for what the browser allows. What is kept already stays, until its files go. */
  choose(bytes: number | undefined): void {
    writeSetting("storage-cap", bytes === undefined ? "" : String(bytes));
    this.#apply();
  }

  #apply(): void {
    const chosen = Number.parseInt(readSetting("storage-cap") ?? "", 10);
    const bytes = chosen >= 0 ? Math.min(this.allowedBytes, chosen) : this.allowedBytes;
    if (this.#storage.use().offeredBytes !== bytes) this.#storage.offer(bytes);
  }
}
