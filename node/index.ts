/**
 * Starfish for programs in Node: `import { startNode } from "starfish"`. The same node as `starfish up`, in the program's own
 * process: it holds the shared memory whole, serves the page, and lends cores if it is told to.
 */
import type { Net } from "../core/net/types.ts";
import { realClock } from "../core/platform/clock.ts";
import { withDeadline } from "../core/ports/clock.ts";
import { silentLog } from "../core/ports/log.ts";
import { openNode, type OpenNode } from "./open-node.ts";

export interface StartNodeOptions {
  /** Where its identity is kept: the same directory is the same node again. One process uses it at a time. */
  readonly dataDir: string;
  /** The invite of a swarm, as a link. Without it: the swarm that it was in before, or a new one. */
  readonly join?: string;
  /** Default: 127.0.0.1, this machine only. */
  readonly host?: string;
  /** Default: any free port. */
  readonly port?: number;
  readonly name?: string;
  /** Cores to lend to everybody's jobs. Default: none. */
  readonly cores?: number;
  /** Bytes of disk offered to the swarm's files; a part of what is free if it is not said. */
  readonly storageBytes?: number;
  /** How large the shared database may become on this node, in bytes of RAM and disk each. Default: 256 MiB. */
  readonly databaseBytesMax?: number;
}

/** Another member answers within seconds where there is one. */
const JOIN_MS = 30_000;

/**
 * Resolves when the node runs and, with an invite, has met another member; the memory then fills within moments. Rejects with
 * "bad-invite", "timeout" (nobody answered), "in-use" (the directory), "io" and what else a start can fail with.
 */
export async function startNode(options: StartNodeOptions): Promise<OpenNode> {
  const { dataDir, join, host = "127.0.0.1", port = 0, name, cores = 0 } = options;
  const node = await openNode({
    dataDir,
    join,
    host,
    port,
    name,
    cores,
    storageBytes: options.storageBytes,
    databaseBytesMax: options.databaseBytesMax,
    url: undefined,
    device: undefined,
    log: silentLog,
  });
  if (join === undefined) return node;
  try {
    await withDeadline(realClock, JOIN_MS, "Meeting another member", () => company(node.computer.net));
    return node;
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
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
