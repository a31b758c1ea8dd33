/** The transfers under way, in and out: progress, rate, time left, and a button to end each. */
import { messageOf } from "../../../core/base/errors.ts";
import type { Transfer, TransferInfo } from "../../../core/io/transfer/types.ts";
import { transferWords } from "../../../core/shell/files/progress.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { setText } from "../dom.ts";
import { button, make } from "../make.ts";
import { WAITS } from "./words.ts";

interface Row {
  readonly element: HTMLLIElement;
  readonly bar: HTMLProgressElement;
  readonly words: HTMLElement;
  /**
   * Since when bytes have been arriving without a break, and how many were there before: the rate is that of the bytes
   * since.
   */
  since: { readonly atMs: number; readonly doneBytes: number } | undefined;
}

export class Moving {
  readonly #transfer: Transfer;
  readonly #list: HTMLUListElement;
  readonly #say: (words: string) => void;
  readonly #rows = new Map<string, Row>();

  constructor(transfer: Transfer, list: HTMLUListElement, say: (words: string) => void) {
    this.#transfer = transfer;
    this.#list = list;
    this.#say = say;
  }

  show(): void {
    const moving = this.#transfer.list().filter(({ state }) => state !== "whole");
    const ids = new Set(moving.map(({ id }) => id));
    for (const [id, { element }] of this.#rows) {
      if (ids.has(id)) continue;
      element.remove();
      this.#rows.delete(id);
    }
    for (const info of moving) this.#fill(this.#rows.get(info.id) ?? this.#newRow(info), info);
  }

  #newRow({ id, direction, name, title }: TransferInfo): Row {
    const words = `${direction === "in" ? "From" : "To"} ${oneLine(name)}: ${oneLine(title)}`;
    const bar = make("progress", { "aria-label": words });
    const said = make("span");
    const cancel = button("Cancel", () => void this.#cancel(id), { "aria-label": `Cancel: ${words}` });
    const element = make("li", { "data-transfer": id }, make("b", {}, words), bar, said, cancel);
    const row = { element, bar, words: said, since: undefined };
    this.#rows.set(id, row);
    this.#list.append(element);
    return row;
  }

  #fill(row: Row, { state, doneBytes, totalBytes }: TransferInfo): void {
    const nowMs = performance.now();
    const wait = WAITS[state];
    if (wait !== undefined) row.since = undefined;
    else row.since ??= { atMs: nowMs, doneBytes };
    if (totalBytes === undefined) row.bar.removeAttribute("value");
    else {
      row.bar.max = Math.max(1, totalBytes);
      row.bar.value = doneBytes;
    }
    setText(row.words, wait ?? rateWords(doneBytes, totalBytes, row.since, nowMs));
  }

  async #cancel(id: string): Promise<void> {
    try {
      await this.#transfer.cancel(id);
      this.#say("Cancelled: nothing of it stays on either side.");
    } catch (error) {
      this.#say(messageOf(error));
    }
  }
}

/** As `transferWords`, for the bytes since then; the ones before took no time now. */
function rateWords(doneBytes: number, totalBytes: number | undefined, since: Row["since"], nowMs: number): string {
  const before = since?.doneBytes ?? 0;
  const elapsedMs = Math.max(1, nowMs - (since?.atMs ?? nowMs));
  const words = transferWords(
    doneBytes - before,
    totalBytes === undefined ? undefined : totalBytes - before,
    elapsedMs,
  );
  return before === 0 ? words : `${words} (the rest was there)`;
}
