/** The rows of the inbox, the newest first; unread ones are bold and marked. The arrow keys go from row to row. */
import type { InboxMail, MailId } from "../../../core/io/mail/types.ts";
import { bytesWords } from "../../../core/shell/format.ts";
import { setText } from "../dom.ts";
import { KeyedRows } from "../keyed-rows.ts";
import { make } from "../make.ts";
import { agoWords, colour, face, filesWords, subjectOf, whoWrote } from "./words.ts";

interface Row {
  readonly element: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly from: HTMLElement;
  readonly age: HTMLElement;
  readonly subject: HTMLElement;
  readonly about: HTMLElement;
}

export class MailRows {
  readonly element: HTMLUListElement = make("ul", { id: "mail-rows", "aria-label": "Inbox" });
  readonly #rows = new KeyedRows<Row>(this.element);
  readonly #open: (id: MailId) => void;
  /** The row that the Tab key reaches. */
  #reached: MailId | undefined;

  constructor(open: (id: MailId) => void) {
    this.#open = open;
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  show(mails: readonly InboxMail[]): void {
    this.#rows.show(mails, {
      idOf: ({ id }) => id,
      make: (mail) => this.#newRow(mail),
      fill: (row, mail) => this.#fill(row, mail),
    });
    if (this.#rows.get(this.#reached) === undefined) this.#reach(mails[0]?.id);
  }

  focus(id: MailId | undefined): void {
    const row = this.#rows.get(id) ?? this.#rows.get(this.#reached);
    row?.button.focus();
  }

  #newRow({ id, from }: InboxMail): Row {
    const parts = {
      from: make("b", { class: "from" }),
      age: make("small", { class: "age" }),
      subject: make("span", { class: "subject" }),
      about: make("small", { class: "about" }),
    };
    const button = make("button", { type: "button", tabindex: -1 }, parts.from, parts.age, parts.subject, parts.about);
    const element = make("li", { class: "mail", "data-mail": id }, button);
    colour(element, from);
    face(parts.from, from);
    button.addEventListener("click", () => this.#open(id));
    button.addEventListener("focus", () => this.#reach(id));
    return { element, button, ...parts };
  }

  #fill(row: Row, mail: InboxMail): void {
    const isUnread = mail.state === "unread";
    row.element.dataset["state"] = mail.state;
    setText(row.from, whoWrote(mail));
    setText(row.age, agoWords(mail.sentAtMs));
    setText(row.subject, subjectOf(mail));
    const files = filesWords(mail.files);
    setText(row.about, [files, files === "" ? bytesWords(mail.sealedBytes) : ""].filter(Boolean).join(" · "));
    if (isUnread) row.button.setAttribute("aria-description", "unread");
    else row.button.removeAttribute("aria-description");
  }

  #reach(id: MailId | undefined): void {
    const before = this.#rows.get(this.#reached);
    const row = this.#rows.get(id);
    if (before !== undefined) before.button.tabIndex = -1;
    if (row !== undefined) row.button.tabIndex = 0;
    this.#reached = id;
  }

  #key(event: KeyboardEvent): void {
    const row = event.target instanceof Element ? event.target.closest("li") : null;
    const to = {
      ArrowDown: row?.nextElementSibling,
      ArrowUp: row?.previousElementSibling,
      Home: this.element.firstElementChild,
      End: this.element.lastElementChild,
    }[event.key];
    if (!(to instanceof HTMLElement)) return;
    to.querySelector("button")?.focus();
    event.preventDefault();
  }
}
