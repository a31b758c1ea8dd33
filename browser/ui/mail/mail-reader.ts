/** One opened mail: writer, readers, text, files, and buttons. What others wrote is shown as text, never as HTML. */
import { isStarfishError, messageOf } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import type { InboxMail, MailFile, MailId, OpenedMail } from "../../../core/io/mail/types.ts";
import { bytesWords, roughly } from "../../../core/shell/format.ts";
import { harmless, oneLine } from "../../../core/shell/harmless.ts";
import { shortId } from "../../../core/shell/who.ts";
import { download } from "../files/moves.ts";
import { lookAt, said } from "../files/preview.ts";
import { Transfer } from "../files/transfers.ts";
import { whenWords } from "../files/words.ts";
import { ask, button, make } from "../make.ts";
import { saveForm } from "./save-form.ts";
import { colour, face, fileName, namesOf, subjectOf, whoWrote } from "./words.ts";

export interface ReaderEvents {
  readonly answer: (mail: OpenedMail, toAll: boolean) => void;
  readonly forward: (mail: OpenedMail) => void;
  /** Back to the list. */
  readonly close: (words?: string) => void;
  readonly transfers: HTMLUListElement;
}

export class MailReader {
  readonly element: HTMLElement = make("article", { id: "mail-open", tabindex: -1, hidden: true });
  readonly #computer: Computer;
  readonly #events: ReaderEvents;
  #id: MailId | undefined;
  #reading = new AbortController();

  constructor(computer: Computer, events: ReaderEvents) {
    this.#computer = computer;
    this.#events = events;
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") events.close();
    });
  }

  get id(): MailId | undefined {
    return this.#id;
  }

  close(): void {
    this.#reading.abort();
    this.#id = undefined;
    this.element.replaceChildren();
  }

  async open(mail: InboxMail): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#id = mail.id;
    const body = make("div", { class: "body" }, said("Opening…"));
    this.element.replaceChildren(...this.#head(mail), body);
    this.element.focus();
    try {
      const opened = await this.#computer.mail.read(mail.id, { signal });
      if (signal.aborted) return;
      this.element.replaceChildren(...this.#head(opened), ...this.#body(opened, signal));
      this.element.focus();
    } catch (error) {
      if (signal.aborted) return;
      body.replaceChildren(...this.#failure(mail, error));
    }
  }

  #failure(mail: InboxMail, error: unknown): HTMLElement[] {
    const words = make("p", { class: "trouble", role: "alert" }, mail.why ?? messageOf(error));
    if (!isStarfishError(error, "lost")) return [words, this.#deleting(mail.id)];
    const more = said("Nothing of it is lost as long as enough of the others come back. This tab keeps trying.");
    const again = button("Try again", () => void this.open(mail), { class: "accent" });
    return [words, more, make("div", { class: "buttons" }, again)];
  }

  #head(mail: InboxMail): HTMLElement[] {
    const from = make("b", { class: "who" }, whoWrote(mail));
    colour(from, mail.from);
    face(from, mail.from);
    const id = make("small", {}, shortId(mail.from));
    const leftMs = mail.expiresAtMs - Date.now();
    return [
      button("← Mail", () => this.#events.close()),
      make("h3", {}, subjectOf(mail)),
      make("p", { class: "facts" }, "From ", from, " ", id, ` to ${namesOf(mail.to)}`),
      make("p", { class: "facts" }, `${whenWords(mail.sentAtMs)} · kept for ${roughly(leftMs)} more`),
    ];
  }

  #body(mail: OpenedMail, signal: AbortSignal): HTMLElement[] {
    const text = make("div", { class: "text", tabindex: 0, role: "region", "aria-label": "Text" }, harmless(mail.text));
    const files = make("ul", { class: "attachments", "aria-label": "Files" });
    const look = make("div", { class: "preview", tabindex: 0, role: "region", "aria-label": "Preview", hidden: true });
    files.append(...mail.files.map((file, index) => this.#file(mail, file, index, look, signal)));
    const buttons = make("div", { class: "buttons" });
    buttons.append(button("Answer", () => this.#events.answer(mail, false), { class: "accent" }));
    if (mail.to.length > 1) buttons.append(button("Answer all", () => this.#events.answer(mail, true)));
    buttons.append(
      button("Forward", () => this.#events.forward(mail)),
      button("Delete", () => this.#askDelete(mail.id, buttons)),
    );
    return [text, files, look, buttons];
  }

  #deleting(id: MailId): HTMLElement {
    const buttons = make("div", { class: "buttons" });
    buttons.append(button("Delete", () => this.#askDelete(id, buttons)));
    return buttons;
  }

  #askDelete(id: MailId, buttons: HTMLElement): void {
    ask(buttons, "Delete it for good?", "Delete it", () => {
      try {
        this.#computer.mail.remove(id);
        this.#events.close("Deleted.");
      } catch (error) {
        buttons.after(make("p", { class: "trouble", role: "alert" }, messageOf(error)));
      }
    });
  }

  #file(mail: OpenedMail, file: MailFile, index: number, look: HTMLElement, signal: AbortSignal): HTMLElement {
    const name = oneLine(file.name);
    const read = (either: AbortSignal): AsyncIterable<Uint8Array> =>
      this.#computer.mail.file(mail.id, index, { signal: either });
    const under = make("div", { class: "under" });
    const see = button("Look", () => void this.#look(look, name, file.sizeBytes, () => read(signal)), {
      "aria-label": `Look at ${name}`,
    });
    const fetch = button(
      "Download",
      () => {
        const transfer = new Transfer(`Fetching ${name}`, this.#events.transfers);
        void transfer.run(async () => {
          transfer.begin(`Fetching ${name}`, file.sizeBytes);
          await download(fileName(file.name), read(transfer.signal), transfer);
        });
      },
      { "aria-label": `Download ${name}` },
    );
    const save = button(
      "Save to Files",
      () => {
        const form = saveForm(this.#computer, {
          name: fileName(file.name),
          parts: () => Promise.resolve([{ kind: "file", path: "", sizeBytes: file.sizeBytes, read }]),
          transfers: this.#events.transfers,
          onClose: () => save.focus(),
        });
        under.replaceChildren(form);
        form.querySelector("input")?.focus();
      },
      { "aria-label": `Save ${name} to Files` },
    );
    const buttons = make("div", { class: "buttons" }, see, fetch, save);
    return make("li", {}, make("span", {}, name), make("small", {}, bytesWords(file.sizeBytes)), buttons, under);
  }

  async #look(
    place: HTMLElement,
    name: string,
    sizeBytes: number,
    read: () => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    place.hidden = false;
    place.replaceChildren(said(`Reading ${name}…`));
    try {
      place.replaceChildren(...(await lookAt({ name, sizeBytes, read })));
      place.scrollIntoView({ block: "nearest" });
    } catch (error) {
      place.replaceChildren(said(messageOf(error)));
    }
  }
}
