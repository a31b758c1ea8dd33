/**
 * The machine that this process runs on, as an id that says nothing else. It is a hash over the swarm's name too, so
 * that the same machine can't be recognised in two swarms. On Linux it is made of a number that the kernel draws at
 * each boot, which all processes and containers of the machine share; elsewhere of a number that is drawn once and kept
 * for the user.
 */
import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { SwarmId } from "../core/net/types.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const ID_CHARS = 22;

/** Undefined if nothing can be read or kept; then nobody knows that two nodes share the machine. */
export async function machineId(swarm: SwarmId, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const secret = (await read(BOOT_ID)) ?? (await kept(stateFile(env)));
  if (secret === undefined) return undefined;
  return createHash("sha256").update(`starfish machine\n${swarm}\n${secret}`).digest("base64url").slice(0, ID_CHARS);
}

/** XDG Base Directory Specification. It is not in a node's data directory, because a machine may have several. */
function stateFile(env: NodeJS.ProcessEnv): string {
  const xdg = env["XDG_STATE_HOME"];
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".local", "state"), "starfish", "machine");
}

/**
 * Tells a tab on this very machine the id of the machine, by `machine?swarm=ID` beside the page. Clients that come over
 * a network or through a proxy are not told. Returns whether the request was for this.
 */
export async function answerMachine(
  request: IncomingMessage,
  response: ServerResponse,
  machineOf: (swarm: SwarmId) => Promise<string | undefined>,
): Promise<boolean> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://page");
  if (pathname !== "/machine") return false;
  const swarm = searchParams.get("swarm") ?? "";
  const isOwn = isLoopback(request.socket.remoteAddress ?? "") && isLoopback(hostOf(request.headers.host));
  const id = isOwn && request.method === "GET" && SWARM.test(swarm) ? await machineOf(swarm) : undefined;
  response
    .writeHead(id === undefined ? 404 : 200, {
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
      "Cross-Origin-Resource-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
    })
    .end(id ?? "");
  return true;
}

/** base64url of 32 bytes. */
const SWARM = /^[-\w]{43}$/;

function hostOf(header: string | undefined): string {
  const url = `http://${header}/`;
  return header !== undefined && URL.canParse(url) ? new URL(url).hostname : "";
}

function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "").replace(/^::ffff:/, "");
  return address === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

async function kept(path: string): Promise<string | undefined> {
  const before = await read(path);
  if (before !== undefined) return before;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // If two start at once, the first has made the file.
    await writeFile(path, randomUUID(), { mode: 0o600, flag: "wx" });
  } catch {
    // It exists by now, or can't be made.
  }
  return await read(path);
}

async function read(path: string): Promise<string | undefined> {
  const content = await readFile(path, "utf8").catch(() => "");
  return content.trim() || undefined;
}
