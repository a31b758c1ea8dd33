/** The contents of /mail: inbox/N/{from,to,date,subject,text,files/} and sent/N/{to,date,subject,state}. */
import { utf8 } from "../../../base/bytes.ts";
import type { Computer } from "../../../computer.ts";
import type { InboxMail, SentMail } from "../../../io/mail/types.ts";
import { oneLine } from "../../harmless.ts";
import { fileNames } from "../../mail/names.ts";
import { namesOf, subjectOf, whoWrote } from "../../mail/show.ts";
import { says, type DirectoryView, type FileView, type View } from "../view.ts";

type Mail = Computer["mail"];

export function mailViews(mail: Mail): ReadonlyMap<string, View> {
  return new Map<string, View>([
    ["inbox", { kind: "directory", list: () => listed(mail.inbox(), mail) }],
    ["sent", directory(() => mail.sent().map((one) => [String(one.number), sentView(one)]))],
  ]);
}

/** The views of a list of mails. Each path into the inbox asks for them, and an inbox may have thousands of mails. */
const viewsOf = new WeakMap<readonly InboxMail[], ReadonlyMap<string, View>>();

function listed(inbox: readonly InboxMail[], mail: Mail): ReadonlyMap<string, View> {
  const known = viewsOf.get(inbox);
  if (known !== undefined) return known;
  const made = new Map(inbox.map((one): [string, View] => [String(one.number), inboxView(one, mail)]));
  viewsOf.set(inbox, made);
  return made;
}

function directory(
  list: () => readonly (readonly [string, View])[],
  about: Pick<DirectoryView, "about" | "modifiedAtMs"> = {},
): DirectoryView {
  return { kind: "directory", list: () => new Map(list()), ...about };
}

function inboxView(one: InboxMail, mail: Mail): DirectoryView {
  const { sentAtMs, files, to } = one;
  const inside = (): [string, View][] => {
    const names = fileNames(files);
    return files.map(({ sizeBytes }, i) => [
      names[i] ?? "",
      { kind: "file", sizeBytes, modifiedAtMs: sentAtMs, stream: ({ signal }) => mail.file(one.id, i, { signal }) },
    ]);
  };
  const views = (): readonly (readonly [string, View])[] => [
    ["from", says(() => oneLine(whoWrote(one)))],
    ["to", says(() => namesOf(to))],
    ["date", says(() => new Date(sentAtMs).toISOString())],
    ["subject", says(() => oneLine(one.subject))],
    ["text", textView(one, mail)],
    ["files", directory(inside)],
  ];
  const about = `${one.state === "unread" ? "● " : ""}${oneLine(whoWrote(one))}: ${oneLine(subjectOf(one))}`;
  return directory(views, { about, modifiedAtMs: sentAtMs });
}

/** The text is fetched when it is read, and the sender is told then. */
function textView({ id, sentAtMs }: InboxMail, mail: Mail): FileView {
  return {
    kind: "file",
    modifiedAtMs: sentAtMs,
    async *stream({ signal }) {
      const { text } = await mail.read(id, { signal });
      if (text !== "") yield utf8(text.endsWith("\n") ? text : `${text}\n`);
    },
  };
}

function sentView({ subject, sentAtMs, deliveries }: SentMail): DirectoryView {
  const to = namesOf(deliveries.map((one) => one.to));
  const states = deliveries.map(({ to: { name }, state }) => `${oneLine(name)}\t${state}\n`).join("");
  const views: readonly (readonly [string, View])[] = [
    ["to", says(() => to)],
    ["date", says(() => new Date(sentAtMs).toISOString())],
    ["subject", says(() => oneLine(subject))],
    ["state", { kind: "file", text: () => states }],
  ];
  return directory(() => views, { about: `${to}: ${oneLine(subject)}`, modifiedAtMs: sentAtMs });
}
