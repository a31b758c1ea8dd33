/**
 * Machines on one network that can really be cut: network namespaces with a cable each into a bridge, and a second
 * bridge to plug cables over to. Between the two no packet passes, and nobody is told.
 *
 *     await using sites = await openSites(4);
 *     const node = await lab.up({ within: sites.enter(0), args: ["--host", sites.address(0)] });
 *     await sites.cut([0, 1]);
 *     await sites.heal();
 *
 * All this is in a network of its own, which a single process holds; that process ends when its input does. So nothing
 * touches the machine's network or outlives the test, however that ends. Needs Linux, `unshare` and `nsenter`
 * (util-linux), `ip` (iproute2), and root or the right to make user namespaces.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

const run = promisify(execFile);

const COMMAND_MS = 10_000;
const READY = "ready\n";
/** Users other than root need a user namespace, in which they are root. */
const isRoot = process.getuid?.() === 0;
/** The path with the folders of `ip`, which not every user's path has. */
const PATH = `${process.env["PATH"]}:/usr/sbin:/sbin`;

export interface Sites extends AsyncDisposable {
  /** The address of a site, which the others reach unless they are cut off. */
  address(site: number): string;
  /** Words that run a command at this site when they are put before it. */
  enter(site: number): readonly string[];
  /** Cuts these off from the others; among themselves both halves stay connected. */
  cut(apart: readonly number[]): Promise<void>;
  heal(): Promise<void>;
}

/** Rejects with an error that says what is missing. */
export async function openSites(count: number): Promise<Sites> {
  const sites = Array.from({ length: count }, (_, site) => site);
  const holder = await hold(script(sites));
  const privileges = isRoot ? [] : ["--user", "--preserve-credentials"];
  const inside = [`PATH=${PATH}`, "nsenter", "--target", `${holder.pid}`, ...privileges, "--net", "--mount"];
  const plug = async (site: number, bridge: number): Promise<void> => {
    const args = [...inside, "ip", "link", "set", `port${site}`, "master", `bridge${bridge}`];
    await run("env", args, { timeout: COMMAND_MS });
  };
  return {
    address,
    enter: (site) => ["env", ...inside, "ip", "netns", "exec", `site${site}`],
    async cut(apart) {
      for (const site of sites) await plug(site, apart.includes(site) ? 1 : 0);
    },
    async heal() {
      for (const site of sites) await plug(site, 0);
    },
    async [Symbol.asyncDispose]() {
      holder.kill("SIGKILL");
      if (holder.exitCode === null && holder.signalCode === null) await once(holder, "exit");
    },
  };
}

function address(site: number): string {
  return `10.77.0.${site + 1}`;
}

/** The script that builds the network. `ip` keeps its names in `/run`, which is here one that nobody else sees. */
function script(sites: readonly number[]): string {
  const site = (n: number): string[] => [
    `ip netns add site${n}`,
    `ip link add port${n} type veth peer name eth0 netns site${n}`,
    `ip link set port${n} master bridge0 up`,
    `ip -n site${n} address add ${address(n)}/24 dev eth0`,
    // An IPv6 address of the link would come a second later, and Chromium breaks off what it loads when addresses
    // change.
    `ip -n site${n} link set eth0 addrgenmode none up`,
    `ip -n site${n} link set lo up`,
  ];
  const bridge = (n: number): string[] => [`ip link add bridge${n} type bridge`, `ip link set bridge${n} up`];
  return ["set -e", "mount -t tmpfs tmpfs /run", ...[0, 1].flatMap(bridge), ...sites.flatMap(site)].join("\n");
}

/** The process that holds the network until it is killed or its input ends. */
async function hold(setUp: string): Promise<ChildProcess> {
  const privileges = isRoot ? [] : ["--user", "--map-root-user"];
  const flags = [...privileges, "--net", "--mount", "--propagation", "private"];
  const holder = spawn("unshare", [...flags, "sh", "-c", `${setUp}\nprintf '${READY}'\nexec cat`], {
    env: { ...process.env, PATH },
  });
  let said = "";
  let complaint = "";
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(
        new Error(`No network namespaces here: ${why} ${complaint}(Linux with util-linux and iproute2, as root?)`),
      );
    holder.stdout.on("data", (data: Buffer) => {
      said += String(data);
      if (said === READY) resolve();
    });
    holder.stderr.on("data", (data: Buffer) => (complaint += String(data)));
    holder.on("error", (error) => fail(error.message));
    holder.on("close", () => fail("unshare has ended."));
    setTimeout(() => fail("They are not up in time."), COMMAND_MS).unref();
  });
  try {
    await ready;
  } catch (error) {
    holder.kill("SIGKILL");
    throw error;
  }
  return holder;
}
