/** The directory of this program's own files: the checkout, or the installed package. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { assert } from "../core/base/assert.ts";

/**
 * The nearest directory above this file that has a package.json: two levels up from the sources, three from what is
 * built.
 */
export const packageRoot: string = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
  }
  throw new Error(`No package.json above ${from}`);
}

export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  assert(typeof manifest === "object" && manifest !== null && "version" in manifest, "package.json has a version");
  return String(manifest.version);
}
