/** allow, refuse: who may reach the person at this node. */
import { StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import type { Answer } from "../../io/devices/types.ts";
import { table } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { nameOfMember } from "../namespace/net/names.ts";
import { parseArguments } from "../options.ts";
import type { Command, CommandContext } from "../types.ts";
import { findMember, memberWords, shortId } from "../who.ts";

export const allow: Command = {
  name: "allow",
  summary: "let members reach your screen and clipboard",
  help: `
usage: allow [MEMBER…]

Lets members show you notices, write to your terminal and offer texts for your clipboard, as with
'echo lunch > /dev/NODE/notify', until you 'refuse' them. Remove a member's file in /dev/senders to be asked again.
Without MEMBER it lists your answers, and who asks.

  allow
`,
  run: (context) => answer("allow", context),
  complete: (_words, computer) => memberWords(computer.net.members()),
};

export const refuse: Command = {
  name: "refuse",
  summary: "refuse members your screen and clipboard",
  help: `
usage: refuse [MEMBER…]

Refuses members: they no longer reach you, and you are not asked about them again, until you 'allow' them or remove their
file in /dev/senders. Without MEMBER it lists your answers, and who asks.

  refuse
`,
  run: (context) => answer("refuse", context),
  complete: (_words, computer) => memberWords(computer.net.members()),
};

async function answer(word: Answer, context: CommandContext): Promise<number> {
  const { computer, args, stdout } = context;
  const { operands } = parseArguments(args, {});
  if (operands.length === 0) return await list(context);
  const members = operands.map((operand) => findMember(computer.net.members(), operand));
  if (members.some(({ isSelf }) => isSelf))
    throw new StarfishError("usage", "what you write yourself always reaches you");
  for (const { record } of members) {
    await computer.devices.answer(record.peer, word);
    const name = `${oneLine(record.name)} (${shortId(record.peer)})`;
    await stdout.print(word === "allow" ? `${name} may reach you.\n` : `${name} may not reach you.\n`);
  }
  return 0;
}

async function list({ computer, stdout }: CommandContext): Promise<number> {
  const { devices, net } = computer;
  const rows = [
    ...devices.questions().map(({ from }) => [label(from, net), "asks"]),
    ...[...devices.answers()].map(([peer, known]) => [label(peer, net), known === "allow" ? "allowed" : "refused"]),
  ];
  await stdout.print(rows.length === 0 ? "Nobody has asked for you yet.\n" : table(rows));
  return 0;
}

function label(peer: string, net: Computer["net"]): string {
  return `${nameOfMember(net.members(), peer) ?? "somebody who left"} (${shortId(peer)})`;
}
