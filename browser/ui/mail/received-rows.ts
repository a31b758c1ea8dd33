/**
 * What others have sent straight to this node and is in its inbox: it can be looked at, downloaded, saved into the
 * tree, deleted.
 */
import { messageOf } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import type { InboxEntry, TransferInfo } from "../../../core/io/transfer/types.ts";
import { baseName } from "../../../core/shell/files/paths.ts";
import { bytesWords } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { download } from "../files/moves.ts";
import { lookAt, said } from "../files/preview.ts";
import { Transfer } from "../files/transfers.ts";
import { setText } from "../dom.ts";
import { KeyedRows } from "../keyed-rows.ts";
import { ask, button, make } from "../make.ts";
import { offerWords } from "./offers.ts";
import { type Part, saveForm } from "./save-form.ts";
import { agoWords, colour, face, fileName } from "./words.ts";

/** Files of one transfer that are shown by themselves; the rest can be saved into the tree and looked through there. */
const FILES_SHOWN = 30;

interface Row {
  readonly element: HTMLLIElement;
  readonly about: HTMLElement;
}

export class ReceivedRows {
  readonly element: HTMLUListElement = make("ul", { id: "received-rows", "aria-label": "Received" });
  readonly #computer: Computer;
  readonly #transfers: HTMLUListElement;
  readonly #say: (words: string) => void;
  readonly #rows = new KeyedRows<Row>(this.element);

  constructor(computer: Computer, transfers: HTMLUListElement, say: (words: string) => void) {
    this.#computer = computer;
    this.#transfers = transfers;
    this.#say = say;
  }

  show(items: readonly TransferInfo[]): void {
    this.#rows.show(items, {
      idOf: ({ id }) => id,
      make: (item) => this.#newRow(item),
      fill: ({ about }, { name, startedAtMs }) => setText(about, `${oneLine(name)} · ${agoWords(startedAtMs)}`),
    });
  }

  #newRow(item: TransferInfo): Row {
    const about = make("small");
    const under = make("div", { class: "under" });
    const words = offerWords(item);
    const open = button("Open", () => void this.#open(item, open, under), {
      "aria-expanded": "false",
      "aria-label": `Open ${words}`,
    });
    const save = this.#saveButton(fileName(item.title), under, () => this.#parts(item));
    const buttons = make("div", { class: "buttons" }, open, save);
    buttons.append(button("Delete", () => this.#askDelete(item.id, buttons), { "aria-label": `Delete ${words}` }));
    if (item.peer !== undefined) face(about, item.peer);
    const element = make(
      "li",
      { class: "received", "data-transfer": item.id },
      make("b", {}, words),
      about,
      buttons,
      under,
    );
    colour(element, item.peer);
    return { element, about };
  }

  #saveButton(name: string, under: HTMLElement, parts: () => Promise<readonly Part[]>): HTMLButtonElement {
    const save = button(
      "Save to Files",
      () => {
        const form = saveForm(this.#computer, { name, parts, transfers: this.#transfers, onClose: () => save.focus() });
        under.prepend(form);
        form.querySelector("input")?.focus();
      },
      { "aria-label": `Save ${name} to Files` },
    );
    return save;
  }

  /**
   * All of it, by paths below the name under which it is saved: a single file has that name, and the contents of a
   * folder go below it.
   */
  async #parts({ id }: TransferInfo): Promise<readonly Part[]> {
    const entries = await this.#computer.transfer.inbox.entries(id);
    const [first, second] = entries;
    if (first !== undefined && second === undefined) return [this.#part(id, first, "")];
    const top = `${first?.path.split("/")[0] ?? ""}/`;
    const isOneFolder = entries.every(({ path }) => `${path}/`.startsWith(top));
    return entries.map((entry) => this.#part(id, entry, isOneFolder ? entry.path.slice(top.length) : entry.path));
  }

  #part(id: string, entry: InboxEntry, path: string): Part {
    const { kind, sizeBytes } = entry;
    const read = (signal: AbortSignal): AsyncIterable<Uint8Array> =>
      this.#computer.transfer.inbox.read(id, entry, { signal });
    return { kind, path, sizeBytes, read };
  }

  async #open({ id }: TransferInfo, open: HTMLButtonElement, under: HTMLElement): Promise<void> {
    if (open.ariaExpanded === "true") {
      open.ariaExpanded = "false";
      return under.replaceChildren();
    }
    open.ariaExpanded = "true";
    try {
      const entries = await this.#computer.transfer.inbox.entries(id);
      const files = entries.filter(({ kind }) => kind === "file");
      const look = make("div", {
        class: "preview",
        tabindex: 0,
        role: "region",
        "aria-label": "Preview",
        hidden: true,
      });
      const list = make("ul", { class: "attachments" });
      list.append(...files.slice(0, FILES_SHOWN).map((entry) => this.#file(id, entry, look)));
      const left = files.length - FILES_SHOWN;
      under.replaceChildren(
        list,
        ...(left > 0 ? [said(`And ${left} more: save them to Files to see them.`)] : []),
        look,
      );
      const [only] = files;
      if (only !== undefined && files.length === 1) void this.#look(id, only, look);
    } catch (error) {
      under.replaceChildren(said(messageOf(error)));
    }
  }

  #file(id: string, entry: InboxEntry, look: HTMLElement): HTMLElement {
    const name = oneLine(entry.path);
    const under = make("div", { class: "under" });
    const see = button("Look", () => void this.#look(id, entry, look), { "aria-label": `Look at ${name}` });
    const fetch = button("Download", () => this.#download(id, entry), { "aria-label": `Download ${name}` });
    const save = this.#saveButton(fileName(baseName(entry.path)), under, () =>
      Promise.resolve([this.#part(id, entry, "")]),
    );
    const buttons = make("div", { class: "buttons" }, see, fetch, save);
    return make("li", {}, make("span", {}, name), make("small", {}, bytesWords(entry.sizeBytes)), buttons, under);
  }

  #download(id: string, entry: InboxEntry): void {
    const name = oneLine(entry.path);
    const transfer = new Transfer(`Fetching ${name}`, this.#transfers);
    void transfer.run(async () => {
      transfer.begin(`Fetching ${name}`, entry.sizeBytes);
      const source = this.#computer.transfer.inbox.read(id, entry, { signal: transfer.signal });
      await download(fileName(baseName(entry.path)), source, transfer);
    });
  }

  async #look(id: string, entry: InboxEntry, place: HTMLElement): Promise<void> {
    const { inbox } = this.#computer.transfer;
    place.hidden = false;
    place.replaceChildren(said(`Reading ${oneLine(entry.path)}…`));
    const read = (to: number): AsyncIterable<Uint8Array> => inbox.read(id, entry, { to });
    try {
      const shown = await lookAt({ name: oneLine(entry.path), sizeBytes: entry.sizeBytes, read });
      place.replaceChildren(...shown);
      place.scrollIntoView({ block: "nearest" });
    } catch (error) {
      place.replaceChildren(said(messageOf(error)));
    }
  }

  #askDelete(id: string, buttons: HTMLElement): void {
    ask(buttons, "Delete it for good?", "Delete it", () => {
      this.#computer.transfer.inbox.remove(id).then(
        () => this.#say("Deleted."),
        (error: unknown) => this.#say(messageOf(error)),
      );
    });
  }
}
