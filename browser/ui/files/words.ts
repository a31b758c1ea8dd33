/** The words for files on the page: names on one line, times by the person's own clock, safety in a word. */
import type { FileInfo, Safety } from "../../../core/disk/types.ts";
import { baseName } from "../../../core/shell/files/paths.ts";
import { isOnOneMachine, type Standing } from "../../../core/shell/files/words.ts";
import { bytesWords } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/mem/value.ts";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** Today's times with hour and minute, others as a date. */
export function whenWords(ms: number): string {
  const isToday = new Date(ms).toDateString() === new Date().toDateString();
  return (isToday ? clock : day).format(ms);
}

export function nameOf({ path }: Pick<FileInfo, "path">): string {
  return oneLine(baseName(path));
}

/** A mark, so that colour is not needed, and a word. */
const SAFETY_SHORT: Readonly<Record<Safety, string>> = {
  safe: "● safe",
  here: "◇ this device only",
  placing: "◐ placing",
  lost: "✕ out of reach",
};

/** "● safe"; several nodes on one machine do not survive its loss. */
export function safetyShort(standing: Standing): string {
  if (standing.safety === "safe" && isOnOneMachine(standing)) return "◇ one computer";
  return SAFETY_SHORT[standing.safety];
}

/** Without needless digits: "2 GB". */
export function shortBytes(bytes: number): string {
  return bytesWords(bytes).replace(/\.0+ /, " ");
}
