/**
 * Members by names that can be parts of paths, each name once: the member's name, with the end of its id if several
 * have that name. Members choose their names, but none can take the place of another. Pure.
 */
import type { Member } from "../../../net/types.ts";
import { shortId } from "../../who.ts";
import { partOfPath } from "../view.ts";

/** Members that have left are not listed. `reserved` are names that no member gets. */
export function namedMembers(
  members: readonly Member[],
  reserved: ReadonlySet<string> = new Set(),
): Map<string, Member> {
  const present = members
    .filter(({ status }) => status !== "gone")
    .sort((a, b) => (a.record.peer < b.record.peer ? -1 : 1));
  const counts = new Map<string, number>();
  for (const { record } of present) counts.set(plainName(record.name), (counts.get(plainName(record.name)) ?? 0) + 1);
  const named = new Map<string, Member>();
  // A member whose name is unique gets it, unless that name contains the id of another member.
  const add = (member: Member, choices: readonly string[]): void => {
    const free = choices.find((name) => name !== "" && !named.has(name) && !reserved.has(name));
    if (free !== undefined) named.set(free, member);
  };
  const isShared = ({ record }: Member): boolean => counts.get(plainName(record.name)) !== 1;
  for (const member of present.filter(isShared)) add(member, withIds(member));
  for (const member of present.filter((one) => !isShared(one)))
    add(member, [plainName(member.record.name), ...withIds(member)]);
  return named;
}

/** The directory name of a member; undefined if it has left. */
export function nameOfMember(members: readonly Member[], peer: string): string | undefined {
  for (const [name, { record }] of namedMembers(members)) if (record.peer === peer) return name;
  return undefined;
}

function withIds({ record: { name, peer } }: Member): string[] {
  const plain = plainName(name);
  return [`${plain}.${shortId(peer)}`, `${plain}.${peer}`, `${peer}.${peer}`];
}

function plainName(name: string): string {
  return partOfPath(name);
}
