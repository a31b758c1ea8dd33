/** /net: a directory for each member of the swarm, as this node sees it. `ls -l /net` shows what `peers` shows. */
import type { LinkInfo, Member, Net } from "../../../net/types.ts";
import { duration } from "../../format.ts";
import { oneLine } from "../../harmless.ts";
import { linkWords } from "../../link-words.ts";
import { mark, shortId } from "../../who.ts";
import { isWithin } from "../paths.ts";
import { says, ViewTree, type DirectoryView, type View } from "../view.ts";
import { changesOf } from "../watching.ts";
import { namedMembers } from "./names.ts";

export function netTree(net: Net): ViewTree {
  const root: DirectoryView = {
    kind: "directory",
    list: () => {
      const members = net.members();
      const links = new Map(net.links().map((link) => [link.peer, link]));
      return new Map(
        [...namedMembers(members)].map(([name, member]): [string, View] => [
          name,
          memberView(member, links.get(member.record.peer), members),
        ]),
      );
    },
  };
  return new ViewTree({
    mount: "/net",
    root,
    why: "members come and go by themselves, and say themselves what they are; 'invite' lets others in",
    watch: (path, { signal }) => changesOf((listener) => listen(net, path, listener), signal),
  });
}

/** Tells of members that come, go or change; below a member's directory also of each change of the links. */
function listen(net: Net, path: string, tell: (path: string) => void): () => void {
  const places = new Map([...namedMembers(net.members())].map(([name, { record }]) => [record.peer, name]));
  const stopMembers = net.onMember(({ member: { record } }) => {
    const before = places.get(record.peer);
    places.clear();
    for (const [name, member] of namedMembers(net.members())) places.set(member.record.peer, name);
    // A member that leaves is told by its old name; the names of others may become shorter or longer.
    for (const name of new Set([before, places.get(record.peer)])) {
      if (name === undefined) continue;
      if (isWithin(`/${name}`, path)) tell(`/${name}`);
      else if (isWithin(path, `/${name}`)) tell(path);
    }
  });
  const stopLinks = net.onLinks(() => {
    if (path !== "/") tell(path);
  });
  return () => {
    stopMembers();
    stopLinks();
  };
}

function memberView(member: Member, link: LinkInfo | undefined, members: readonly Member[]): DirectoryView {
  const { record, status, isSelf } = member;
  const files = new Map<string, View>([
    ["name", says(() => oneLine(record.name))],
    ["id", says(() => record.peer)],
    ["kind", says(() => record.kind)],
    ["role", says(() => record.role)],
    ["device", says(() => oneLine(record.device))],
    ["status", says(() => (isSelf ? "self" : status))],
    ["addresses", { kind: "file", text: () => record.addresses.map((one) => `${oneLine(one)}\n`).join("") }],
    ["link", says(() => oneLine(linkWords(member, link, members)))],
    ["rtt", { kind: "file", text: () => (link?.roundTripMs === undefined ? "" : `${link.roundTripMs.toFixed(3)}\n`) }],
    ["cores", says(() => String(record.coresLent))],
    ["busy", says(() => String(record.coresBusy))],
    ["started", says(() => new Date(record.startedAtMs).toISOString().replace(/\.\d+Z$/, "Z"))],
  ]);
  return {
    kind: "directory",
    list: () => files,
    modifiedAtMs: record.startedAtMs,
    about: about(member, link, members),
  };
}

/** The columns of `peers`, in words. */
function about(member: Member, link: LinkInfo | undefined, members: readonly Member[]): string {
  const { record } = member;
  const busy = record.coresBusy === 0 ? "" : ` (${record.coresBusy} busy)`;
  return [
    `${mark(member)} ${shortId(record.peer)}`,
    record.kind,
    `lends ${record.coresLent}${busy}`,
    link?.roundTripMs === undefined ? "" : duration(link.roundTripMs),
    oneLine(linkWords(member, link, members)),
  ]
    .filter((part) => part !== "")
    .join(", ");
}
