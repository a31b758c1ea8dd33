/** What each node offers to the swarm and how much of it is used, as bars; and how much this tab is to keep. */
import type { Computer } from "../../../core/computer.ts";
import { colourOf } from "../../../core/net/identity/names.ts";
import type { PeerId } from "../../../core/ports/network.ts";
import { bytesWords } from "../../../core/shell/format.ts";
import type { StorageCap } from "../../storage-cap.ts";
import { byId, setText } from "../dom.ts";
import { shortBytes } from "./words.ts";

/** A glance needs no more often. */
const REFRESH_MS = 1_000;
/** Caps to choose from, in bytes, as far as the browser allows them. */
const CAPS: readonly number[] = [0, 100e6, 250e6, 500e6, 1e9, 2e9];

export class SpaceView {
  readonly #computer: Computer;
  readonly #cap: StorageCap;
  readonly #list = byId("space-nodes", HTMLElement);
  readonly #rows = new Map<PeerId, HTMLLIElement>();

  constructor(computer: Computer, cap: StorageCap) {
    this.#computer = computer;
    this.#cap = cap;
  }

  show(): void {
    this.#connectCap(this.#cap);
    setInterval(() => {
      if (document.visibilityState === "visible" && this.#list.checkVisibility()) this.#refresh();
    }, REFRESH_MS);
    this.#refresh();
  }

  #refresh(): void {
    const { storage, net } = this.#computer;
    const offers = storage.offers().filter(({ peer }) => net.member(peer) !== undefined);
    const shown = new Set(offers.map(({ peer }) => peer));
    for (const [peer, row] of this.#rows) {
      if (shown.has(peer)) continue;
      row.remove();
      this.#rows.delete(peer);
    }
    let [offered, used] = [0, 0];
    for (const { peer, offeredBytes, freeBytes } of offers) {
      const usedBytes = Math.max(0, offeredBytes - freeBytes);
      offered += offeredBytes;
      used += usedBytes;
      this.#fill(peer, usedBytes, offeredBytes);
    }
    setText(byId("space-facts", HTMLElement), `${bytesWords(used)} of ${bytesWords(offered)} used`);
  }

  #fill(peer: PeerId, usedBytes: number, offeredBytes: number): void {
    const row = this.#rows.get(peer) ?? newRow(peer);
    if (!this.#rows.has(peer)) this.#list.append(row);
    this.#rows.set(peer, row);
    const [name, bar, words] = row.children;
    const member = this.#computer.net.member(peer);
    if (name !== undefined) setText(name, `${member?.record.name ?? ""}${member?.isSelf === true ? " (you)" : ""}`);
    if (words !== undefined) setText(words, `${bytesWords(usedBytes)} of ${shortBytes(offeredBytes)}`);
    const part = offeredBytes === 0 ? 0 : Math.min(1, usedBytes / offeredBytes);
    if (bar instanceof HTMLElement) bar.style.setProperty("--part", `${(100 * part).toFixed(1)}%`);
  }

  #connectCap(cap: StorageCap): void {
    const select = byId("cap", HTMLSelectElement);
    const choices = [...new Set([...CAPS.filter((bytes) => bytes < cap.allowedBytes), cap.allowedBytes])];
    const show = (): void => {
      const offeredBytes = cap.chosenBytes ?? 0;
      const all = choices.includes(offeredBytes) ? choices : [...choices, offeredBytes];
      if (select.value === String(offeredBytes) && select.options.length === all.length) return;
      select.replaceChildren(
        ...all.map((bytes) => new Option(bytes === 0 ? "nothing" : shortBytes(bytes), String(bytes))),
      );
      select.value = String(offeredBytes);
    };
    select.addEventListener("change", () => {
      cap.choose(Number(select.value));
    });
    select.disabled = false;
    cap.onChange(show);
    show();
  }
}

function newRow(peer: PeerId): HTMLLIElement {
  const row = document.createElement("li");
  const colour = colourOf(peer);
  row.style.setProperty("--colour", `light-dark(${colour.light.hex}, ${colour.dark.hex})`);
  const bar = document.createElement("span");
  bar.className = "bar";
  row.append(document.createElement("b"), bar, document.createElement("small"));
  return row;
}
