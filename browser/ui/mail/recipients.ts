/**
 * The readers of a mail. Names are typed and completed from those who can be written to, and each chosen one is shown
 * before the field. Names prove nothing, so equal ones are distinguished by their ids.
 */
import { StarfishError } from "../../../core/base/errors.ts";
import type { Address } from "../../../core/io/mail/types.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { idOf } from "../../../core/shell/mail/who.ts";
import { button, make } from "../make.ts";

export interface Choice {
  readonly address: Address;
  readonly name: string;
  /** What distinguishes it from others: "tab, asleep", "person with 2 nodes". */
  readonly about: string;
}

/** As many as fit below the field; typing more letters narrows the list. */
const OFFERED_MAX = 8;

export class Recipients {
  readonly element: HTMLElement;
  readonly #input = make("input", {
    id: "compose-to",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-expanded": "false",
    "aria-controls": "compose-choices",
    "aria-autocomplete": "list",
  });
  readonly #chips = make("ul", { "aria-label": "Chosen" });
  readonly #list = make("ul", {
    id: "compose-choices",
    role: "listbox",
    "aria-label": "Whom to write to",
    hidden: true,
  });
  readonly #choices: () => readonly Choice[];
  #chosen: readonly Choice[] = [];
  #offered: readonly Choice[] = [];
  #at = -1;

  constructor(choices: () => readonly Choice[]) {
    this.#choices = choices;
    this.element = make("div", { class: "recipients" }, this.#chips, this.#input, this.#list);
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("focus", () => this.#offer());
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    // The field keeps the focus while one is chosen with the pointer.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  get chosen(): readonly Choice[] {
    return this.#chosen;
  }

  set chosen(chosen: readonly Choice[]) {
    this.#chosen = chosen;
    this.#input.value = "";
    this.#drawChips();
  }

  get isTyping(): boolean {
    return this.#input.value.trim() !== "";
  }

  focus(): void {
    this.#input.focus();
  }

  /** The people who can be written to have changed. */
  refresh(): void {
    if (document.activeElement !== this.#input) return;
    const pointed = this.#offered[this.#at]?.address;
    this.#offer();
    const at = this.#offered.findIndex(({ address }) => pointed !== undefined && idOf(address) === idOf(pointed));
    if (at < 0) return;
    this.#at = at;
    this.#point();
  }

  /** Takes the typed text as a name. Throws "not-found" or "ambiguous", in words for people. */
  settle(): void {
    const word = this.#input.value.trim();
    if (word === "") return;
    const named = this.#choices().filter(({ name }) => name.toLowerCase() === word.toLowerCase());
    const people = named.filter(({ address }) => address.kind === "person");
    const [one, another] = people.length > 0 ? people : named;
    if (one === undefined)
      throw new StarfishError("not-found", `Nobody here is called '${word}': choose one of the list.`);
    if (another !== undefined)
      throw new StarfishError("ambiguous", `Several are called '${word}': choose one of the list.`);
    this.#add(one);
  }

  #typed(): void {
    // Text with commas, pasted or typed, is several names.
    if (/[,;]/.test(this.#input.value)) {
      const words = this.#input.value.split(/[,;]/).map((word) => word.trim());
      const rest: string[] = [];
      for (const [i, word] of words.entries()) {
        this.#input.value = word;
        if (i === words.length - 1) rest.push(word);
        else
          try {
            this.settle();
          } catch {
            rest.unshift(word);
          }
      }
      this.#input.value = rest.filter(Boolean).join(" ");
    }
    this.#offer();
  }

  #offer(): void {
    const word = this.#input.value.trim().toLowerCase();
    const taken = new Set(this.#chosen.map(({ address }) => idOf(address)));
    const matching = this.#choices().filter(
      ({ address, name }) => !taken.has(idOf(address)) && `${name} ${idOf(address)}`.toLowerCase().includes(word),
    );
    // Names that begin with the text come first.
    const begins = matching.filter(({ name }) => name.toLowerCase().startsWith(word));
    this.#offered = [...begins, ...matching.filter((one) => !begins.includes(one))].slice(0, OFFERED_MAX);
    this.#at = word === "" || this.#offered.length === 0 ? -1 : 0;
    this.#list.hidden = this.#offered.length === 0;
    this.#input.setAttribute("aria-expanded", String(!this.#list.hidden));
    this.#list.replaceChildren(
      ...this.#offered.map((choice, i) => {
        const option = make(
          "li",
          { id: `compose-choice-${i}`, role: "option" },
          make("b", {}, oneLine(choice.name)),
          make("small", {}, choice.about),
        );
        option.addEventListener("click", () => this.#add(choice));
        return option;
      }),
    );
    this.#point();
  }

  #point(): void {
    for (const [i, option] of [...this.#list.children].entries()) {
      option.ariaSelected = String(i === this.#at);
      if (i === this.#at) option.scrollIntoView({ block: "nearest" });
    }
    if (this.#at < 0) this.#input.removeAttribute("aria-activedescendant");
    else this.#input.setAttribute("aria-activedescendant", `compose-choice-${this.#at}`);
  }

  #close(): void {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #add(choice: Choice): void {
    if (!this.#chosen.some(({ address }) => idOf(address) === idOf(choice.address))) {
      this.#chosen = [...this.#chosen, choice];
    }
    this.#input.value = "";
    this.#drawChips();
    this.#close();
  }

  #drawChips(): void {
    this.#input.placeholder = this.#chosen.length === 0 ? "A name" : "";
    this.#chips.replaceChildren(
      ...this.#chosen.map((choice) => {
        const remove = (): void => {
          this.#chosen = this.#chosen.filter((other) => other !== choice);
          this.#drawChips();
          this.#input.focus();
        };
        const name = oneLine(choice.name);
        return make("li", { title: choice.about }, name, button("✕", remove, { "aria-label": `Not to ${name}` }));
      }),
    );
  }

  #key(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    const choice = this.#list.hidden ? undefined : this.#offered[this.#at];
    if (step !== undefined) {
      if (this.#list.hidden) this.#offer();
      else this.#at = (this.#at + step + this.#offered.length) % Math.max(1, this.#offered.length);
      this.#point();
    } else if (event.key === "Enter" && choice !== undefined) this.#add(choice);
    else if (event.key === "Escape" && !this.#list.hidden) this.#close();
    else if (event.key === "Backspace" && this.#input.value === "") {
      this.chosen = this.#chosen.slice(0, -1);
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
