/**
 * Keeps compiled code, so that the next process starts with half the work: `starfish sh` takes 0.18 s of processor time
 * instead of 0.37, and `starfish up` 1.0 instead of 1.8. Node's own variables take precedence: NODE_COMPILE_CACHE names
 * another directory, and NODE_DISABLE_COMPILE_CACHE=1 turns it off.
 *
 * The directory's contents are run as code, so only this user may be able to write there. If that is not so, nothing is
 * kept, without a message.
 */
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isOwnAlone } from "./control-path.ts";

/** Where the compiled code is kept by default (XDG Base Directory Specification). */
export function compileCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const xdg = env["XDG_CACHE_HOME"];
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "starfish", "compiled");
}

/** For modules that are imported after this resolves. Returns whether compiled code is kept in `directory`. */
export async function keepCompiled(directory: string = compileCacheDir()): Promise<boolean> {
  // On Windows the owner of a directory can't be told.
  if (process.platform === "win32") return false;
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch(() => {});
  // Whoever can change the directory above could replace this one.
  if (!(await isOwnAlone(directory)) || !(await isOwnAlone(dirname(directory)))) return false;
  return enableCompileCache(directory).directory !== undefined;
}
