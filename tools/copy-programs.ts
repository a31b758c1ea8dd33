/**
 * Copies the programs of the shell and the engines of scripts from their packages to dist/page/programs, where pages
 * and nodes get them. Fails if a hash differs from the one in the table.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { engineFile, ENGINES } from "../core/sandbox/languages/engines.ts";
import { fileNameOf, programFiles } from "../core/shell/programs/table.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "dist", "page", "programs");
mkdirSync(folder, { recursive: true });
for (const file of programFiles) copy(join(file.package, "wasm", file.name), file.sha256, fileNameOf(file));
for (const engine of Object.values(ENGINES)) copy(join(engine.package, engine.file), engine.sha256, engineFile(engine));

function copy(from: string, expected: string, name: string): void {
  const bytes = readFileSync(join(root, "node_modules", from));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== expected) throw new Error(`${from} has the hash ${sha256}, not ${expected}`);
  writeFileSync(join(folder, name), bytes);
}
