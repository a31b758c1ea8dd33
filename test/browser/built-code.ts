/** The code of the built page: which files import which. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ASSETS: string = fileURLToPath(new URL("../../dist/page/assets", import.meta.url));

export function source(file: string): string {
  return readFileSync(join(ASSETS, file), "utf8");
}

/** `file` and whatever it imports before it runs. */
export function closureOf(file: string, into: Set<string> = new Set()): Set<string> {
  if (into.has(file)) return into;
  into.add(file);
  for (const [, next = ""] of source(file).matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([\w.-]+\.js)["'`]/g)) {
    closureOf(next, into);
  }
  return into;
}
