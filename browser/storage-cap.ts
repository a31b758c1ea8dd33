/**
 * How much this tab keeps for others: nothing until its person has chosen, then up to the choice and no more than the
 * browser allows, and nothing new while data is to be saved. Files that the person stores are kept anyway, if no other
 * node has them. The choice is shared by all tabs of the browser, and each tab keeps that much.
 */
import { Listeners, type Unsubscribe } from "../core/base/events.ts";
import type { Contents } from "../core/disk/types.ts";
import { onSetting, readSetting, writeSetting } from "./settings.ts";

interface SavingNavigator {
  readonly connection?: EventTarget & { readonly saveData?: boolean };
}

export class StorageCap {
  readonly #storage: Contents;
  readonly #changes = new Listeners<void>();
  /** What the browser allows, in bytes. */
  readonly allowedBytes: number;

  constructor(storage: Contents) {
    this.#storage = storage;
    this.allowedBytes = storage.use().offeredBytes;
    onSetting("storage-cap", () => this.#apply());
    (navigator as SavingNavigator).connection?.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  /** What the person chose, as far as the browser allows it; undefined before they have chosen. */
  get chosenBytes(): number | undefined {
    const chosen = Number.parseInt(readSetting("storage-cap") ?? "", 10);
    return chosen >= 0 ? Math.min(this.allowedBytes, chosen) : undefined;
  }

  /** Why less is offered than was chosen. */
  get heldBack(): string | undefined {
    return (navigator as SavingNavigator).connection?.saveData === true ? "saving data" : undefined;
  }

  /** Remembered for every tab of the browser. What is kept already stays until its files are removed. */
  choose(bytes: number): void {
    writeSetting("storage-cap", String(bytes));
    this.#apply();
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  #apply(): void {
    this.#storage.offer(this.heldBack === undefined ? (this.chosenBytes ?? 0) : 0, this.allowedBytes);
    this.#changes.emit();
  }
}
