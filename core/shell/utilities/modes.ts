/** Permissions of files, as `ls -l` prints and `chmod` reads them. Pure. */
import { StarfishError } from "../../base/errors.ts";
import type { EntryKind } from "../namespace/tree.ts";

/** "-rw-r--r--" */
export function modeWords(kind: EntryKind, mode: number): string {
  const letters = Array.from("rwxrwxrwx")
    .map((letter, i) => ((mode >> (8 - i)) & 1 ? letter : "-"))
    .join("");
  return (kind === "directory" ? "d" : kind === "device" ? "c" : "-") + letters;
}

/** "755", "u+x,go-w": the mode that `mode` becomes. Throws "usage". */
export function changedMode(text: string, mode: number, isDirectory: boolean): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let result = mode;
  for (const clause of text.split(",")) {
    const match = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(clause);
    if (match === null) throw new StarfishError("usage", `invalid mode: '${text}'`);
    const who = match[1] === "" || match[1]?.includes("a") === true ? "ugo" : (match[1] ?? "");
    for (const [, operator = "", letters = ""] of (match[2] ?? "").matchAll(/([-+=])([rwxXst]*)/g)) {
      for (const [i, one] of Array.from("ugo").entries()) {
        if (!who.includes(one)) continue;
        const shift = 6 - 3 * i;
        const mayRun = letters.includes("x") || (letters.includes("X") && (isDirectory || (result & 0o111) !== 0));
        const bits = (letters.includes("r") ? 4 : 0) | (letters.includes("w") ? 2 : 0) | (mayRun ? 1 : 0);
        const now = (result >> shift) & 7;
        const next = operator === "+" ? now | bits : operator === "-" ? now & ~bits : bits;
        result = (result & ~(7 << shift)) | (next << shift);
      }
    }
  }
  return result;
}
