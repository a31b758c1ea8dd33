// Puts the Node that came by npm at node_modules/.bin/node, where npm's scripts find it first. Runs after each
// installation.
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bundledNode } from "../bin/runtime.mjs";

const folder = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));

/** Returns whether there is a Node to link. */
export function linkNode() {
  const program = bundledNode();
  if (program === undefined) return false;
  mkdirSync(folder, { recursive: true });
  if (process.platform === "win32") {
    writeFileSync(join(folder, "node.cmd"), `@"${program}" %*\r\n`);
    return true;
  }
  const link = join(folder, "node");
  rmSync(link, { force: true });
  symlinkSync(relative(folder, program), link);
  // Some archives are packed without it.
  chmodSync(program, 0o755);
  return existsSync(link);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) linkNode();
