/** Programs in Node.js: threads of this process, files of the built package. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, StarfishError } from "../core/base/errors.ts";
import type { ProgramPlatform } from "../core/shell/programs/session.ts";
import { fileNameOf } from "../core/shell/programs/table.ts";
import { packageRoot } from "./package-root.ts";
import { nodePrograms } from "./programs.ts";

const FOLDER = join(packageRoot, "dist", "page", "programs");

export async function programFile(name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(FOLDER, name));
  } catch (error) {
    throw new StarfishError("not-found", `this node has no copy of it (${messageOf(error)})`, { cause: error });
  }
}

export const nodeProgramPlatform: ProgramPlatform = {
  threads: nodePrograms,
  load: (file) => programFile(fileNameOf(file)),
  sha256: (bytes) => Promise.resolve(createHash("sha256").update(bytes).digest("hex")),
};
