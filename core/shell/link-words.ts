/** How this node reaches a member, in words. Pure. */
import type { LinkInfo, Member } from "../net/types.ts";

export function linkWords(member: Member, link: LinkInfo | undefined, members: readonly Member[]): string {
  if (member.isSelf) return "this node";
  if (member.status === "gone" || member.status === "asleep") return member.status;
  const suspect = member.status === "suspect" ? " (silent, maybe gone)" : "";
  if (link === undefined) return `through others${suspect}`;
  if (link.path.kind === "direct") return `direct, ${link.path.transport}${suspect}`;
  const { via: relay } = link.path;
  const via = members.find((other) => other.record.peer === relay)?.record.name;
  const reason = whyRelayed(link, members);
  return `relayed${via === undefined ? "" : ` by ${via}`}${reason === undefined ? "" : `: ${reason}`}${suspect}`;
}

/** The reason that the link knows, else the one that either end has told. */
export function whyRelayed(link: LinkInfo, members: readonly Member[]): string | undefined {
  if (link.path.kind === "direct") return undefined;
  if (link.path.reason !== undefined) return link.path.reason;
  const theirs = members.find((member) => member.record.peer === link.peer)?.record.relayReason;
  return theirs ?? members.find((member) => member.isSelf)?.record.relayReason;
}
