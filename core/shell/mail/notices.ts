/**
 * What a terminal says about mail by itself: what is unread when the session begins, what arrives, and what expired
 * unread.
 */
import type { Unsubscribe } from "../../base/events.ts";
import type { Computer } from "../../computer.ts";
import type { MailNotice } from "../../io/mail/types.ts";
import { count } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { cut } from "../width.ts";

const CELLS_MAX = 60;

export function followMail({ mail }: Pick<Computer, "mail">, print: (text: string) => void): Unsubscribe {
  const unread = mail.unread();
  if (unread > 0) print(`✉ ${count(unread, "mail")} unread: 'mail' lists what is here.`);
  return mail.onNotice((notice) => print(noticeWords(notice)));
}

function noticeWords(notice: MailNotice): string {
  if (notice.kind === "arrived") {
    const { number, subject, replyTo } = notice.mail;
    const about = subject === "" ? "" : `: ${cut(oneLine(subject), CELLS_MAX)}`;
    return `✉ Mail from ${cut(oneLine(replyTo.name), CELLS_MAX)}${about} ('mail read ${number}')`;
  }
  if (notice.kind === "more") return `✉ ${count(notice.mails, "more mail")}: 'mail' lists what is here.`;
  const { subject, deliveries } = notice.mail;
  const unread = deliveries.filter(({ state }) => state === "expired").map(({ to }) => oneLine(to.name));
  const about = subject === "" ? "" : ` '${cut(oneLine(subject), CELLS_MAX)}'`;
  return `✉ Your mail${about} is gone after 30 days, unread by ${cut(unread.join(", "), CELLS_MAX)}.`;
}
