/**
 * This tab as a node: its number among the tabs of this browser, its store, its identity, the network, and the computer
 * on top. Loaded after the terminal is on the screen, because it is most of the page's code.
 */
import { toHex } from "../core/base/bytes.ts";
import { ERROR_CODES, type ErrorCode } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";
import { createComputer } from "../core/index.ts";
import { formatInvite, type Invite } from "../core/net/identity/invite.ts";
import { LINKS_MAX_TAB } from "../core/net/overlay/overlay.ts";
import { realClock } from "../core/platform/clock.ts";
import { realAge } from "../core/platform/age.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { memoryShardStore } from "../core/platform/memory-shard-store.ts";
import { MemoryStore } from "../core/platform/memory-store.ts";
import { realRandom } from "../core/platform/random.ts";
import { reservedStore } from "../core/platform/reserved-store.ts";
import { webSha256 } from "../core/platform/sha256.ts";
import type { Log } from "../core/ports/log.ts";
import type { Address } from "../core/ports/network.ts";
import type { ShardStore } from "../core/ports/shard-store.ts";
import type { Store } from "../core/ports/store.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import { bootstrapAddress } from "./bootstrap.ts";
import { browserCoder } from "./coder.ts";
import { sharedCores } from "./core-budget.ts";
import { noteFault } from "./faults.ts";
import { machineOf } from "./machine.ts";
import { browserSandbox } from "./sandbox.ts";
import { readSetting, writeSetting } from "./settings.ts";
import { protection } from "./protection.ts";
import { claimTabIndex } from "./tab-index.ts";
import { locks } from "./tab-locks.ts";
import { TabsNearby } from "./tab-transport.ts";
import { openIndexedDbShardStore, shardQuota } from "./shard-store.ts";
import { browserSqlEngine } from "./sql-engine.ts";
import { openIndexedDbStore } from "./store.ts";
import { programFile } from "./program-platform.ts";
import { builtins } from "./tasks.ts";

const DEVICE_BYTES = 8;
/** The memory that a tab offers if the browser keeps nothing for it. */
const FORGETFUL_BYTES = 100_000_000;
/**
 * Room for what is written within the second until it is stored: a person writes little, and other nodes keep the rest.
 */
const RESERVE_BYTES: number = 1024 * 1024;

export interface TabNode {
  readonly computer: Computer;
  /** Whether nothing could be stored, so that it is a new node each time. */
  readonly forgetful: boolean;
  /** Tasks that have ended here since the start. */
  readonly tasksRun: () => number;
}

export interface TabNodeOptions {
  /** The folder of the page's files, as a URL: programs lie below it. */
  readonly root: string;
  /** Without one the tab founds a swarm. */
  readonly invite: Invite | undefined;
  /** The tab's storage was cleared, or there is no room for more. */
  readonly onStorage: (trouble: "cleared" | "full") => void;
  /** A member refused this node. */
  readonly onRefused: (code: ErrorCode, message: string) => void;
}

/** Rejects with errors for which problems.ts has words. */
export async function startTabNode(options: TabNodeOptions): Promise<TabNode> {
  // Asked for at once: it is there when the network is.
  const machine = options.invite && machineOf(options.invite.swarm, options.root);
  // Without Web Locks no tab would hear that another has gone.
  const tabs = protection() === "none" ? undefined : new TabsNearby(options.invite?.swarm);
  const index = await claimTabIndex(locks);
  const log = pageLog(options);
  const { store, forgetful } = await openStore(index, log, () => options.onStorage("cleared"));
  const shards = await openShards(index, forgetful);
  const device = await sharedDevice();
  const sandbox = browserSandbox();
  const computer = await createComputer(
    {
      network: ({ privateKey }) =>
        createLibp2pNetwork({
          privateKey,
          linksMax: LINKS_MAX_TAB,
          webrtc: true,
          ownHosts,
          onFault: noteFault,
          ...(tabs === undefined ? {} : { transports: [tabs.transport], listen: [tabs.listen] }),
        }),
      store,
      shards,
      coder: browserCoder(),
      age: realAge(realRandom),
      clock: realClock,
      crypto: realCrypto,
      random: realRandom,
      sandbox,
      sqlEngine: browserSqlEngine,
      budget: sharedCores(locks, sandbox.cores),
      log,
    },
    {
      kind: "tab",
      device,
      host: (swarm) => machine ?? machineOf(swarm, options.root),
      invite: options.invite && withPageAddress(options.invite),
      found: options.invite === undefined,
      coresLent: 0,
      builtins,
      programFile: (name) => programFile(name, options.root),
      nearby: tabs === undefined ? undefined : lastResort(tabs),
      inviteBase: () => `${location.origin}${location.pathname}`,
    },
  );
  tabs?.belong(computer.net.swarm);
  return { computer, forgetful, tasksRun: () => computer.cpu.ended };
}

/**
 * Tabs of this browser, after other ways have failed: links over the network are worth more. They are asked again each
 * time.
 */
function lastResort(tabs: TabsNearby): () => readonly Address[] {
  let isFirst = true;
  return () => {
    const addresses = isFirst ? [] : tabs.addresses();
    isFirst = false;
    tabs.ask();
    return addresses;
  };
}

/** A page can't see its machine's networks; it only knows where it came from itself. */
function ownHosts(): string[] {
  return [location.hostname.replace(/^\[|\]$/g, "")];
}

/** The invite with the node that served the page as the first address to try, because it answered a moment ago. */
function withPageAddress(invite: Invite): string {
  const address = bootstrapAddress(location);
  const addresses = address === undefined ? invite.addresses : [address, ...invite.addresses];
  return formatInvite(realCrypto, { ...invite, addresses: [...new Set(addresses)] });
}

/**
 * A private window may have no storage, or storage that fails. Then the store lasts as long as the tab. The same holds
 * for a page that came unprotected: another page in its place could read what it keeps, and without Web Locks two tabs
 * would be the same node.
 */
async function openStore(index: number, log: Log, onLost: () => void): Promise<{ store: Store; forgetful: boolean }> {
  if (protection() === "none") return { store: new MemoryStore(), forgetful: true };
  try {
    const store = await openIndexedDbStore(`starfish-${index}`, { onLost });
    return { store: await reservedStore(store, { bytes: RESERVE_BYTES, log }), forgetful: false };
  } catch {
    return { store: new MemoryStore(), forgetful: true };
  }
}

/**
 * What this tab keeps of the swarm's files. If the browser keeps nothing, it is a little, for as long as the tab is
 * there.
 */
async function openShards(index: number, forgetful: boolean): Promise<ShardStore> {
  const inMemory = (): ShardStore => memoryShardStore({ quotaBytes: FORGETFUL_BYTES, sha256: webSha256 });
  if (forgetful) return inMemory();
  try {
    return await openIndexedDbShardStore(`starfish-shards-${index}`, {
      quotaBytes: await shardQuota(navigator.storage),
    });
  } catch {
    return inMemory();
  }
}

/** The device that the tabs of this browser form. Made under a lock, so that two first tabs do not make two. */
function sharedDevice(): Promise<string> {
  return locks.request("starfish/device", {}, () => {
    const kept = readSetting("device");
    if (kept !== undefined) return kept;
    const made = `browser-${toHex(realRandom.bytes(DEVICE_BYTES))}`;
    writeSetting("device", made);
    return made;
  });
}

/** The page shows what matters; the rest is logged for the developer tools, at a level that they hide by default. */
function pageLog({ onRefused, onStorage }: TabNodeOptions): Log {
  return {
    write(level, event, fields = {}) {
      if (level !== "debug") console.debug(event, fields);
      if (event === "store.full") onStorage("full");
      // Refusing others is no concern of the person; being refused is; another version concerns both.
      if (event !== "net.refused" || (fields["by"] === "us" && fields["code"] !== "version-mismatch")) return;
      const code = ERROR_CODES.find((known) => known === fields["code"]);
      if (code !== undefined) onRefused(code, String(fields["message"]));
    },
  };
}
