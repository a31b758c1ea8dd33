/**
 * Tells of mail, and of people who want to send files: a count on the buttons that lead there and in the page's title,
 * a question over the page, and a notification of the browser if its person has asked for it. It is there from the
 * start; the view itself is loaded when it is first looked at.
 */
import type { Computer } from "../../../core/computer.ts";
import type { InboxMail } from "../../../core/io/mail/types.ts";
import type { Offer, Transfer } from "../../../core/io/transfer/types.ts";
import { bytesWords, count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { shortId } from "../../../core/shell/who.ts";
import { readSetting } from "../../settings.ts";
import { byId } from "../dom.ts";
import { card } from "../person.ts";
import { goTo } from "../places.ts";

const TITLE = "Starfish";

export function showNews({ mail, transfer }: Computer): void {
  const cards = new Map<string, HTMLElement>();
  const show = (): void => {
    const [unread, offers] = [mail.unread(), transfer.offers()];
    const news = unread + offers.length;
    const words = [
      "Mail",
      unread === 0 ? "" : `${unread} unread`,
      offers.length === 0 ? "" : `${offers.length} offered`,
    ];
    for (const id of ["view-mail", "tab-mail"]) {
      const button = byId(id, HTMLButtonElement);
      if (news === 0) delete button.dataset["count"];
      else button.dataset["count"] = String(news);
      button.ariaLabel = words.filter(Boolean).join(", ");
    }
    document.title = news === 0 ? TITLE : `(${news}) ${TITLE}`;
    for (const [id, card] of cards) {
      if (offers.some((offer) => offer.id === id)) continue;
      card.remove();
      cards.delete(id);
    }
  };
  mail.onChange(show);
  transfer.onChange(show);
  mail.onNotice((notice) => {
    if (notice.kind === "arrived") notify(aboutMail(notice.mail));
    if (notice.kind === "more") notify({ title: count(notice.mails, "more mail"), body: "", tag: "more-mail" });
  });
  transfer.onOffer((offer) => {
    notify({ title: `${oneLine(offer.name)} wants to send you something`, body: oneLine(offer.title), tag: offer.id });
    // In the view the question has all names.
    if (!isInSight(byId("mail-place", HTMLElement))) cards.set(offer.id, offerCard(transfer, offer));
  });
  show();
}

/** Asks over the page. For more details, or to answer for good, the person goes to the view. */
function offerCard(transfer: Transfer, { id, from, name, title, totalBytes, fits }: Offer): HTMLElement {
  const size = totalBytes === undefined ? "" : ` (${bytesWords(totalBytes)})`;
  const answer = (word: "accept" | "refuse") => (): void => {
    // The offer is over already, as its disappearance shows.
    transfer[word](id, { remember: false }).catch(() => {});
  };
  const words = `It wants to send you ${oneLine(title)}${size}.${fits ? "" : " There is no room for it here."}`;
  const accept = fits ? { Accept: answer("accept") } : {};
  return card(`${oneLine(name)} (${shortId(from)})`, [words], {
    ...accept,
    Refuse: answer("refuse"),
    "Look at it": () => goTo("mail"),
  });
}

function isInSight(place: HTMLElement): boolean {
  const { left, right, width } = place.getBoundingClientRect();
  return width > 0 && left < innerWidth && right > 0 && document.visibilityState === "visible";
}

interface Notice {
  readonly title: string;
  readonly body: string;
  /** Of several tabs that tell the same, only one shows it. */
  readonly tag: string;
}

function aboutMail({ id, replyTo, subject }: InboxMail): Notice {
  return { title: `Mail from ${oneLine(replyTo.name)}`, body: oneLine(subject), tag: id };
}

function notify({ title, body, tag }: Notice): void {
  if (readSetting("mail-notify") !== "on" || document.visibilityState === "visible") return;
  if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
  try {
    const shown = new Notification(title, { body, tag, icon: "./icon-192.png" });
    shown.addEventListener("click", () => {
      window.focus();
      goTo("mail");
      shown.close();
    });
  } catch {
    // On phones only the service worker can show one; touching it makes the browser bring the page back.
    void navigator.serviceWorker?.ready.then((worker) => worker.showNotification(title, { body, tag }));
  }
}
