/**
 * Writing a mail: readers, subject, text, and files that are dropped, picked or forwarded. A draft stays until it is
 * sent or discarded, whatever else on the page is looked at meanwhile.
 */
import { messageOf, StarfishError } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import { FILES_MAX, SUBJECT_CHARS_MAX } from "../../../core/io/mail/limits.ts";
import type { Draft, MailId } from "../../../core/io/mail/types.ts";
import { abortable } from "../../../core/ports/clock.ts";
import { bytesWords, count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { shortIdOf } from "../../../core/shell/mail/who.ts";
import { setText } from "../dom.ts";
import { dropped, type Incoming } from "../files/incoming.ts";
import { Transfer } from "../files/transfers.ts";
import { pick } from "../host.ts";
import { ask, button, make } from "../make.ts";
import { type Attachment, attachmentOf } from "./attachment.ts";
import { type Choice, Recipients } from "./recipients.ts";

/** What a new mail begins with. */
export interface Beginning {
  readonly to?: readonly Choice[];
  readonly subject?: string;
  readonly text?: string;
  readonly files?: readonly Attachment[];
  readonly inReplyTo?: MailId;
}

export interface ComposeEvents {
  /** The draft is over: sent or discarded. `words` are for the person. */
  readonly ended: (words: string) => void;
  /** Messages about the sent mail as it becomes safe. */
  readonly said: (words: string) => void;
  readonly transfers: HTMLUListElement;
}

export class Compose {
  readonly element: HTMLElement;
  readonly #computer: Computer;
  readonly #events: ComposeEvents;
  readonly #recipients: Recipients;
  readonly #subject = make("input", { id: "compose-subject", autocomplete: "off", maxlength: SUBJECT_CHARS_MAX });
  readonly #text = make("textarea", { id: "compose-text", rows: 8 });
  readonly #files = make("ul", { class: "attachments", "aria-label": "Files" });
  readonly #under = make("ul", { class: "transfers", "aria-label": "Sending" });
  readonly #said = make("p", { class: "trouble", role: "alert" });
  readonly #send = button("Send", () => void this.#submit(), { class: "accent" });
  readonly #buttons = make("div", { class: "buttons" });
  #attached: readonly Attachment[] = [];
  #inReplyTo: MailId | undefined;
  #isOpen = false;

  constructor(computer: Computer, events: ComposeEvents) {
    this.#computer = computer;
    this.#events = events;
    this.#recipients = new Recipients(() => choices(computer));
    const attach = button("Attach files", () => void this.#pick());
    const discard = button("Discard", () => this.#discard());
    this.#buttons.append(this.#send, attach, discard);
    this.element = make(
      "section",
      { id: "compose", "aria-label": "Write a mail", "data-drops": true, hidden: true },
      make("label", { for: "compose-to" }, "To"),
      this.#recipients.element,
      make("label", { for: "compose-subject" }, "Subject"),
      this.#subject,
      make("label", { for: "compose-text", class: "unseen" }, "Text"),
      this.#text,
      this.#files,
      this.#said,
      this.#under,
      this.#buttons,
      make("p", { class: "note" }, "The members see that you write to each other, and how much; not what."),
    );
    this.#connect();
  }

  /** Whether there is a draft that could be lost. */
  get isBegun(): boolean {
    const hasText = this.#subject.value !== "" || this.#text.value !== "";
    return this.#isOpen && (hasText || this.#attached.length > 0 || this.#recipients.chosen.length > 0);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  begin({ to = [], subject = "", text = "", files = [], inReplyTo }: Beginning): void {
    this.#isOpen = true;
    this.#recipients.chosen = to;
    this.#subject.value = subject.slice(0, SUBJECT_CHARS_MAX);
    this.#text.value = text;
    this.#inReplyTo = inReplyTo;
    this.#attached = [];
    setText(this.#said, "");
    this.attach(files);
  }

  focus(): void {
    if (this.#recipients.chosen.length === 0) this.#recipients.focus();
    else {
      this.#text.focus();
      // The answer is written above the quoted text.
      this.#text.setSelectionRange(0, 0);
      this.#text.scrollTop = 0;
    }
  }

  attach(files: readonly Attachment[]): void {
    const all = [...this.#attached, ...files];
    this.#attached = all.slice(0, FILES_MAX);
    setText(
      this.#said,
      all.length > FILES_MAX ? `A mail has at most ${FILES_MAX} files: pack more into an archive.` : "",
    );
    this.#files.replaceChildren(
      ...this.#attached.map((file) => {
        const name = oneLine(file.name);
        const remove = button("✕", () => this.#detach(file), { "aria-label": `Without ${name}` });
        return make("li", {}, make("span", {}, name), make("small", {}, bytesWords(file.sizeBytes)), remove);
      }),
    );
  }

  #detach(file: Attachment): void {
    this.#attached = this.#attached.filter((other) => other !== file);
    this.attach([]);
    this.#send.focus();
  }

  #connect(): void {
    const over = (isOver: boolean): void => void this.element.classList.toggle("dropping", isOver);
    const isUsed = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes("Files") === true;
    this.element.addEventListener("dragover", (event) => {
      if (!isUsed(event)) return;
      event.preventDefault();
      over(true);
    });
    this.element.addEventListener("dragleave", () => over(false));
    this.element.addEventListener("drop", (event) => {
      over(false);
      if (!isUsed(event) || event.dataTransfer === null) return;
      event.preventDefault();
      void this.#take(dropped(event.dataTransfer, "/"));
    });
    this.#text.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) this.attach(files.map((file) => attachmentOf(file)));
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void this.#submit();
    });
    this.#computer.people.onChange(() => this.#recipients.refresh());
    addEventListener("beforeunload", (event) => {
      if (this.isBegun) event.preventDefault();
    });
  }

  async #take(incoming: Promise<Incoming>): Promise<void> {
    try {
      const { files } = await incoming;
      this.attach(files.map(({ path, file }) => attachmentOf(file, path.slice(1))));
    } catch (error) {
      setText(this.#said, messageOf(error));
    }
  }

  async #pick(): Promise<void> {
    try {
      this.attach((await pick("Choose files", true, new AbortController().signal)).map((file) => attachmentOf(file)));
    } catch {
      // The person chose nothing.
    }
  }

  #discard(): void {
    if (!this.isBegun) return this.#end("");
    ask(this.#buttons, "Discard what is written?", "Discard it", () => this.#end("Discarded."));
  }

  #end(words: string): void {
    this.begin({});
    this.#isOpen = false;
    this.#events.ended(words);
  }

  /** Sends it. If that fails, the draft stays. */
  async #submit(): Promise<void> {
    if (this.#send.disabled) return;
    try {
      this.#recipients.settle();
      if (this.#recipients.chosen.length === 0) throw new StarfishError("usage", "To whom? Choose at least one.");
    } catch (error) {
      setText(this.#said, messageOf(error));
      return this.#recipients.focus();
    }
    setText(this.#said, "");
    const to = this.#recipients.chosen;
    const names = to.map(({ name }) => oneLine(name)).join(", ");
    const files = this.#attached;
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const draft = { to: to.map(({ address }) => address), subject: this.#subject.value, text: this.#text.value };
    this.#lock(true);
    try {
      const sent = await this.#sendIt({ ...draft, inReplyTo: this.#inReplyTo }, names, files, totalBytes);
      if (sent === undefined) return;
      this.#end(`Sent to ${names}.`);
      void this.#makeSafe(names, sent.safe);
    } finally {
      this.#lock(false);
    }
  }

  /** Undefined if it was cancelled or failed, of which the person is told. */
  async #sendIt(
    draft: Draft,
    names: string,
    files: readonly Attachment[],
    totalBytes: number,
  ): Promise<{ readonly safe: Promise<void> } | undefined> {
    let sent: { readonly safe: Promise<void> } | undefined;
    const transfer = new Transfer(`Sealing for ${names}`, this.#under);
    await transfer.run(async () => {
      transfer.begin(`Sealing ${files.length === 0 ? "it" : count(files.length, "file")} for ${names}`, totalBytes);
      const { signal } = transfer;
      let takenBytes = 0;
      sent = await this.#computer.mail.send(
        { ...draft, files: opened(files, signal) },
        {
          signal,
          onProgress: (progress) => {
            transfer.add(progress.takenBytes - takenBytes);
            takenBytes = progress.takenBytes;
          },
        },
      );
    });
    return sent;
  }

  async #makeSafe(names: string, safe: Promise<void>): Promise<void> {
    const transfer = new Transfer(`Making the mail to ${names} safe`, this.#events.transfers);
    await transfer.run(async () => {
      try {
        await abortable(transfer.signal, safe);
      } catch (error) {
        if (transfer.signal.aborted) return;
        throw new StarfishError("io", `It is sent, and depends on this tab until it is safe: ${messageOf(error)}`);
      }
      this.#events.said(`Sent to ${names}: it waits for them in the swarm, also when this tab is closed.`);
    });
  }

  #lock(isLocked: boolean): void {
    for (const field of [this.#subject, this.#text]) field.readOnly = isLocked;
    this.#send.disabled = isLocked;
  }
}

/** Everybody who can be written to, with what distinguishes them. */
export function choices({ mail, people, net }: Computer): readonly Choice[] {
  const persons = new Map(people.all().map((person) => [person.id, person]));
  return mail.correspondents().map(({ address, name }) => {
    if (address.kind === "person") {
      const person = persons.get(address.person);
      const self = person?.isSelf === true ? "you, on " : "person with ";
      return {
        address,
        name,
        about: `${self}${count(person?.nodes.length ?? 0, "node")} · ${shortIdOf(address)}`,
      };
    }
    const member = net.member(address.peer);
    const kind = member?.record.kind === "tab" ? "tab" : "node";
    const state =
      member === undefined || member.status === "gone" ? "away" : member.isSelf ? "this one" : member.status;
    return { address, name, about: `${kind}, ${state} · ${shortIdOf(address)}` };
  });
}

/** Each file is opened when it is its turn. */
function* opened(
  files: readonly Attachment[],
  signal: AbortSignal,
): Generator<{ name: string; bytes: AsyncIterable<Uint8Array> }> {
  for (const file of files) yield { name: file.name, bytes: file.open(signal) };
}
