/** The code of peers: the members, and how this node is linked to each. */
import { compose, type Styled, type Text } from "../styled.ts";
import type { People, Pictures } from "../../io/people/types.ts";
import type { LinkInfo, Member } from "../../net/types.ts";
import { count, dim, duration, paint, table } from "../format.ts";
import { linkWords, whyRelayed } from "../link-words.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { CommandContext, TerminalInfo } from "../types.ts";
import { mark, shortId } from "../who.ts";

export async function runPeers(context: CommandContext): Promise<number> {
  const { options, operands } = parseArguments(context.args, { json: "flag", all: "flag" });
  noOperands(operands);
  const { net } = context.computer;
  const members = net.members().filter((member) => options.all === true || member.status !== "gone");
  const sorted = [...members].sort(byPlace);
  const links = new Map(net.links().map((link) => [link.peer, link]));
  const { people } = context.computer;
  const persons = { people, pictures: await people.pictures() };
  const { stdout } = context;
  await stdout.print(
    options.json === true ? asJson(sorted, links, persons) : asTable(sorted, links, persons, context.terminal.stdout),
  );
  for (const notice of net.notices())
    await context.stderr.print(`peers: ${notice}
`);
  return 0;
}

/** This node first, then the others by name. */
function byPlace(a: Member, b: Member): number {
  if (a.isSelf !== b.isSelf) return a.isSelf ? -1 : 1;
  return a.record.name.localeCompare(b.record.name) || (a.record.peer < b.record.peer ? -1 : 1);
}

interface Persons {
  readonly people: People;
  readonly pictures: Pictures;
}

function asJson(members: readonly Member[], links: ReadonlyMap<string, LinkInfo>, persons: Persons): string {
  const rows = members.map(({ record, status, isSelf }) => {
    const link = links.get(record.peer);
    return {
      peer: record.peer,
      name: record.name,
      kind: record.kind,
      role: record.role,
      device: record.device,
      status,
      self: isSelf,
      person: personOf(record.peer, persons),
      coresLent: record.coresLent,
      coresBusy: record.coresBusy,
      link:
        link === undefined
          ? null
          : { ...link.path, reason: whyRelayed(link, members) ?? null, roundTripMs: link.roundTripMs ?? null },
    };
  });
  return `${JSON.stringify(rows)}\n`;
}

function asTable(
  members: readonly Member[],
  links: ReadonlyMap<string, LinkInfo>,
  { people, pictures }: Persons,
  screen: TerminalInfo | undefined,
): Styled {
  // If nobody has said who they are, the column is left out.
  const persons = members.map(({ record }) => {
    const person = people.of(record.peer);
    if (person === undefined) return "";
    return pictures.of(person.id) === undefined ? person.name : `${person.name} (has a picture)`;
  });
  const hasPeople = persons.some((name) => name !== "");
  const titles = ["  name", "id", ...(hasPeople ? ["person"] : []), "kind", "lends", "round trip", "link"];
  const head = titles.map((title) => dim(title, screen));
  const rows = members.map((member, i) => {
    const { record } = member;
    const link = links.get(record.peer);
    return [
      paint(`${mark(member)} ${record.name}`, record.peer, screen),
      shortId(record.peer),
      ...(hasPeople ? [persons[i] ?? ""] : []),
      record.kind,
      record.coresBusy === 0 ? `${record.coresLent}` : `${record.coresLent}, ${record.coresBusy} busy`,
      link?.roundTripMs === undefined ? "" : duration(link.roundTripMs),
      howLinked(member, link, members, screen),
    ];
  });
  const here = members.filter((member) => member.status !== "gone").length;
  const alone = here === 1 ? " Nobody else is here yet: send somebody the link that 'invite' shows." : "";
  return compose`${table([head, ...rows], screen?.columns)}${dim(`${count(here, "member")}.${alone}`, screen)}\n`;
}

function personOf(peer: string, { people, pictures }: Persons): unknown {
  const person = people.of(peer);
  if (person === undefined) return null;
  return { id: person.id, name: person.name, hasPicture: pictures.of(person.id) !== undefined };
}

function howLinked(
  member: Member,
  link: LinkInfo | undefined,
  members: readonly Member[],
  screen: TerminalInfo | undefined,
): Text {
  const words = linkWords(member, link, members);
  return member.status === "gone" || member.status === "asleep" ? dim(words, screen) : words;
}
