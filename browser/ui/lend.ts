/**
 * "Lend 3 of 4 cores": nothing is lent until its person says so; the choice is remembered, and can be changed or
 * revoked at any time. The number lent now may differ from the choice: the tab holds back to save data or battery, and
 * other tabs of the browser lend from the same cores.
 */
import { byId, setText } from "./dom.ts";

export interface Lending {
  /** Cores of the device. */
  readonly cores: number;
  /** Cores that this tab lends now. */
  readonly lent: number;
  /** What the person chose; 0 if nothing. */
  readonly chosen: number;
  /** Why fewer are lent than chosen. */
  readonly heldBack: string | undefined;
}

/** Leaves a core for the person, unless there is only one. */
function suggestedCores(cores: number): number {
  return Math.max(1, cores - 1);
}

export class LendControl {
  readonly #words = byId("lend-words", HTMLElement);
  readonly #button = byId("lend-button", HTMLButtonElement);
  readonly #less = byId("lend-less", HTMLButtonElement);
  readonly #more = byId("lend-more", HTMLButtonElement);
  #lending: Lending = { cores: 1, lent: 0, chosen: 0, heldBack: undefined };

  constructor(onChoose: (cores: number) => void) {
    this.#button.addEventListener("click", () =>
      onChoose(this.#lending.chosen > 0 ? 0 : suggestedCores(this.#lending.cores)),
    );
    this.#less.addEventListener("click", () => onChoose(Math.max(0, this.#lending.chosen - 1)));
    this.#more.addEventListener("click", () => onChoose(Math.min(this.#lending.cores, this.#lending.chosen + 1)));
  }

  update(lending: Lending): void {
    this.#lending = lending;
    const { cores, chosen, lent, heldBack } = lending;
    const on = chosen > 0;
    this.#button.disabled = false;
    this.#button.classList.toggle("accent", !on);
    setText(
      this.#button,
      on ? "Stop lending" : `Lend ${suggestedCores(cores)} of ${cores} ${cores === 1 ? "core" : "cores"}`,
    );
    this.#less.hidden = this.#more.hidden = !on;
    this.#less.disabled = chosen <= 1;
    this.#more.disabled = chosen >= cores;
    setText(this.#words, lendWords(lending));
    this.#words.title = heldBack ?? (lent < chosen ? "Other tabs of this browser lend from the same cores." : "");
  }
}

/** "Lends no cores yet", "Lends 3 of 4 cores (75%)", "Lends 1 of 4 cores, of the 3 chosen: saving battery". */
function lendWords({ cores, lent, chosen, heldBack }: Lending): string {
  if (chosen === 0) return "Lends no cores yet";
  const share = `Lends ${lent} of ${cores} ${cores === 1 ? "core" : "cores"}`;
  if (heldBack !== undefined) return `${share}: ${heldBack}`;
  if (lent < chosen) return `${share}; other tabs lend the rest`;
  return `${share} (${Math.round((100 * lent) / cores)}%)`;
}
