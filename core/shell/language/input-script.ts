/**
 * A script on standard input. It is read line by line, and a command runs as soon as it is complete. So the commands
 * can read what follows them, as in any shell.
 */
import { isIncomplete } from "./syntax.ts";
import { decodeText } from "./bytes.ts";
import type { Descriptor } from "./descriptor.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { SCRIPT_CHARS_MAX } from "./limits.ts";
import { concat } from "../../base/bytes.ts";
import { abortable } from "../../ports/clock.ts";

/** Resolves to the status of the last command. Throws what ends a script. */
export async function runInput(input: Descriptor, frame: Frame): Promise<number> {
  let status = 0;
  let pending = "";
  let line = 1;
  for (let next = await readLine(input, frame); next !== undefined; next = await readLine(input, frame)) {
    // An empty line is no command, so `$?` stays.
    if (pending === "" && /^[ \t]*(?:#.*)?\n?$/.test(next)) {
      line++;
      continue;
    }
    pending += next;
    if (pending.length > SCRIPT_CHARS_MAX)
      throw new ShellFault(`a command has at most ${SCRIPT_CHARS_MAX} characters`, { isFatal: true, status: 2 });
    if (isIncomplete(pending.replace(/\n$/, ""))) continue;
    status = await frame.interpreter.runText(pending, frame, { firstLine: line });
    line += lineBreaks(pending);
    pending = "";
  }
  return pending === "" ? status : await frame.interpreter.runText(pending, frame, { firstLine: line });
}

function lineBreaks(text: string): number {
  return text.split("\n").length - 1;
}

/** With its line break, if it has one; undefined at the end. The bytes after it are not read. */
async function readLine(input: Descriptor, { signal }: Frame): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const piece = await abortable(signal, input.read());
    if (piece === undefined) return parts.length === 0 ? undefined : decodeText(concat(parts));
    const end = piece.indexOf(0x0a);
    if (end < 0) {
      parts.push(piece);
      continue;
    }
    parts.push(piece.subarray(0, end + 1));
    input.unread(piece.subarray(end + 1));
    return decodeText(concat(parts));
  }
}
