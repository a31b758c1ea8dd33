/**
 * A node's directory: its store, its lock and the socket by which `starfish sh` talks to it. One process owns it at a
 * time; the lock of a process that has died is taken over.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, StarfishError } from "../core/base/errors.ts";
import { controlPathOf } from "./control-path.ts";

/** Where a node's data is by default (XDG Base Directory Specification). */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  const named = env["STARFISH_DATA"];
  if (named !== undefined && named !== "") return resolve(named);
  const xdg = env["XDG_DATA_HOME"];
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".local", "share"), "starfish");
}

/** Makes the directory, readable by its owner only, and claims it. Rejects with "in-use" or "io". */
export async function claimDataDir(dataDir: string): Promise<AsyncDisposable> {
  try {
    await makeDirectory(resolve(dataDir));
    const lock = await claim(dataDir);
    return { [Symbol.asyncDispose]: () => unlink(lock).catch(ignoreMissing) };
  } catch (error) {
    if (error instanceof StarfishError) throw error;
    throw new StarfishError("io", `The data directory ${dataDir} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * As `mkdir -p`. Node's own `recursive` never ends if a file system answers ENOENT to every mkdir, as Linux's /proc
 * does.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, "EEXIST") && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (!hasCode(error, "ENOENT") || (await isThere(parent))) throw error;
    await makeDirectory(parent);
    await makeDirectory(path);
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

interface Owner {
  readonly pid: number;
  /** When that process started, if the system tells it. A process with a reused number has another one. */
  readonly started: string;
}

/** Two processes that start at the same moment both withdraw, and try again after different times. */
const ATTEMPTS = 3;
const PAUSE_MS_MAX = 100;
const LOCK_NAME = /^lock\./;
/** The owner is in the file's name, for which even a full disk has room. Earlier versions wrote it into the file. */
const OWNER_IN_NAME = /^lock\.[-0-9a-f]+\.([-\w]+)$/;

/**
 * Each claimant first makes a file of its own and then looks for others. Of two claimants at least one sees the other,
 * so there are never two owners. Whoever sees files of dead processes removes them, which can harm nobody.
 */
async function claim(dataDir: string): Promise<string> {
  const own: Owner = { pid: process.pid, started: (await startOf(process.pid)) ?? "" };
  for (let attempt = 1; ; attempt++) {
    const lock = join(dataDir, `lock.${randomUUID()}.${Buffer.from(JSON.stringify(own)).toString("base64url")}`);
    await writeFile(lock, "", { mode: 0o600, flag: "wx" });
    const other = await otherOwner(dataDir, lock);
    if (other === undefined) return lock;
    await unlink(lock);
    if (attempt === ATTEMPTS) throw inUse(dataDir, other);
    await sleep(Math.random() * PAUSE_MS_MAX);
  }
}

function inUse(dataDir: string, other: Owner | "unseen"): StarfishError {
  const who = other === "unseen" ? "" : ` (process ${other.pid})`;
  return new StarfishError(
    "in-use",
    `Another Starfish node${who} is running in ${dataDir}. Talk to it with 'starfish sh --data ${dataDir}', or start this one with another --data`,
  );
}

/** A living owner beside `lock`; "unseen" if only its socket answers, as from another container on one volume. */
async function otherOwner(dataDir: string, lock: string): Promise<Owner | "unseen" | undefined> {
  for (const name of await readdir(dataDir)) {
    const path = join(dataDir, name);
    if (!LOCK_NAME.test(name) || path === lock) continue;
    const owner = await readOwner(path);
    if (owner !== undefined && (await isAlive(owner))) return owner;
    if (owner !== undefined) await unlink(path).catch(ignoreMissing);
  }
  const control = await controlPathOf(dataDir);
  return control !== undefined && (await answers(control)) ? "unseen" : undefined;
}

/** Undefined for a file that is gone or not complete yet; a claimant that is still writing it will see ours. */
async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const [, inName] = OWNER_IN_NAME.exec(basename(path)) ?? [];
    const text = inName === undefined ? await readFile(path, "utf8") : Buffer.from(inName, "base64url").toString();
    const owner: unknown = JSON.parse(text);
    if (typeof owner !== "object" || owner === null || !("pid" in owner) || typeof owner.pid !== "number")
      return undefined;
    return { pid: owner.pid, started: "started" in owner && typeof owner.started === "string" ? owner.started : "" };
  } catch {
    return undefined;
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.unref().once("connect", () => socket.destroy());
  });
}

async function isAlive({ pid, started }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return hasCode(error, "EPERM");
  }
  const now = await startOf(pid);
  return now === undefined || started === "" || now === started;
}

/** The start time of a process in clock ticks since boot (proc(5), field 22 of stat), and the boot. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    const afterName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return `${boot.trim()}/${afterName[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function ignoreMissing(error: unknown): void {
  if (!hasCode(error, "ENOENT")) throw error;
}
