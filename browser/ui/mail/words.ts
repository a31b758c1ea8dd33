/** The words for mail on the page. All of it may come from others, so names and subjects stay on one line. */
import type { Correspondent, Delivery, DeliveryState, InboxMail, MailFile } from "../../../core/io/mail/types.ts";
import type { TransferInfo } from "../../../core/io/transfer/types.ts";
import { colourOf } from "../../../core/net/identity/names.ts";
import type { PeerId } from "../../../core/ports/network.ts";
import { bytesWords, count, roughly } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";

/** The person, and the node with which they wrote. */
export function whoWrote({ replyTo, fromName }: InboxMail): string {
  const isPerson = replyTo.address.kind === "person" && replyTo.name !== fromName;
  return oneLine(isPerson ? `${replyTo.name} (${fromName})` : fromName);
}

export function subjectOf({ state, subject }: Pick<InboxMail, "state" | "subject">): string {
  if (state === "arriving") return "On its way: what is in it is out of reach yet";
  if (state === "spoilt") return "Not to be trusted";
  return subject === "" ? "(no subject)" : oneLine(subject);
}

export function namesOf(to: readonly Correspondent[]): string {
  return to.map(({ name }) => oneLine(name)).join(", ");
}

/** "2 files, 3.10 MB"; empty if there are none. */
export function filesWords(files: readonly MailFile[]): string {
  if (files.length === 0) return "";
  return `${count(files.length, "file")}, ${bytesWords(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}`;
}

/** A name that anybody may have chosen, as a file name: without slashes, control characters or a leading dot. */
export function fileName(name: string): string {
  return oneLine(name.toWellFormed()).replaceAll(/[\\/]/g, "_").replace(/^\.+/, "_") || "file";
}

export function agoWords(atMs: number): string {
  const ms = Date.now() - atMs;
  return ms < 1_000 ? "now" : `${roughly(ms)} ago`;
}

/** A mark, so that colour is not needed. */
const MARKS: Readonly<Record<DeliveryState, string>> = { waiting: "○", delivered: "◐", read: "●", expired: "✕" };

/** "● read 5 min ago". */
export function deliveryWords({ state, atMs }: Delivery): string {
  const since = state === "waiting" ? "" : ` ${agoWords(atMs)}`;
  return `${MARKS[state]} ${state}${since}`;
}

/** What a transfer waits for when no bytes pass. */
export const WAITS: Readonly<Partial<Record<TransferInfo["state"], string>>> = {
  linking: "looking for a way there…",
  waiting: "waiting for the answer there…",
  checking: "comparing with what is there already…",
  interrupted: "the link broke; it goes on when it is back…",
};

/** Shows the picture of a person, or of a node's person, before the element's text, if there is one (faces.ts). */
export function face(element: HTMLElement, id: string): void {
  element.dataset["face"] = id;
}

/** Gives an element the node's colour, for its style sheet. */
export function colour(element: HTMLElement, peer: PeerId | undefined): void {
  const shades = peer === undefined ? undefined : colourOf(peer);
  const value = shades === undefined ? "var(--muted)" : `light-dark(${shades.light.hex}, ${shades.dark.hex})`;
  element.style.setProperty("--colour", value);
}
