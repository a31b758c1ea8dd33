/** Finds the member that a person means: by name if it is unique, or by its id, or the beginning or end of it. Pure. */
import { StarfishError } from "../base/errors.ts";
import type { Member } from "../net/types.ts";
import { suggest } from "./suggest.ts";

/** All Ed25519 PeerIds begin like this ("12D3KooW"); the differences come after. */
const SAME_FOR_ALL = "12D3KooW";
/**
 * Letters of an id that people are shown and may type. With 58^6 of them a clash in one swarm is unlikely, and would be
 * reported.
 */
const SHORT_ID_LENGTH = 6;

/** The last letters of an id, which distinguish members of the same name. */
export function shortId(peer: string): string {
  return peer.slice(-SHORT_ID_LENGTH);
}

/** The mark before a member's name: this node, a Node.js node, or a browser tab. */
export function mark(member: Member): string {
  if (member.isSelf) return "★";
  return member.record.kind === "tab" ? "○" : "●";
}

/**
 * Throws "not-found" (with a suggestion) or "ambiguous" (with the candidates). Members that have left are not
 * considered.
 */
export function findMember(members: readonly Member[], wanted: string): Member {
  const present = members.filter((member) => member.status !== "gone");
  const exact = present.find((member) => member.record.peer === wanted);
  if (exact !== undefined) return exact;
  const named = present.filter((member) => member.record.name.toLowerCase() === wanted.toLowerCase());
  const found = named.length > 0 ? named : present.filter((member) => matchesId(member.record.peer, wanted));
  const [one, another] = found;
  if (one === undefined) throw noSuchMember(members, present, wanted);
  if (another !== undefined) {
    const choices = found.map(({ record }) => `${record.name} (${shortId(record.peer)})`).join(", ");
    throw new StarfishError("ambiguous", `'${wanted}' may be any of ${choices}; use the letters in brackets`);
  }
  return one;
}

function matchesId(peer: string, wanted: string): boolean {
  if (wanted.length < 3) return false;
  return (
    peer.endsWith(wanted) ||
    peer.slice(SAME_FOR_ALL.length).startsWith(wanted) ||
    (wanted.length > SAME_FOR_ALL.length && peer.startsWith(wanted))
  );
}

function noSuchMember(members: readonly Member[], present: readonly Member[], wanted: string): StarfishError {
  const gone = members.some(
    ({ record, status }) => status === "gone" && record.name.toLowerCase() === wanted.toLowerCase(),
  );
  if (gone) return new StarfishError("not-found", `'${wanted}' was here and has left`);
  const near = suggest(
    wanted,
    present.map((member) => member.record.name),
  );
  return new StarfishError(
    "not-found",
    `nobody here is called '${wanted}'${near === undefined ? "; 'peers' lists who is here" : `; did you mean '${near}'?`}`,
  );
}

/** Words that name each present member unambiguously: the name, or the end of the id if several have the name. */
export function memberWords(members: readonly Member[]): string[] {
  const present = members.filter((member) => member.status !== "gone");
  const seen = new Map<string, number>();
  for (const { record } of present) seen.set(record.name, (seen.get(record.name) ?? 0) + 1);
  return present.map(({ record }) => (seen.get(record.name) === 1 ? record.name : shortId(record.peer)));
}
