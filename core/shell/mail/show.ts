/** Mail in the terminal. Pure. */
import type { Correspondent, Delivery, InboxMail, MailFile, OpenedMail, SentMail } from "../../io/mail/types.ts";
import { bytesWords, count, dim, roughly, table } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { formatTime } from "../language/strftime.ts";
import { compose, type Styled, type Text } from "../styled.ts";
import type { TerminalInfo } from "../types.ts";
import { cut } from "../width.ts";
import { idOf } from "./who.ts";

const NAME_CELLS = 24;
const SUBJECT_CELLS = 60;
const MARKS: Readonly<Record<InboxMail["state"], string>> = { unread: "●", read: " ", arriving: "…", spoilt: "✕" };

export function inboxTable(mails: readonly InboxMail[], nowMs: number, screen: TerminalInfo | undefined): Text {
  if (mails.length === 0) return "No mail.\n";
  const head = ["  n", "from", "ago", "subject", "files"].map((title) => dim(title, screen));
  const rows = mails.map((mail) => [
    `${MARKS[mail.state]} ${mail.number}`,
    cut(oneLine(whoWrote(mail)), NAME_CELLS),
    roughly(nowMs - mail.sentAtMs),
    cut(oneLine(subjectOf(mail)), SUBJECT_CELLS),
    filesWords(mail.files),
  ]);
  return table([head, ...rows], screen?.columns);
}

/** The person, and the node with which they wrote. */
export function whoWrote({ replyTo, fromName }: InboxMail): string {
  return replyTo.address.kind === "person" && replyTo.name !== fromName ? `${replyTo.name} (${fromName})` : fromName;
}

export function subjectOf({ state, subject, why }: InboxMail): string {
  if (state === "arriving") return "(out of reach; it is tried again)";
  if (state === "spoilt") return `(not to be trusted: ${why ?? ""})`;
  return subject === "" ? "(no subject)" : subject;
}

export function openedWords(mail: OpenedMail, screen: TerminalInfo | undefined): Styled {
  const rows = [
    ["From", oneLine(whoWrote(mail))],
    ["To", namesOf(mail.to)],
    ["Date", formatTime("%F %H:%M UTC", mail.sentAtMs)],
    ["Subject", oneLine(mail.subject)],
    ...mail.files.map(({ name, sizeBytes }) => ["File", `${oneLine(name)} (${bytesWords(sizeBytes)})`]),
  ];
  const text = mail.text === "" || mail.text.endsWith("\n") ? mail.text : `${mail.text}\n`;
  const hint = mail.files.length === 0 ? "" : `\n'mail save ${mail.number} DIR' brings the files.\n`;
  return compose`${table(rows.map(([title = "", value = ""]) => [dim(title, screen), value]))}\n${text}${dim(hint, screen)}`;
}

export function sentTable(mails: readonly SentMail[], nowMs: number, screen: TerminalInfo | undefined): Text {
  if (mails.length === 0) return "Nothing was sent from this node.\n";
  const head = ["n", "to", "ago", "state", "subject"].map((title) => dim(title, screen));
  const rows = mails.flatMap((mail) =>
    mail.deliveries.map((delivery, i) => [
      i === 0 ? String(mail.number) : "",
      cut(oneLine(delivery.to.name), NAME_CELLS),
      i === 0 ? roughly(nowMs - mail.sentAtMs) : "",
      deliveryWords(delivery, mail, nowMs),
      i === 0 ? cut(oneLine(mail.subject === "" ? "(no subject)" : mail.subject), SUBJECT_CELLS) : "",
    ]),
  );
  return table([head, ...rows], screen?.columns);
}

function deliveryWords({ state, atMs }: Delivery, { expiresAtMs }: SentMail, nowMs: number): string {
  if (state === "waiting") return `waiting, for ${roughly(expiresAtMs - nowMs)} more`;
  return `${state} ${roughly(nowMs - atMs)} ago`;
}

export function namesOf(to: readonly Correspondent[]): string {
  return to.map(({ name }) => oneLine(name)).join(", ");
}

function filesWords(files: readonly MailFile[]): string {
  if (files.length === 0) return "";
  return `${count(files.length, "file")}, ${bytesWords(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}`;
}

function correspondentJson({ address, name }: Correspondent): unknown {
  return { kind: address.kind, id: idOf(address), name };
}

export function inboxJson(mail: InboxMail): unknown {
  const { id, number, state, why, from, fromName, replyTo, to, sentAtMs, expiresAtMs, subject, files, sealedBytes } =
    mail;
  return {
    ...{ n: number, id, state, why: why ?? null, from, fromName, replyTo: correspondentJson(replyTo) },
    ...{ to: to.map(correspondentJson), sentAtMs, expiresAtMs, subject, files, sealedBytes },
  };
}

export function openedJson(mail: OpenedMail): unknown {
  return { ...Object(inboxJson(mail)), text: mail.text, inReplyTo: mail.inReplyTo ?? null };
}

export function sentJson({ id, number, sentAtMs, expiresAtMs, subject, files, deliveries }: SentMail): unknown {
  const to = deliveries.map((delivery) => ({
    ...Object(correspondentJson(delivery.to)),
    state: delivery.state,
    atMs: delivery.atMs,
  }));
  return { n: number, id, sentAtMs, expiresAtMs, subject, files, to };
}
