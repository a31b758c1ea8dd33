/**
 * Starfish for programs in Node: `import { openComputer } from "starfish"`. The same node as `starfish up`, in the
 * program's own process: it holds the shared memory whole, serves the page, and lends cores if it is told to. In a page
 * the same call comes from /starfish.js (browser/open-computer.ts).
 */
import type { Computer } from "../core/computer.ts";
import { timeKnown } from "../core/net/time/known.ts";
import type { Net } from "../core/net/types.ts";
import { realClock } from "../core/platform/clock.ts";
import { withDeadline } from "../core/ports/clock.ts";
import { silentLog } from "../core/ports/log.ts";
import { openNode, type OpenNode } from "./open-node.ts";

export type { Computer } from "../core/computer.ts";
export type * from "../core/db/types.ts";

export interface StartNodeOptions {
  /**
   * Where its identity is kept: a node with the same directory is the same node again. Only one process may use it at a
   * time.
   */
  readonly dataDir: string;
  /**
   * The invite of a swarm, as a link. Without it the node returns to the swarm in which it was before, or founds one.
   */
  readonly join?: string;
  /** Default: 127.0.0.1, this machine only. */
  readonly host?: string;
  /** Default: any free port. */
  readonly port?: number;
  readonly name?: string;
  /** Cores to lend to all members' jobs. Default: none. */
  readonly cores?: number;
  /** Bytes of disk offered to the swarm's files. Default: a part of what is free. */
  readonly storageBytes?: number;
  /** How large the shared database may become on this node, in bytes of RAM and disk each. Default: 256 MiB. */
  readonly databaseBytesMax?: number;
  /** A page of your own, served at /app/ beside the node's: an HTML file, or a folder with an index.html. */
  readonly app?: string;
}

export interface OpenComputerOptions extends Omit<StartNodeOptions, "join"> {
  /** As `join`, under the name that it has in a page. */
  readonly invite?: string;
}

/** If another member is there, it answers within seconds. */
const JOIN_MS = 30_000;

/**
 * Resolves when the node runs and, with an invite, has met another member; the memory fills within moments after that.
 * Rejects with "bad-invite", "timeout" (nobody answered), "in-use" (the directory), "io" and other errors of a start.
 */
export async function startNode(options: StartNodeOptions): Promise<OpenNode> {
  const node = await open(options);
  if (options.join === undefined) return node;
  try {
    await withDeadline(realClock, JOIN_MS, "Meeting another member", () => company(node.computer.net));
    return node;
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * The computer alone, as in a page. Resolves when it can be read and written: after a second or two if others are
 * there, after ten seconds if nobody answers. `computer.net.members()` tells who can be reached. Disposing of it ends
 * the node. Rejects as `startNode` does, but never with "timeout".
 */
export async function openComputer({ invite, ...options }: OpenComputerOptions): Promise<Computer> {
  const node = await open(invite === undefined ? options : { ...options, join: invite });
  await timeKnown(node.computer.net, realClock);
  return { ...node.computer, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

function open(options: StartNodeOptions): Promise<OpenNode> {
  const { dataDir, join, host = "127.0.0.1", port = 0, name, cores = 0, storageBytes, databaseBytesMax, app } = options;
  return openNode({
    dataDir,
    join,
    host,
    port,
    name,
    cores,
    storageBytes,
    databaseBytesMax,
    app,
    url: undefined,
    device: undefined,
    log: silentLog,
  });
}

/** Resolves when another member is awake. */
async function company(net: Net): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (net.members().some(({ isSelf, status }) => !isSelf && status === "awake")) resolve();
  };
  const unsubscribe = net.onMember(look);
  look();
  await promise.finally(unsubscribe);
}
