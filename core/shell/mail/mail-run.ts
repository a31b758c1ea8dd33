/** The code of mail. */
import { StarfishError } from "../../base/errors.ts";
import { SUBJECT_CHARS_MAX } from "../../io/mail/limits.ts";
import type { InboxMail, SentMail } from "../../io/mail/types.ts";
import { isOfOne } from "../files/missing.ts";
import { TransferLine } from "../files/progress.ts";
import { bytesWords, count } from "../format.ts";
import { getopt, type Options } from "../getopt.ts";
import { oneLine } from "../harmless.ts";
import { formatTime } from "../language/strftime.ts";
import { join } from "../namespace/paths.ts";
import { noMoreOperands } from "../operands.ts";
import { wholeNumber } from "../options.ts";
import { STATUS } from "../status.ts";
import type { CommandContext } from "../types.ts";
import { fileNames } from "./names.ts";
import { addressed, attachments, letterText, post } from "./send.ts";
import { inboxJson, inboxTable, openedJson, openedWords, sentJson, sentTable, whoWrote } from "./show.ts";

const NUMBER_MAX = 1e12;
const SPECS = {
  m: { long: "message", value: true },
  s: { long: "subject", value: true },
  json: {},
  "no-wait": {},
} as const;

type Verb = (operands: readonly string[], options: Options, context: CommandContext) => Promise<number>;

const VERBS: Readonly<Record<string, Verb>> = { list, read, reply, forward, rm, save, sent };

export async function runMail(context: CommandContext): Promise<number> {
  const options = getopt(context.args, SPECS);
  const [verb = "list", ...operands] = options.operands;
  const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  return run === undefined ? await write(options, context) : await run(operands, options, context);
}

async function write(options: Options, context: CommandContext): Promise<number> {
  const { to, rest } = addressed(options.operands, context);
  const files = await attachments(rest, context);
  const text = await letterText(options.value("m"), files.length > 0, context);
  await post(to, wordsOf(options, text), files, context);
  return STATUS.ok;
}

async function list(operands: readonly string[], options: Options, context: CommandContext): Promise<number> {
  noMoreOperands(operands, 0);
  const { computer, stdout, terminal } = context;
  const mails = computer.mail.inbox();
  if (options.has("json")) await stdout.print(`${JSON.stringify(mails.map(inboxJson))}\n`);
  else await stdout.print(inboxTable(mails, computer.memory.now(), terminal.stdout));
  return STATUS.ok;
}

async function read(operands: readonly string[], options: Options, context: CommandContext): Promise<number> {
  noMoreOperands(operands, 1);
  const { computer, stdout, terminal, signal } = context;
  const mail = await computer.mail.read(numbered(operands[0], context).id, { signal });
  if (options.has("json")) await stdout.print(`${JSON.stringify(openedJson(mail))}\n`);
  else await stdout.print(openedWords(mail, terminal.stdout));
  return STATUS.ok;
}

async function reply(operands: readonly string[], options: Options, context: CommandContext): Promise<number> {
  const mail = numbered(operands[0], context);
  const files = await attachments(operands.slice(1), context);
  const text = await letterText(options.value("m"), files.length > 0, context);
  const subject = options.value("s") ?? prefixed("Re", mail.subject);
  await post([mail.replyTo], { ...wordsOf(options, text), subject }, files, context, { inReplyTo: mail.id });
  return STATUS.ok;
}

async function forward(operands: readonly string[], options: Options, context: CommandContext): Promise<number> {
  const { computer, signal } = context;
  const known = numbered(operands[0], context);
  if (operands[1] === undefined) throw new StarfishError("usage", "WHO is missing");
  const { to, rest } = addressed(operands.slice(1), context);
  const own = await attachments(rest, context);
  const mail = await computer.mail.read(known.id, { signal });
  const said = options.value("m");
  const above = said === undefined ? "" : `${await letterText(said, true, context)}\n\n`;
  const when = formatTime("%F %H:%M UTC", mail.sentAtMs);
  const text = `${above}---- ${oneLine(whoWrote(mail))} wrote on ${when}: ${oneLine(mail.subject)}\n\n${mail.text}`;
  const theirs = mail.files.map(({ name, sizeBytes }, i) => ({
    name,
    sizeBytes,
    open: () => Promise.resolve(computer.mail.file(mail.id, i, { signal })),
  }));
  const subject = options.value("s") ?? prefixed("Fwd", mail.subject);
  await post(to, { ...wordsOf(options, text), subject }, [...theirs, ...own], context);
  return STATUS.ok;
}

async function rm(operands: readonly string[], _options: Options, context: CommandContext): Promise<number> {
  if (operands.length === 0) throw new StarfishError("usage", "N is missing; 'mail' lists what is here");
  for (const { id } of operands.map((operand) => numbered(operand, context))) context.computer.mail.remove(id);
  return STATUS.ok;
}

async function save(operands: readonly string[], _options: Options, context: CommandContext): Promise<number> {
  noMoreOperands(operands, 2);
  const { computer, names, path, signal, stdout, stderr } = context;
  const mail = await computer.mail.read(numbered(operands[0], context).id, { signal });
  const [, directory] = operands;
  if (directory === undefined) throw new StarfishError("usage", "DIR is missing");
  if (mail.files.length === 0) throw new StarfishError("not-found", `mail ${mail.number} has no files`);
  const place = path(directory);
  const entry = await names.stat(place, { signal });
  if (entry === undefined) await names.makeDirectory(place, { signal });
  else if (entry.kind !== "directory") throw new StarfishError("not-a-directory", `${directory} is no directory`);
  const line = new TransferLine("mail", context);
  line.expect(mail.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  let failed = 0;
  try {
    for (const [i, name] of fileNames(mail.files).entries()) {
      line.title = `mail ${name}`;
      const target = join(place, name);
      try {
        if ((await names.stat(target, { signal })) !== undefined)
          throw new StarfishError("exists", `${oneLine(target)} is there already`);
        await names.write(target, line.through(computer.mail.file(mail.id, i, { signal })), { signal });
        line.hide();
        await stdout.print(`${oneLine(target)}: ${bytesWords(mail.files[i]?.sizeBytes ?? 0)}\n`);
      } catch (error) {
        if (signal.aborted || !isOfOne(error)) throw error;
        failed++;
        line.hide();
        await stderr.print(`mail: ${oneLine(error.message)}\n`);
      }
    }
  } finally {
    line.hide();
  }
  if (failed > 0) await stderr.print(`mail: ${count(failed, "file")} not saved\n`);
  return failed > 0 ? STATUS.failed : STATUS.ok;
}

async function sent(operands: readonly string[], options: Options, context: CommandContext): Promise<number> {
  const { computer, stdout, terminal } = context;
  const [verb, ...numbers] = operands;
  if (verb !== undefined && verb !== "rm") throw new StarfishError("usage", `'${verb}' is one word too many`);
  if (verb === "rm") {
    if (numbers.length === 0) throw new StarfishError("usage", "N is missing; 'mail sent' lists what was sent");
    for (const { id } of numbers.map((operand) => sentNumbered(operand, context))) await computer.mail.forget(id);
    return STATUS.ok;
  }
  const mails = computer.mail.sent();
  if (options.has("json")) await stdout.print(`${JSON.stringify(mails.map(sentJson))}\n`);
  else await stdout.print(sentTable(mails, computer.memory.now(), terminal.stdout));
  return STATUS.ok;
}

function wordsOf(
  options: Options,
  text: string,
): { readonly text: string; readonly subject: string | undefined; readonly isWaiting: boolean } {
  return { text, subject: options.value("s"), isWaiting: !options.has("no-wait") };
}

function prefixed(prefix: string, subject: string): string {
  const isThere = subject.toLowerCase().startsWith(`${prefix.toLowerCase()}: `);
  return (isThere ? subject : `${prefix}: ${subject}`).slice(0, SUBJECT_CHARS_MAX);
}

function numbered(operand: string | undefined, { computer }: CommandContext): InboxMail {
  const wanted = numberOf(operand);
  const found = computer.mail.inbox().find(({ number }) => number === wanted);
  if (found === undefined)
    throw new StarfishError("not-found", `there is no mail ${wanted}; 'mail' lists what is here`);
  return found;
}

function sentNumbered(operand: string, { computer }: CommandContext): SentMail {
  const wanted = numberOf(operand);
  const found = computer.mail.sent().find(({ number }) => number === wanted);
  if (found === undefined)
    throw new StarfishError("not-found", `nothing was sent under ${wanted}; 'mail sent' lists it`);
  return found;
}

function numberOf(operand: string | undefined): number {
  if (operand === undefined) throw new StarfishError("usage", "N is missing; 'mail' lists what is here");
  return wholeNumber(operand, "N", 1, NUMBER_MAX);
}
