/** Programs in a tab: a worker, and files of the node that the page came from. */
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../core/base/bytes.ts";
import { messageOf, StarfishError } from "../core/base/errors.ts";
import type { ProgramPlatform } from "../core/shell/programs/session.ts";
import { fileNameOf } from "../core/shell/programs/table.ts";
import { browserPrograms } from "./programs.ts";

/** `root` is the folder of the page's files. */
export async function programFile(name: string, root: string): Promise<Uint8Array> {
  const url = new URL(`programs/${name}`, root);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new StarfishError("not-found", `${url.host} has no copy of it (${response.status})`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (error instanceof StarfishError) throw error;
    throw new StarfishError("io", `${url.host}, where this page came from, does not answer (${messageOf(error)})`, {
      cause: error,
    });
  }
}

export const tabProgramPlatform: ProgramPlatform = {
  threads: browserPrograms,
  load: (file) => programFile(fileNameOf(file), document.baseURI),
  // Also where the page has no crypto.subtle, over plain http.
  sha256: (bytes) => Promise.resolve(toHex(sha256(bytes))),
};
