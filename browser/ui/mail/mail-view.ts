/**
 * Mail as a place of the page: the inbox, sent mail, one opened mail, and writing. It is loaded when it is first looked
 * at, and drawn only while it is in sight.
 */
import { messageOf } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import type { MailId, OpenedMail } from "../../../core/io/mail/types.ts";
import { idOf } from "../../../core/shell/mail/who.ts";
import { byId, setText } from "../dom.ts";
import { button, make } from "../make.ts";
import type { Attachment } from "./attachment.ts";
import { type Beginning, choices, Compose } from "./compose.ts";
import { MailReader } from "./mail-reader.ts";
import { MailRows } from "./mail-rows.ts";
import { Moving } from "./moving.ts";
import { notifyControl } from "./notify-control.ts";
import { Offers } from "./offers.ts";
import { answering, quoted } from "./quoting.ts";
import { ReceivedRows } from "./received-rows.ts";
import { SentRows } from "./sent-rows.ts";

/** Rows that are drawn at first, and added by each "show more". */
const SHOWN_STEP = 100;
/** The least time between two drawings. */
const DRAW_MS = 120;
/** Ages change without any event. */
const REFRESH_MS = 5_000;
/** A new member does not know all mail until it has reconciled; only after this time an empty inbox is called empty. */
const SETTLE_MS = 2_500;

type List = "inbox" | "sent" | "received";
type Pane = "list" | "open" | "compose";

const LISTS: Readonly<Record<List, string>> = { inbox: "Inbox", sent: "Sent", received: "Files" };
const NOTHING: Readonly<Record<List, string>> = {
  inbox:
    "Mail is for whoever may be asleep: it waits in the swarm for up to 30 days, sealed so that only its readers can open it. Nothing is here yet.",
  sent: "Nothing was sent from this tab yet. What you send waits in the swarm until it is read, also when this tab is closed.",
  received:
    "Files that somebody sends straight to you, while both of you are here, land here. None has come yet. To send some, drop them on a node in Swarm.",
};

export class MailView {
  readonly #computer: Computer;
  readonly #place = byId("mail-place", HTMLElement);
  readonly #facts = make("p", { id: "mail-facts" });
  readonly #write = button("Write", () => this.write({}), { id: "mail-write", class: "accent" });
  readonly #choice = make("div", { class: "choice", role: "group", "aria-label": "Show" });
  readonly #under = make("ul", { class: "transfers", "aria-label": "Under way" });
  readonly #said = make("p", { id: "mail-said", role: "status" });
  readonly #list = make("div", { id: "mail-list", tabindex: 0, role: "region", "aria-label": "Inbox" });
  readonly #empty = make("p", { class: "empty" });
  readonly #more = button("", () => this.#showMore(), { id: "mail-more", hidden: true });
  readonly #inbox = new MailRows((id) => this.#openMail(id));
  readonly #sent = new SentRows((id) => void this.#forget(id));
  readonly #offers: Offers;
  readonly #moving: Moving;
  readonly #received: ReceivedRows;
  readonly #reader: MailReader;
  readonly #compose: Compose;
  readonly #beganAtMs: number = performance.now();
  #showing: List = "inbox";
  #pane: Pane = "list";
  #shownMax = SHOWN_STEP;
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(computer: Computer) {
    this.#computer = computer;
    const say = (words: string): void => this.#say(words);
    this.#offers = new Offers(computer.transfer, say);
    this.#moving = new Moving(computer.transfer, this.#under, say);
    this.#received = new ReceivedRows(computer, this.#under, say);
    this.#reader = new MailReader(computer, {
      answer: (mail, toAll) => this.write(this.#answerTo(mail, toAll)),
      forward: (mail) => this.write(this.#forwarding(mail)),
      close: (words = "") => this.#back(words),
      transfers: this.#under,
    });
    this.#compose = new Compose(computer, {
      ended: (words) => this.#back(words),
      said: (words) => this.#say(words),
      transfers: this.#under,
    });
  }

  show(): void {
    this.#build();
    this.#computer.mail.onChange(() => this.#later());
    this.#computer.transfer.onChange(() => this.#later());
    this.#computer.net.onMember(() => this.#later());
    // It comes into view, or its size changes.
    new ResizeObserver(() => this.#later()).observe(this.#place);
    setInterval(() => {
      if (document.visibilityState === "visible") this.#later();
    }, REFRESH_MS);
    setTimeout(() => this.#later(), SETTLE_MS);
    this.#draw();
  }

  /** Begins a mail. If there is a draft already, what is given is added to it. */
  write(beginning: Beginning): void {
    if (!this.#compose.isBegun) this.#compose.begin(beginning);
    else if (beginning.files !== undefined && beginning.to === undefined) this.#compose.attach(beginning.files);
    else if (beginning.to !== undefined) this.#say("Another mail is being written: send or discard it first.");
    this.#show("compose");
    this.#compose.focus();
  }

  #build(): void {
    const heads = Object.entries(LISTS) as [List, string][];
    for (const [list, words] of heads) {
      this.#choice.append(button(words, () => this.#choose(list), { id: `mail-show-${list}` }));
    }
    this.#list.append(
      this.#inbox.element,
      this.#sent.element,
      this.#received.element,
      this.#more,
      this.#empty,
      notifyControl((words) => this.#say(words)),
    );
    this.#place.append(
      make("header", { id: "mail-head" }, make("h2", {}, "Mail"), this.#facts, this.#choice, this.#write),
      make("div", { id: "mail-news" }, this.#offers.element, this.#under, this.#said),
      this.#list,
      this.#reader.element,
      this.#compose.element,
    );
  }

  #choose(list: List): void {
    this.#showing = list;
    this.#shownMax = SHOWN_STEP;
    this.#list.scrollTop = 0;
    this.#list.ariaLabel = LISTS[list];
    this.#show("list");
  }

  #show(pane: Pane): void {
    if (pane !== "open") this.#reader.close();
    this.#pane = pane;
    this.#list.hidden = pane !== "list";
    this.#reader.element.hidden = pane !== "open";
    this.#compose.element.hidden = pane !== "compose";
    this.#draw();
  }

  /** Back to the list, at the same place. */
  #back(words: string): void {
    const id = this.#reader.id;
    this.#say(words);
    this.#show("list");
    if (this.#showing === "inbox") this.#inbox.focus(id);
  }

  #openMail(id: MailId): void {
    const mail = this.#computer.mail.inbox().find((one) => one.id === id);
    if (mail === undefined) return this.#draw();
    this.#say("");
    this.#show("open");
    void this.#reader.open(mail);
  }

  async #forget(id: MailId): Promise<void> {
    try {
      await this.#computer.mail.forget(id);
      this.#say("Forgotten here; its readers keep it.");
    } catch (error) {
      this.#say(messageOf(error));
    }
    this.#list.focus();
  }

  #showMore(): void {
    this.#shownMax += SHOWN_STEP;
    this.#draw();
  }

  #say(words: string): void {
    setText(this.#said, words);
  }

  #later(): void {
    if (this.#drawing !== undefined) return;
    const waitMs = Math.max(0, this.#drawnAtMs + DRAW_MS - performance.now());
    this.#drawing = setTimeout(() => this.#draw(), waitMs);
  }

  #draw(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    // Out of sight nothing is drawn; coming into view is a change of size.
    if (!this.#place.checkVisibility()) return;
    this.#drawnAtMs = performance.now();
    const { mail, transfer } = this.#computer;
    this.#offers.show();
    this.#moving.show();
    const inbox = mail.inbox().toReversed();
    const sent = mail.sent().toReversed();
    const received = transfer.inbox.items().toSorted((a, b) => b.startedAtMs - a.startedAtMs);
    const all = { inbox, sent, received }[this.#showing];
    const unread = mail.unread();
    setText(this.#facts, unread > 0 ? `${unread} unread` : "");
    for (const list of ["inbox", "sent", "received"] as const) {
      const isShown = list === this.#showing && this.#pane === "list";
      byId(`mail-show-${list}`, HTMLButtonElement).setAttribute("aria-pressed", String(isShown));
    }
    setText(this.#write, this.#compose.isBegun ? "Draft" : "Write");
    this.#write.hidden = this.#pane === "compose";
    this.#inbox.element.hidden = this.#showing !== "inbox";
    this.#sent.element.hidden = this.#showing !== "sent";
    this.#received.element.hidden = this.#showing !== "received";
    if (this.#showing === "inbox") this.#inbox.show(inbox.slice(0, this.#shownMax));
    else if (this.#showing === "sent") this.#sent.show(sent.slice(0, this.#shownMax));
    else this.#received.show(received.slice(0, this.#shownMax));
    const left = all.length - this.#shownMax;
    this.#more.hidden = left <= 0;
    setText(this.#more, `Show ${Math.min(SHOWN_STEP, left)} more of ${left}`);
    const isKnown = this.#showing !== "inbox" || performance.now() - this.#beganAtMs > SETTLE_MS;
    this.#empty.hidden = all.length > 0 || !isKnown;
    setText(this.#empty, NOTHING[this.#showing]);
    this.#lookAtOpen(inbox.some(({ id }) => id === this.#reader.id));
  }

  /** The opened mail may be deleted on another node of its person. */
  #lookAtOpen(isThere: boolean): void {
    if (this.#reader.id !== undefined && !isThere) this.#back("This mail was deleted on another of your nodes.");
  }

  #answerTo(mail: OpenedMail, toAll: boolean): Beginning {
    const own = new Set([this.#computer.net.self, this.#computer.people.self()?.id]);
    const wanted = new Set([mail.replyTo, ...(toAll ? mail.to : [])].map(({ address }) => idOf(address)));
    const known = choices(this.#computer).filter(({ address }) => {
      const id = idOf(address);
      // A person who writes to themselves answers themselves.
      return wanted.has(id) && (!own.has(id) || idOf(mail.replyTo.address) === id);
    });
    const to = known.length > 0 ? known : [{ ...mail.replyTo, about: "" }];
    return { to, subject: answering(mail.subject, "Re"), text: quoted(mail), inReplyTo: mail.id };
  }

  #forwarding(mail: OpenedMail): Beginning {
    const files = mail.files.map(({ name, sizeBytes }, index): Attachment => ({
      name,
      sizeBytes,
      open: (signal) => this.#computer.mail.file(mail.id, index, { signal }),
    }));
    return { subject: answering(mail.subject, "Fwd"), text: quoted(mail), files };
  }
}
