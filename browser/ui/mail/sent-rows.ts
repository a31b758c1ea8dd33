/** The mail that this node has sent, the newest first, with its state for each reader. */
import type { Delivery, MailId, SentMail } from "../../../core/io/mail/types.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { idOf } from "../../../core/shell/mail/who.ts";
import { setText } from "../dom.ts";
import { KeyedRows } from "../keyed-rows.ts";
import { button, make } from "../make.ts";
import { agoWords, colour, deliveryWords, face, filesWords } from "./words.ts";

interface Row {
  readonly element: HTMLLIElement;
  readonly subject: HTMLElement;
  readonly about: HTMLElement;
  readonly readers: HTMLUListElement;
}

export class SentRows {
  readonly element: HTMLUListElement = make("ul", { id: "sent-rows", "aria-label": "Sent" });
  readonly #rows = new KeyedRows<Row>(this.element);
  readonly #forget: (id: MailId) => void;

  constructor(forget: (id: MailId) => void) {
    this.#forget = forget;
  }

  show(mails: readonly SentMail[]): void {
    this.#rows.show(mails, {
      idOf: ({ id }) => id,
      make: (mail) => this.#newRow(mail),
      fill: (row, { sentAtMs, files, deliveries }) => {
        setText(row.about, [agoWords(sentAtMs), filesWords(files)].filter(Boolean).join(" · "));
        fillReaders(row.readers, deliveries);
      },
    });
  }

  #newRow({ id, subject }: SentMail): Row {
    const words = subject === "" ? "(no subject)" : oneLine(subject);
    const parts = {
      subject: make("b", {}, words),
      about: make("small", {}),
      readers: make("ul", { class: "readers", "aria-label": `Readers of ${words}` }),
    };
    const label = `Forget ${words}: its readers keep it`;
    const forget = button("✕", () => this.#forget(id), { "aria-label": label, title: label });
    const element = make("li", { class: "sent", "data-mail": id }, parts.subject, forget, parts.about, parts.readers);
    return { element, ...parts };
  }
}

function fillReaders(list: HTMLUListElement, deliveries: readonly Delivery[]): void {
  while (list.children.length > deliveries.length) list.lastElementChild?.remove();
  deliveries.forEach((delivery, i) => {
    const there = list.children[i];
    const item = there instanceof HTMLLIElement ? there : list.appendChild(make("li", {}, make("b"), make("span")));
    const { address, name } = delivery.to;
    item.dataset["state"] = delivery.state;
    colour(item, address.kind === "node" ? address.peer : undefined);
    const [who, state] = item.children;
    if (who instanceof HTMLElement) {
      setText(who, oneLine(name));
      face(who, idOf(address));
    }
    if (state !== undefined) setText(state, deliveryWords(delivery));
    item.title = idOf(address);
  });
}
