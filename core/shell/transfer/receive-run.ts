/** The code of `receive`: takes the next offer, passes it on or stores it, and answers which nodes may send. */
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { FileEntry, FolderEntry } from "../../disk/content/tree-entry.ts";
import type { InboxEntry, Offer, TransferInfo } from "../../io/transfer/types.ts";
import { writeToHost } from "../files/host-streams.ts";
import { Missing } from "../files/missing.ts";
import { within } from "../files/paths.ts";
import { bytesWords, count, table } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import { STATUS } from "../status.ts";
import type { CommandContext } from "../types.ts";
import { findMember, shortId } from "../who.ts";
import { offerWords } from "./notices.ts";
import { StateLine } from "./state-line.ts";

const KINDS = {
  from: "value",
  out: "value",
  json: "flag",
  list: "flag",
  allow: "value",
  refuse: "value",
  ask: "value",
} as const;

export async function runReceive(context: CommandContext): Promise<number> {
  const args = context.args.map((word) => (word === "-o" ? "--out" : word));
  const { options, operands } = parseArguments(args, KINDS);
  noOperands(operands);
  const isJson = options.json === true;
  if (options.list === true) return await list(isJson, context);
  for (const word of ["allow", "refuse", "ask"] as const) {
    const wanted = options[word];
    if (wanted !== undefined) return await answer(word, wanted, context);
  }
  const from = options.from === undefined ? undefined : peerOf(options.from, context);
  const target = options.out ?? (context.terminal.stdout === undefined ? "-" : undefined);
  return await receive(from, target, isJson, context);
}

async function receive(
  from: string | undefined,
  target: string | undefined,
  isJson: boolean,
  context: CommandContext,
): Promise<number> {
  const { computer, signal, stdout, stderr } = context;
  const line = new StateLine("receive", context);
  let info: TransferInfo;
  try {
    line.wait("waiting for somebody to send");
    info = await computer.transfer.receive({
      from,
      into: target === "-" ? stdout : undefined,
      // If a node is named, the answer is remembered.
      remember: from !== undefined,
      signal,
      onProgress: ({ state, doneBytes, totalBytes }) => {
        if (state === "interrupted") line.wait("the link broke; waiting for the sender to come back");
        else line.progress(doneBytes, totalBytes);
      },
    });
  } finally {
    line.hide();
  }
  const { inbox } = computer.transfer;
  const isInInbox = inbox.items().some(({ id }) => id === info.id);
  const told = {
    from: info.peer,
    name: info.name,
    title: info.title,
    files: info.files,
    bytes: info.totalBytes ?? info.doneBytes,
  };
  const who = `${oneLine(info.name)} (${shortId(info.peer)})`;
  const what = `${oneLine(info.title)}, ${bytesWords(told.bytes)}, from ${who}`;
  if (target === "-") {
    if (isInInbox) await toArchive(info.id, context);
    if (isJson) await stderr.print(`${JSON.stringify(told)}\n`);
    return STATUS.ok;
  }
  const missing = new Missing("receive", context, () => line.hide());
  if (target !== undefined) await toHost(info.id, target, missing, context);
  const where = target === undefined ? "in /inbox" : `in ${oneLine(target)}`;
  await stdout.print(isJson ? `${JSON.stringify(told)}\n` : `${what}, is ${where}\n`);
  await missing.sum();
  return missing.count === 0 ? STATUS.ok : STATUS.failed;
}

/** Several files as one stream: a tar. */
async function toArchive(id: string, { computer, stdout, signal }: CommandContext): Promise<void> {
  const { inbox } = computer.transfer;
  const { writeTar } = await import("../../disk/content/tar.ts");
  const entries = await inbox.entries(id);
  async function* all(): AsyncGenerator<FileEntry | FolderEntry, void, undefined> {
    for (const entry of entries) {
      const { path, sizeBytes, modifiedMs } = entry;
      if (entry.kind === "folder") yield { kind: "folder", path, modifiedMs };
      else yield { kind: "file", path, sizeBytes, modifiedMs, content: inbox.read(id, entry, { signal }) };
    }
  }
  for await (const chunk of writeTar(all())) await stdout.write(chunk);
  await inbox.remove(id);
}

/**
 * Into a directory of the user's machine. Existing files are not replaced. What could not be written stays in the
 * inbox.
 */
async function toHost(id: string, target: string, missing: Missing, context: CommandContext): Promise<void> {
  const { computer, host, signal } = context;
  const { inbox } = computer.transfer;
  const entries = await inbox.entries(id);
  const roots = new Set(entries.map(({ path }) => path.split("/")[0] ?? path));
  if (host.makeDirectory !== undefined && host.listDirectory !== undefined) {
    await host.makeDirectory(target, { signal });
    for (const { name } of await host.listDirectory(target, { signal })) {
      if (!roots.has(name)) continue;
      throw new StarfishError(
        "exists",
        `${oneLine(within(target, name))} is there already: what came is in /inbox; 'cp' copies it from there`,
      );
    }
  }
  for (const entry of entries) {
    throwIfAborted(signal);
    const trouble = entry.path
      .split("/")
      .map((name) => host.nameTrouble?.(name))
      .find((why) => why !== undefined);
    if (trouble === undefined) await writeEntry(id, entry, within(target, entry.path), context);
    else await missing.tell(`${oneLine(entry.path)}: no file can have that name here (${trouble}); it is in /inbox`);
  }
  if (missing.count === 0) await inbox.remove(id);
}

async function writeEntry(id: string, entry: InboxEntry, at: string, context: CommandContext): Promise<void> {
  const { computer, host, signal } = context;
  if (entry.kind === "folder") return await host.makeDirectory?.(at, { signal });
  await writeToHost(at, computer.transfer.inbox.read(id, entry, { signal }), context);
}

async function answer(word: "allow" | "refuse" | "ask", wanted: string, context: CommandContext): Promise<number> {
  const { computer, stdout } = context;
  const peer = peerOf(wanted, context);
  await computer.transfer.answer(peer, word === "ask" ? undefined : word);
  const said = {
    allow: "may send to you: it lands in /inbox",
    refuse: "may send you nothing",
    ask: "will be asked about",
  };
  const name = computer.net.member(peer)?.record.name ?? peer;
  await stdout.print(`${oneLine(name)} (${shortId(peer)}) ${said[word]}.\n`);
  return STATUS.ok;
}

async function list(isJson: boolean, { computer, stdout }: CommandContext): Promise<number> {
  const { transfer, net } = computer;
  const offers = transfer.offers();
  const transfers = transfer.list();
  if (isJson) {
    const answers = Object.fromEntries(transfer.answers());
    await stdout.print(`${JSON.stringify({ offers, transfers, answers })}\n`);
    return STATUS.ok;
  }
  const rows = [
    ...offers.map((offer: Offer) => ["asks", offer.name, offerWords(offer)]),
    ...transfers.map((one) => [one.direction === "out" ? `to, ${one.state}` : one.state, one.name, wordsOf(one)]),
    ...[...transfer.answers()].map(([peer, known]) => [
      known === "allow" ? "allowed" : "refused",
      net.member(peer)?.record.name ?? "somebody who left",
      shortId(peer),
    ]),
  ];
  const shown = rows.map((row) => row.map((cell) => oneLine(cell)));
  await stdout.print(shown.length === 0 ? "Nobody has sent anything yet.\n" : table(shown));
  return STATUS.ok;
}

function wordsOf({ title, files, doneBytes, totalBytes }: TransferInfo): string {
  const all = totalBytes === undefined ? "" : ` of ${bytesWords(totalBytes)}`;
  return `${title} (${count(files, "file")}), ${bytesWords(doneBytes)}${all}`;
}

function peerOf(wanted: string, { computer }: CommandContext): string {
  const { record, isSelf } = findMember(computer.net.members(), wanted);
  if (isSelf) throw new StarfishError("usage", "that is this node itself");
  return record.peer;
}
