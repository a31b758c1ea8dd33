/**
 * What others want to send here now: sender, names, sizes, and whether it fits. An offer is accepted or refused, once
 * or always.
 */
import { messageOf } from "../../../core/base/errors.ts";
import type { Offer, Transfer } from "../../../core/io/transfer/types.ts";
import { bytesWords, count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { shortId } from "../../../core/shell/who.ts";
import { button, make } from "../make.ts";
import { colour, face } from "./words.ts";

export class Offers {
  readonly element: HTMLUListElement = make("ul", { id: "mail-offers", "aria-label": "Offered to you" });
  readonly #transfer: Transfer;
  readonly #say: (words: string) => void;
  readonly #rows = new Map<string, HTMLLIElement>();

  constructor(transfer: Transfer, say: (words: string) => void) {
    this.#transfer = transfer;
    this.#say = say;
  }

  show(): void {
    const offers = this.#transfer.offers();
    const ids = new Set(offers.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const offer of offers) {
      if (this.#rows.has(offer.id)) continue;
      const row = this.#newRow(offer);
      this.#rows.set(offer.id, row);
      this.element.append(row);
    }
  }

  #newRow(offer: Offer): HTMLLIElement {
    const { id, from, fits } = offer;
    const who = make("b", { class: "who" }, oneLine(offer.name));
    colour(who, from);
    face(who, from);
    const always = make("input", { type: "checkbox" });
    const accept = button("Accept", () => void this.#answer(offer, "accept", always.checked), { class: "accent" });
    accept.disabled = !fits;
    const buttons = make(
      "div",
      { class: "buttons" },
      accept,
      button("Refuse", () => void this.#answer(offer, "refuse", always.checked)),
      make("label", {}, always, `for all that ${oneLine(offer.name)} sends`),
    );
    const title = make("p", {}, who, " ", make("small", {}, shortId(from)), ` wants to send you ${offerWords(offer)}.`);
    const row = make("li", { "data-offer": id }, title, namesOf(offer));
    if (!fits)
      row.append(make("p", { class: "trouble" }, "There is no room for it: keep more in Files, or delete there."));
    row.append(buttons);
    return row;
  }

  async #answer({ id, name, title }: Offer, word: "accept" | "refuse", remember: boolean): Promise<void> {
    const always = remember ? `, as all that ${oneLine(name)} sends` : "";
    try {
      await this.#transfer[word](id, { remember });
      this.#say(word === "accept" ? `${oneLine(title)} is on its way${always}.` : `Refused${always}.`);
    } catch (error) {
      this.#say(messageOf(error));
    }
  }
}

/** "film.mkv, 1.20 GB", "photos and 2 more: 31 files, 80.0 MB". */
export function offerWords({
  title,
  files,
  folders,
  totalBytes,
}: Omit<Offer, "id" | "from" | "name" | "names" | "fits">): string {
  const many = files + folders > 1 ? count(files, "file") : "";
  const size = totalBytes === undefined ? "a stream" : bytesWords(totalBytes);
  return [oneLine(title), many, size].filter(Boolean).join(", ");
}

/** The first names with their sizes, if there are several. */
function namesOf({ names, files, folders }: Offer): HTMLElement {
  if (names.length < 2) return make("ul", { hidden: true });
  const rows = names.map(({ path, sizeBytes }) =>
    make(
      "li",
      {},
      make("span", {}, oneLine(path)),
      make("small", {}, sizeBytes === undefined ? "" : bytesWords(sizeBytes)),
    ),
  );
  const left = files + folders - names.length;
  if (left > 0) rows.push(make("li", {}, make("small", {}, `and ${left} more`)));
  return make("ul", { class: "names" }, ...rows);
}
