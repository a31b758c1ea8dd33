/** The parts of a mail that an answer, or a forwarded mail, takes over. */
import type { OpenedMail } from "../../../core/io/mail/types.ts";
import { harmless } from "../../../core/shell/harmless.ts";
import { whenWords } from "../files/words.ts";
import { whoWrote } from "./words.ts";

export function quoted(mail: OpenedMail): string {
  const lines = harmless(mail.text).trimEnd().split("\n");
  return `\n\n${whoWrote(mail)} wrote on ${whenWords(mail.sentAtMs)}:\n${lines.map((line) => `> ${line}`).join("\n")}\n`;
}

/** Without a second "Re:". */
export function answering(subject: string, sign: "Re" | "Fwd"): string {
  return new RegExp(`^${sign}:`, "i").test(subject) ? subject : `${sign}: ${subject}`;
}
