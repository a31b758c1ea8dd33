/**
 * How many cores this tab lends: what its person chose for the browser, less what other tabs lend already, and nothing
 * while data or battery are to be saved. The choice is shared by all tabs of the browser, because the cores are.
 */
import type { Locks } from "./tab-locks.ts";
import type { Cpu } from "../core/jobs/types.ts";
import { LendingShare } from "./lending-share.ts";
import { onSetting, readSetting, writeSetting } from "./settings.ts";
import type { Lending } from "./ui/lend.ts";

/** Below this, a battery that is not charging is kept for its owner. */
const BATTERY_LOW = 0.25;

interface Battery extends EventTarget {
  readonly charging: boolean;
  readonly level: number;
}

interface SavingNavigator {
  readonly connection?: EventTarget & { readonly saveData?: boolean };
  getBattery?(): Promise<Battery>;
}

export class LendingPolicy {
  readonly #cpu: Cpu;
  readonly #share: LendingShare;
  readonly #onChange: (lending: Lending) => void;
  #chosen: number;
  #battery: Battery | undefined;

  constructor(cpu: Cpu, locks: Locks, onChange: (lending: Lending) => void) {
    this.#cpu = cpu;
    this.#share = new LendingShare(locks, () => this.#apply());
    this.#onChange = onChange;
    this.#chosen = this.#parse(readSetting("cores-lent"));
    onSetting("cores-lent", (value) => {
      this.#chosen = this.#parse(value);
      this.#apply();
    });
    const device = navigator as SavingNavigator;
    device.connection?.addEventListener("change", () => this.#apply());
    void this.#watchBattery(device);
    this.#apply();
  }

  /**
   * 0 lends nothing. The choice is remembered for every tab of the browser. This tab comes first, since its person is
   * here.
   */
  choose(cores: number): void {
    this.#chosen = cores;
    this.#apply();
    // In this order, so that our locks are asked for before other tabs hear of it; and at once, because the tab may be
    // closed next.
    writeSetting("cores-lent", String(cores));
  }

  #apply(): void {
    const heldBack = this.#chosen === 0 ? undefined : this.#reasonToHoldBack();
    const wanted = heldBack === undefined ? this.#chosen : 0;
    this.#share.want(wanted);
    const lent = Math.min(wanted, this.#share.held);
    if (this.#cpu.lent !== lent) this.#cpu.lend(lent);
    this.#onChange({ cores: this.#cpu.cores, chosen: this.#chosen, lent, heldBack });
  }

  #reasonToHoldBack(): string | undefined {
    if ((navigator as SavingNavigator).connection?.saveData === true) return "saving data";
    const battery = this.#battery;
    if (battery !== undefined && !battery.charging && battery.level < BATTERY_LOW) return "saving battery";
    return undefined;
  }

  async #watchBattery(device: SavingNavigator): Promise<void> {
    // Not every browser has it, and some refuse. Then nothing is known, and the person decides.
    this.#battery = await device.getBattery?.().catch(() => undefined);
    for (const event of ["chargingchange", "levelchange"]) this.#battery?.addEventListener(event, () => this.#apply());
    this.#apply();
  }

  #parse(value: string | undefined): number {
    const cores = Number.parseInt(value ?? "0", 10);
    return Number.isFinite(cores) ? Math.max(0, Math.min(this.#cpu.cores, cores)) : 0;
  }
}
