/**
 * Where a node and `starfish sh` meet: a socket that only its owner can use, in the data directory if possible. Paths
 * of sockets must be short, and a data directory may be open to others. In these cases the socket is in a new directory
 * with an unpredictable name, and `control.sock` in the data directory is a link to it.
 *
 * A client first checks that all of it belongs to its own user, because anybody could be behind another user's socket.
 */
import { createHash } from "node:crypto";
import { lstat, mkdtemp, readlink, rmdir, stat, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, StarfishError } from "../core/base/errors.ts";

/** The longest path of a Unix socket on all systems (sun_path is 104 bytes on macOS and the BSDs, 108 on Linux). */
const SOCKET_PATH_BYTES_MAX = 103;
const NAME = "control.sock";
/** Names of directories that are made for sockets begin with this. */
const PREFIX = "starfish-";

/** The permission bits with which others than the owner may change what is in a directory. */
const WRITABLE_BY_OTHERS = 0o022;
/** The permission bits with which others than the owner may do anything at all with it. */
const OPEN_TO_OTHERS = 0o077;

export interface ControlSocket extends AsyncDisposable {
  /** The path to listen on. Nothing is there. */
  readonly path: string;
}

/** For the node that owns the data directory. Removes what a dead node has left. Rejects with "io". */
export async function placeControl(
  dataDir: string,
  runtimeDir: string = process.env["XDG_RUNTIME_DIR"] ?? "",
): Promise<ControlSocket> {
  if (process.platform === "win32") return { path: pipeOf(dataDir), [Symbol.asyncDispose]: async () => {} };
  const path = join(resolve(dataDir), NAME);
  try {
    await clear(path);
    if (isShort(path) && (await isOwnAlone(dirname(path)))) {
      return { path, [Symbol.asyncDispose]: () => clear(path) };
    }
    const place = await mkdtemp(
      join(runtimeDir !== "" && (await isOwnAlone(runtimeDir)) ? runtimeDir : tmpdir(), PREFIX),
    );
    const target = join(place, NAME);
    if (!isShort(target))
      throw new Error(`${target} is too long for a socket; set XDG_RUNTIME_DIR or TMPDIR to a short path`);
    await symlink(target, path);
    return { path: target, [Symbol.asyncDispose]: () => clear(path) };
  } catch (error) {
    throw new StarfishError("io", `The control socket of ${dataDir} cannot be made: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Where to connect, whoever listens there; undefined if nothing is there. */
export async function controlPathOf(dataDir: string): Promise<string | undefined> {
  if (process.platform === "win32") return pipeOf(dataDir);
  const path = join(resolve(dataDir), NAME);
  try {
    return (await lstat(path)).isSymbolicLink() ? resolve(dirname(path), await readlink(path)) : path;
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

/**
 * The same, if it belongs to this user alone; otherwise rejects with "unreachable" and the reason. Undefined if nothing
 * is there.
 */
export async function ownControlPath(dataDir: string): Promise<string | undefined> {
  const path = await controlPathOf(dataDir);
  if (path === undefined || process.platform === "win32") return path;
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return undefined;
  const self = process.getuid?.() ?? facts.uid;
  const named = await lstat(join(resolve(dataDir), NAME));
  const other = [facts.uid, named.uid].find((uid) => uid !== self);
  if (other !== undefined) {
    throw new StarfishError(
      "unreachable",
      `The node in ${dataDir} is user ${other}'s, not yours (${self}). Talk to it as that user`,
    );
  }
  const isSafe = facts.isSocket() && (facts.mode & OPEN_TO_OTHERS) === 0 && (await isOwnAlone(dirname(path)));
  if (isSafe) return path;
  throw new StarfishError(
    "unreachable",
    `${path} is open to other users, so nobody knows who listens there. Restart the node`,
  );
}

function isShort(path: string): boolean {
  return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX;
}

/** Whether only this user and the administrator can add to the directory, or remove from it. */
export async function isOwnAlone(directory: string): Promise<boolean> {
  const facts = await stat(directory).catch(() => undefined);
  return facts?.isDirectory() === true && facts.uid === process.getuid?.() && (facts.mode & WRITABLE_BY_OTHERS) === 0;
}

/** Removes the socket; if that is a link, also the directory that was made for it. */
async function clear(path: string): Promise<void> {
  const target = await readlink(path).catch(() => undefined);
  await unlink(path).catch((error: unknown) => {
    if (!hasCode(error, "ENOENT")) throw error;
  });
  if (target === undefined || basename(target) !== NAME) return;
  const place = dirname(target);
  // Somebody may have put a link here: then neither their files nor other files of ours are removed.
  if (!basename(place).startsWith(PREFIX) || !(await isOwnAlone(place))) return;
  await unlink(target).catch(() => {});
  await rmdir(place).catch(() => {});
}

function pipeOf(dataDir: string): string {
  return `\\\\.\\pipe\\starfish-${createHash("sha256").update(resolve(dataDir)).digest("hex").slice(0, 16)}`;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
