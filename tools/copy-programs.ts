/**
 * Copies the programs of the shell from their packages to where pages and nodes get them, dist/page/programs. Each has to be
 * the one whose hash the table names.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileNameOf, programFiles } from "../core/shell/programs/table.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "dist", "page", "programs");
mkdirSync(folder, { recursive: true });
for (const file of programFiles) {
  const bytes = readFileSync(join(root, "node_modules", file.package, "wasm", file.name));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== file.sha256)
    throw new Error(`${file.package}: ${file.name} has the hash ${sha256}, not ${file.sha256}`);
  writeFileSync(join(folder, fileNameOf(file)), bytes);
}
