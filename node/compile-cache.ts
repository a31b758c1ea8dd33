/**
 * Keeps what Node compiles, so that the next process starts with half the work: `starfish sh` takes 0.18 s of processor
 * time instead of 0.37, and `starfish up` 1.0 instead of 1.8. Node heeds its own variables first: NODE_COMPILE_CACHE names
 * another directory, NODE_DISABLE_COMPILE_CACHE=1 turns it off.
 *
 * What lies there is run as code, so it has to be this user's alone; where it is not, nothing is kept and nothing said.
 */
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isOwnAlone } from "./control-path.ts";

/** Where the compiled code is kept if nobody says otherwise (XDG Base Directory Specification). */
export function compileCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const xdg = env["XDG_CACHE_HOME"];
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "starfish", "compiled");
}

/** For the modules that are imported after this resolves. Says whether what is compiled is kept in `directory`. */
export async function keepCompiled(directory: string = compileCacheDir()): Promise<boolean> {
  // There the owner of a directory cannot be told.
  if (process.platform === "win32") return false;
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch(() => {});
  // Who may change the directory above may put another in its place.
  if (!(await isOwnAlone(directory)) || !(await isOwnAlone(dirname(directory)))) return false;
  return enableCompileCache(directory).directory !== undefined;
}
