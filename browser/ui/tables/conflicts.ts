/**
 * What merging has broken, and how to settle it: rows that are set aside can be removed for good, others can be edited.
 */
import { messageOf } from "../../../core/base/errors.ts";
import type { Conflict, SqlDatabase } from "../../../core/db/types.ts";
import { count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { setText } from "../dom.ts";
import { ask, button, make } from "../make.ts";
import { shown } from "./values.ts";

/** If there are more, the schema has to be mended, and not single rows. */
const SHOWN_MAX = 50;
const VALUE_CHARS_MAX = 60;
const ASIDE: ReadonlySet<Conflict["kind"]> = new Set(["unique", "not-null", "content", "malformed"]);

export class Conflicts {
  readonly element: HTMLDetailsElement = make("details", { id: "conflicts", hidden: true });
  readonly #sql: SqlDatabase;
  readonly #summary = make("summary");
  readonly #list = make("ul");
  #shown = "";

  constructor(sql: SqlDatabase) {
    this.#sql = sql;
    this.element.append(this.#summary, this.#list);
  }

  async look(): Promise<void> {
    const all = await this.#sql.conflicts();
    this.element.hidden = all.length === 0;
    const words = `${count(all.length, "conflict")}: what nodes wrote without knowing of each other`;
    setText(this.#summary, words);
    const shown = all.slice(0, SHOWN_MAX);
    const now = JSON.stringify(shown.map(({ kind, table, key, reason }) => [kind, table, key, reason]));
    // Rebuilt only when it has changed, so that the keyboard focus stays.
    if (now === this.#shown) return;
    this.#shown = now;
    this.#list.replaceChildren(...shown.map((conflict) => this.#item(conflict)));
  }

  #item(conflict: Conflict): HTMLLIElement {
    const { kind, table, row, reason } = conflict;
    const values = Object.entries(row).map(([name, value]) => `${name} = ${shown(value).slice(0, VALUE_CHARS_MAX)}`);
    const isAside = ASIDE.has(kind);
    const item = make(
      "li",
      {},
      make("b", {}, oneLine(table)),
      ` ${isAside ? "has a row set aside" : "has a row that breaks a rule"}: ${oneLine(reason)}`,
      make("small", {}, oneLine(values.join(", "))),
    );
    if (!isAside) return item;
    const buttons = make("div", { class: "buttons" });
    buttons.append(button("Remove that row", () => this.#ask(conflict, buttons)));
    item.append(buttons);
    return item;
  }

  #ask(conflict: Conflict, buttons: HTMLElement): void {
    ask(buttons, "Remove it for good, for everybody?", "Remove it", () => {
      this.#sql.discard(conflict).then(
        () => this.look(),
        (error: unknown) => buttons.append(make("span", { class: "trouble", role: "alert" }, messageOf(error))),
      );
    });
  }
}
