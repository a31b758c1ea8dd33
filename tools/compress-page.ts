/**
 * Compresses the files of the built page: a node would take seconds of processor time when its first visitor asks. The
 * programs of the shell are left to the nodes that are asked for one: they are 33 MB, of which most nodes serve nothing.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compressFile } from "../node/page.ts";

const folder = fileURLToPath(new URL("../dist/page", import.meta.url));
const entries = await readdir(folder, { recursive: true, withFileTypes: true });
const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith("programs"));
await Promise.all(files.map(({ parentPath, name }) => compressFile(join(parentPath, name))));
