/**
 * Compresses the files of the built page, because a node would need seconds of processor time to do so when its first
 * visitor comes. The programs of the shell (30 MB) are not compressed here but by the nodes that are asked for one,
 * since most nodes never are.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compressFile } from "../node/page.ts";

const folder = fileURLToPath(new URL("../dist/page", import.meta.url));
const entries = await readdir(folder, { recursive: true, withFileTypes: true });
const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith("programs"));
await Promise.all(files.map(({ parentPath, name }) => compressFile(join(parentPath, name))));
