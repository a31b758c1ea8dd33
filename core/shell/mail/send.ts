/** Sending mail from the shell: its readers, its files, its text, and the progress. */
import { text as textOf, concat } from "../../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../../base/errors.ts";
import { SUBJECT_CHARS_MAX, TEXT_CHARS_MAX } from "../../io/mail/limits.ts";
import type { Correspondent, Draft, SendProgress } from "../../io/mail/types.ts";
import { abortable } from "../../ports/clock.ts";
import { baseName, hostBaseName } from "../files/paths.ts";
import { streamOf } from "../files/host-streams.ts";
import { TransferLine } from "../files/progress.ts";
import { oneLine } from "../harmless.ts";
import type { CommandContext } from "../types.ts";
import { namesOf } from "./show.ts";
import { noSuch, whoIs } from "./who.ts";

/** A longer first line is not used as the subject. */
const FIRST_LINE_CHARS_MAX = 60;
const UTF8_BYTES_A_CHAR_MAX = 4;

export interface Words {
  readonly text: string | undefined;
  readonly subject: string | undefined;
  readonly isWaiting: boolean;
}

interface Attachment {
  readonly name: string;
  readonly sizeBytes: number | undefined;
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
}

/**
 * The readers among the words: all up to the first word that means nobody; the others are files. Throws "not-found",
 * "ambiguous".
 */
export function addressed(
  operands: readonly string[],
  { computer }: CommandContext,
): { readonly to: readonly Correspondent[]; readonly rest: readonly string[] } {
  const all = computer.mail.correspondents();
  const to: Correspondent[] = [];
  for (const word of operands) {
    const found = whoIs(word, all);
    if (found === undefined) break;
    to.push(found);
  }
  const [first] = operands;
  if (to.length === 0 && first !== undefined) throw noSuch(first, all);
  return { to, rest: operands.slice(to.length) };
}

/**
 * Files of the session's trees, or of the machine if the session has a directory there. Rejects with "not-found",
 * "is-a-directory".
 */
export async function attachments(operands: readonly string[], context: CommandContext): Promise<Attachment[]> {
  const { names, host, path, signal, computer } = context;
  const found: Attachment[] = [];
  for (const operand of operands) {
    const place = path(operand);
    const entry = await names.stat(place, { signal });
    if (entry?.kind === "directory") {
      throw new StarfishError("is-a-directory", `${operand} is a directory; pack it first ('get --tar', 'tar c')`);
    }
    if (entry !== undefined) {
      const open = (): Promise<AsyncIterable<Uint8Array>> => Promise.resolve(names.read(place, { signal }));
      found.push({ name: baseName(place), sizeBytes: entry.sizeBytes, open });
      continue;
    }
    // A tab has no paths to its machine's files; picked files are in /host.
    if (host.listDirectory === undefined) throw noSuch(operand, computer.mail.correspondents());
    try {
      // Checks that the file exists before anything is sealed.
      const file = await host.openFile(operand, { signal });
      await file.close();
      const open = async (): Promise<AsyncIterable<Uint8Array>> =>
        streamOf(await host.openFile(operand, { signal }), signal);
      found.push({ name: hostBaseName(operand, host), sizeBytes: file.sizeBytes, open });
    } catch (error) {
      if (!isStarfishError(error, "not-found")) throw error;
      throw noSuch(operand, computer.mail.correspondents());
    }
  }
  return found;
}

/** The text of -m; if that is "-", or there are neither -m nor files, standard input. */
export async function letterText(
  given: string | undefined,
  hasFiles: boolean,
  context: CommandContext,
): Promise<string> {
  if (given !== undefined && given !== "-") return given;
  if (given === undefined && hasFiles) return "";
  const { stdin, terminal, stderr, signal } = context;
  if (terminal.stdin !== undefined) await stderr.print("Type the text; Ctrl-D on a line of its own ends it.\n");
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stdin) {
    throwIfAborted(signal);
    parts.push(piece.slice());
    length += piece.length;
    if (length > UTF8_BYTES_A_CHAR_MAX * TEXT_CHARS_MAX)
      throw new StarfishError("too-large", "that is too long for a mail's text; send it as a file");
  }
  return textOf(concat(parts));
}

export async function post(
  to: readonly Correspondent[],
  words: Words,
  files: readonly Attachment[],
  context: CommandContext,
  more: Pick<Draft, "inReplyTo"> = {},
): Promise<void> {
  const { computer, signal, stdout, lastWords } = context;
  const line = new TransferLine("mail", context);
  const sizes = files.map(({ sizeBytes }) => sizeBytes);
  if (sizes.every((size) => size !== undefined)) line.expect(sizes.reduce((sum, size) => sum + size, 0));
  let takenBytes = 0;
  const onProgress = (progress: SendProgress): void => {
    if (progress.file !== undefined) line.title = `mail ${oneLine(progress.file)}`;
    line.add(progress.takenBytes - takenBytes);
    takenBytes = progress.takenBytes;
  };
  const text = words.text ?? "";
  const draft: Draft = {
    to: to.map(({ address }) => address),
    subject: words.subject ?? firstLine(text),
    text,
    files: opened(files),
    ...more,
  };
  try {
    const { safe } = await computer.mail.send(draft, { signal, onProgress });
    line.hide();
    if (words.isWaiting) await waited(safe, context);
    const last = computer.mail.sent().at(-1);
    const number = last === undefined ? "" : ` It is ${last.number} in 'mail sent'.`;
    await stdout.print(`Sent to ${namesOf(to)}.${words.isWaiting ? "" : " It is being stored."}${number}\n`);
  } finally {
    line.hide();
  }

  async function waited(safe: Promise<void>, { signal: stop }: CommandContext): Promise<void> {
    const safely = new TransferLine("making it safe", context);
    try {
      await abortable(stop, safe);
    } catch (error) {
      await lastWords.print("mail: it is sent; storing it safely goes on without this command\n");
      throw error;
    } finally {
      safely.hide();
    }
  }
}

async function* opened(
  files: readonly Attachment[],
): AsyncGenerator<{ name: string; bytes: AsyncIterable<Uint8Array> }, void, undefined> {
  for (const { name, open } of files) yield { name, bytes: await open() };
}

function firstLine(text: string): string {
  const [line = ""] = text.trimStart().split("\n");
  return (line.length > FIRST_LINE_CHARS_MAX ? `${line.slice(0, FIRST_LINE_CHARS_MAX - 1)}…` : line)
    .slice(0, SUBJECT_CHARS_MAX)
    .trim();
}
