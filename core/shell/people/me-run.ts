/** The code of me. */
import { StarfishError } from "../../base/errors.ts";
import type { PersonInfo } from "../../io/people/types.ts";
import { roughly } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { noMoreOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import { STATUS } from "../status.ts";
import type { CommandContext } from "../types.ts";
import { shortId } from "../who.ts";
import { shortIdOf, whoIs } from "../mail/who.ts";

export async function runMe(context: CommandContext): Promise<number> {
  const kinds = { json: "flag", picture: "value", "no-picture": "flag" } as const;
  const { options, operands } = parseArguments(context.args, kinds);
  const [verb, operand] = operands;
  if (options.picture !== undefined || options["no-picture"] === true) {
    noMoreOperands(operands, 0);
    if (options.picture !== undefined && options["no-picture"] === true) {
      throw new StarfishError("usage", "--picture and --no-picture exclude each other");
    }
    const { setPicture } = await import("./picture.ts");
    await setPicture(options.picture, context);
    return STATUS.ok;
  }
  noMoreOperands(operands, verb === undefined || verb === "add" ? 1 : 2);
  if (verb === undefined) await show(options.json === true, context);
  else if (verb === "add") await add(context);
  else if (verb === "name") await name(needed(operand, "NAME"), context);
  else if (verb === "join") await join(needed(operand, "CODE"), context);
  else if (verb === "remove") await remove(needed(operand, "NODE"), context);
  else throw new StarfishError("usage", `'${verb}' is not one of name, add, join and remove`);
  return STATUS.ok;
}

async function show(isJson: boolean, { computer, stdout }: CommandContext): Promise<void> {
  const self = computer.people.self();
  const pictures = await computer.people.pictures();
  if (isJson) {
    const withPicture = (info: PersonInfo): unknown => ({ ...info, hasPicture: pictures.of(info.id) !== undefined });
    const people = computer.people.all().map(withPicture);
    await stdout.print(`${JSON.stringify({ self: self === undefined ? null : withPicture(self), people })}\n`);
    return;
  }
  if (self === undefined) {
    await stdout.print("Nobody has said whose node this is: 'me name NAME' does, or 'me join CODE'.\n");
    return;
  }
  const has = pictures.of(self.id) === undefined ? "" : ", and have a picture";
  await stdout.print(`You are ${oneLine(self.name)} (${self.id.slice(0, 8)})${has}.\n${nodesTable(self, computer)}`);
}

function nodesTable({ nodes }: PersonInfo, { net, mail }: CommandContext["computer"]): string {
  const all = mail.correspondents();
  const rows = nodes.map((peer) => {
    const member = net.member(peer);
    const known = all.find(({ address }) => address.kind === "node" && address.peer === peer);
    const state = peer === net.self ? "this node" : (member?.status ?? "gone");
    return [oneLine(member?.record.name ?? known?.name ?? ""), shortId(peer), state];
  });
  return rows.map((row) => `  ${row.join("  ")}\n`).join("");
}

async function add({ computer, stdout }: CommandContext): Promise<void> {
  if (computer.people.self() === undefined) {
    const own = computer.net.member(computer.net.self)?.record.name ?? "me";
    throw new StarfishError("not-found", `first say who you are, as in 'me name ${oneLine(own)}'`);
  }
  const { code, expiresAtMs } = computer.people.add();
  const forMs = expiresAtMs - computer.memory.now();
  await stdout.print(`On your other node, within ${roughly(forMs)}:\n\n  me join ${code}\n`);
}

async function name(wanted: string, { computer, stdout }: CommandContext): Promise<void> {
  await computer.people.setName(wanted);
  await stdout.print(`You are ${wanted}. 'me add' takes in another node of yours.\n`);
}

async function join(code: string, { computer, stdout, signal }: CommandContext): Promise<void> {
  const { name: joined, nodes } = await computer.people.join(code, { signal });
  const others = nodes.filter((peer) => peer !== computer.net.self).length;
  await stdout.print(`This node is ${oneLine(joined)}'s now${others > 0 ? `, with ${others} other` : ""}.\n`);
}

async function remove(word: string, { computer, stdout }: CommandContext): Promise<void> {
  const nodes = computer.mail.correspondents().filter(({ address }) => address.kind === "node");
  const found = whoIs(word, nodes);
  if (found?.address.kind !== "node")
    throw new StarfishError("not-found", `there is no node '${word}'; 'me' lists yours`);
  await computer.people.remove(found.address.peer);
  const what =
    found.address.peer === computer.net.self
      ? "This node is nobody's now."
      : "You have a new key, which it does not get.";
  await stdout.print(`${oneLine(found.name)} (${shortIdOf(found.address)}) is no longer yours. ${what}\n`);
}

function needed(operand: string | undefined, what: string): string {
  if (operand === undefined) throw new StarfishError("usage", `${what} is missing`);
  return operand;
}
