/**
 * Turns the names of a mail's files into names in a directory: each different, none hidden, and none with a meaning for
 * the shell (.starfishrc), whatever the sender called them. Pure.
 */
import type { MailFile } from "../../io/mail/types.ts";
import { partOfPath } from "../namespace/view.ts";

export function fileNames(files: readonly MailFile[]): string[] {
  const taken = new Set<string>();
  return files.map(({ name }) => {
    const plain = partOfPath(name).replace(/^\.+/, "_") || "file";
    const dot = plain.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [plain.slice(0, dot), plain.slice(dot)] : [plain, ""];
    let free = plain;
    for (let i = 2; taken.has(free); i++) free = `${stem} (${i})${ending}`;
    taken.add(free);
    return free;
  });
}
