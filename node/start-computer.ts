/** The computer of a Node.js node: its files, sockets and threads behind the ports. */
import { readdir, readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { bootstrapAddress } from "../browser/bootstrap.ts";
import { unsharedCores } from "../core/sandbox/core-budget.ts";
import { isStarfishError, messageOf } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";
import { createComputer } from "../core/index.ts";
import { formatInvite, parseInvite } from "../core/net/identity/invite.ts";
import { LINKS_MAX_NODE } from "../core/net/overlay/overlay.ts";
import { baseIn } from "../core/net/identity/invite-text.ts";
import type { Net, SwarmId } from "../core/net/types.ts";
import { realAge } from "../core/platform/age.ts";
import { realClock } from "../core/platform/clock.ts";
import { realRandom } from "../core/platform/random.ts";
import { reservedStore } from "../core/platform/reserved-store.ts";
import type { Log } from "../core/ports/log.ts";
import type { KeyPair } from "../core/ports/crypto.ts";
import type { Network } from "../core/ports/network.ts";
import type { ShardStore } from "../core/ports/shard-store.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import { packageRoot } from "./package-root.ts";
import { programFile } from "./program-platform.ts";
import { CodeSockets } from "./code-sockets.ts";
import { nodeCoder } from "./coder.ts";
import { nodeCrypto } from "./crypto.ts";
import { coresOffer } from "./lending.ts";
import { PageOrigins } from "./page-origins.ts";
import { Faults } from "./faults.ts";
import { nodeSandbox } from "./sandbox.ts";
import { openFileShardStore } from "./shard-store.ts";
import { freeBytesAt, storageOffer } from "./storage.ts";
import { nodeSqlEngine } from "./sql-engine.ts";
import { openFileStore } from "./store.ts";
import { nodeTransports } from "./transports.ts";

/**
 * Room for the changes that can arrive within the second before they are stored, so that they can be stored on a full
 * disk.
 */
const RESERVE_BYTES: number = 4 * 1024 * 1024;

const realPorts = { clock: realClock, crypto: nodeCrypto, random: realRandom };

export interface StartOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly server: Server;
  /** The page's address. */
  readonly url: string;
  /**
   * Whether others reach the page there although this node does not listen there (a proxy, a published port). Default:
   * no.
   */
  readonly isUrlGiven?: boolean;
  /** The names in the page's certificate. */
  readonly names?: readonly string[];
  readonly join: string | undefined;
  readonly name: string | undefined;
  readonly databaseBytesMax?: number | undefined;
  readonly cores: number | undefined;
  readonly device: string | undefined;
  /** Names the machine that it runs on. */
  readonly machineOf?: (swarm: SwarmId) => Promise<string | undefined>;
  /** Bytes offered to the swarm's files; undefined: a part of what is free. */
  readonly storageBytes: number | undefined;
  readonly log: Log;
  readonly faults?: Faults;
}

/** Rejects with "bad-invite", "bad-certificate", "io" and what else a start can fail with. */
export async function startComputer(options: StartOptions): Promise<Computer> {
  const invite = options.join && withServerAddress(options.join);
  const store = await reservedStore(await openFileStore(join(options.dataDir, "store")), {
    bytes: RESERVE_BYTES,
    log: options.log,
  });
  const shards = await openShards(join(options.dataDir, "shards"), options.storageBytes).catch(
    async (error: unknown) => {
      await store[Symbol.asyncDispose]();
      throw error;
    },
  );
  const origins = new PageOrigins(options.url, options.log, options.names);
  const codeSockets = new CodeSockets();
  const transports = nodeTransports({
    server: options.server,
    mayLink: origins.allows,
    others: codeSockets.take,
    ...(isIP(options.host) === 0 ? {} : { tcpHost: options.host }),
  });
  const published = options.isUrlGiven === true ? bootstrapAddress(new URL(options.url)) : undefined;
  // An address of one's own machine means another machine to others.
  const alsoAt =
    published === undefined || /^\/(dns4\/localhost|ip4\/127\.|ip6\/::1)/.test(published) ? [] : [published];
  const faults = options.faults ?? new Faults(options.log);
  const onFault = (error: unknown): void => faults.note("network", error);
  const network = ({ privateKey }: KeyPair): Promise<Network> =>
    createLibp2pNetwork({ privateKey, linksMax: LINKS_MAX_NODE, webrtc: false, alsoAt, onFault, ...transports });
  const cores = Math.max(availableParallelism(), options.cores ?? 1);
  const computer = await createComputer(
    {
      ...realPorts,
      store,
      network,
      shards,
      coder: nodeCoder(),
      age: realAge(realRandom),
      sandbox: nodeSandbox({ cores }),
      sqlEngine: nodeSqlEngine,
      budget: unsharedCores,
      log: options.log,
    },
    {
      kind: "node",
      device: options.device,
      host: options.machineOf,
      name: options.name,
      invite,
      found: options.join === undefined,
      coresLent: options.cores ?? coresOffer(),
      databaseBytesMax: options.databaseBytesMax,
      builtins: await builtinTasks(join(packageRoot, "dist", "tasks")),
      programFile,
      inviteBase: () => options.url,
    },
  );
  followPages(computer, origins);
  codeSockets.open(await computer.codes());
  // Nodes that stay keep the pictures of those who come and go.
  computer.people.pictures().catch((error: unknown) => {
    options.log.write("warn", "people.no-pictures", { error: messageOf(error) });
  });
  return computer;
}

/** Tabs come from the pages of all members, also of those that were known before the start. */
function followPages({ net }: Computer, origins: PageOrigins): void {
  origins.learn(knownBefore(net));
  for (const { record } of net.members()) origins.learn(record.addresses);
  net.onMember(({ member }) => origins.learn(member.record.addresses));
}

async function openShards(directory: string, storageBytes: number | undefined): Promise<ShardStore> {
  const shards = await openFileShardStore(directory, { quotaBytes: storageBytes ?? 0 });
  // Space that its own shards use counts as free.
  const offer = storageBytes ?? storageOffer((await freeBytesAt(directory)) + shards.usage().usedBytes);
  shards.setQuota(offer);
  return shards;
}

/** An invite has their addresses. Not every member may make one. */
function knownBefore(net: Net): readonly string[] {
  try {
    return parseInvite(nodeCrypto, net.invite()).addresses;
  } catch (error) {
    if (isStarfishError(error)) return [];
    throw error;
  }
}

/**
 * The invite with the server of its link as the first address to try: it takes links on the same port, and may only be
 * reachable there (a container, a proxy). Throws "bad-invite".
 */
function withServerAddress(link: string): string {
  const invite = parseInvite(nodeCrypto, link);
  const base = baseIn(link) ?? "";
  const address = URL.canParse(base) ? bootstrapAddress(new URL(base)) : undefined;
  const addresses = address === undefined ? invite.addresses : [address, ...invite.addresses];
  return formatInvite(nodeCrypto, { ...invite, addresses: [...new Set(addresses)] });
}

/** A loader for each module in the folder, by its name. */
async function builtinTasks(folder: string): Promise<Record<string, () => Promise<Uint8Array>>> {
  const files = await readdir(folder).catch(() => []);
  const modules = files.filter((file) => file.endsWith(".wasm"));
  return Object.fromEntries(
    modules.map((file) => [file.slice(0, -".wasm".length), () => readFile(join(folder, file))]),
  );
}
