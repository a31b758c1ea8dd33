/**
 * Decides which of the addresses that members tell are dialled. A member can put any address into a record, and into
 * thousands of records. Every node would then dial a host that is no member, or a service inside its own network. So an
 * address of a private network is believed only by nodes that are in such a network themselves. And a host at which no
 * member has ever answered is tried a few times, and then the more rarely the more often it has failed. Pure.
 *
 * Addresses that a person gives (in an invite) are always dialled, and show which networks can be reached.
 */
import type { Multiaddr } from "@multiformats/multiaddr";
import { placeOf } from "./addresses.ts";

/** Hosts that are remembered; those that were not heard of for longest are forgotten first. */
const HOSTS_MAX = 4_096;
/** This many failures have no effect yet: the node may have just started, or changed its port. */
const FREE_FAILURES = 4;
/** After these a pause of this length, doubled with each further failure. */
const PAUSE_MS = 4_000;
const PAUSE_MS_MAX = 600_000;
/** The longest pause for a host where members have answered, so that the end of a cut is noticed in time. */
const PROVEN_PAUSE_MS_MAX = 1_000;
/** Dials at once to a host at which nobody has answered yet. */
const UNPROVEN_DIALS_MAX = 4;

interface Host {
  failures: number;
  failedMs: number;
  dials: number;
  isProven: boolean;
}

/** Private networks, of which there are many, each with the same addresses. */
type Network = "loopback" | "link" | "10" | "172" | "192" | "carrier" | "fc" | "public";

export class Reach {
  readonly #own: () => readonly string[];
  readonly #announced: () => readonly string[];
  readonly #hosts = new Map<string, Host>();
  readonly #reached = new Set<Network>();

  /**
   * `own`: IP addresses of this machine's interfaces, or the host that its page came from. `announced`: the addresses
   * told to others.
   */
  constructor(own: () => readonly string[], announced: () => readonly string[]) {
    this.#own = own;
    this.#announced = announced;
  }

  /** Whether to dial this address, which a member has told. */
  allows(address: Multiaddr, nowMs: number): boolean {
    const place = placeOf(address);
    if (!this.#isBelieved(networkOf(place))) return false;
    const host = this.#hosts.get(keyOf(place));
    if (host === undefined) return true;
    if (!host.isProven && host.dials >= UNPROVEN_DIALS_MAX) return false;
    return nowMs - host.failedMs >= pauseMs(host);
  }

  /** A dial begins. Tell the returned function how it ended; undefined means that it was given up before. */
  begin(address: Multiaddr, nowMs: () => number): (isReached: boolean | undefined) => void {
    const place = placeOf(address);
    const host = this.#hostAt(keyOf(place));
    host.dials++;
    return (isReached) => {
      host.dials--;
      if (isReached === true) {
        host.failures = 0;
        host.isProven = true;
        this.#reached.add(networkOf(place));
      } else if (isReached === false) {
        host.failures++;
        host.failedMs = nowMs();
      }
    };
  }

  #hostAt(key: string): Host {
    const known = this.#hosts.get(key);
    const host = known ?? { failures: 0, failedMs: -Infinity, dials: 0, isProven: false };
    // Moved to the end of the map's order, as the host that was heard of last.
    this.#hosts.delete(key);
    this.#hosts.set(key, host);
    const [oldest] = this.#hosts.keys();
    if (oldest !== undefined && this.#hosts.size > HOSTS_MAX) this.#hosts.delete(oldest);
    return host;
  }

  #isBelieved(network: Network): boolean {
    if (network === "public" || this.#reached.has(network)) return true;
    // Every machine has a loopback. Only a node that can't be reached from elsewhere has its swarm there.
    if (network === "loopback") {
      const announced = this.#announced();
      if (announced.length > 0) return announced.every((place) => networkOf(place) === "loopback");
      return this.#own().some((place) => networkOf(place) === "loopback");
    }
    return this.#own().some((place) => networkOf(place) === network);
  }
}

function pauseMs({ failures, isProven }: Host): number {
  if (failures < FREE_FAILURES) return 0;
  return Math.min(
    isProven ? PROVEN_PAUSE_MS_MAX : PAUSE_MS_MAX,
    PAUSE_MS * 2 ** Math.min(20, failures - FREE_FAILURES),
  );
}

/** Hosts of one IPv6 network count as one, because whoever has one of its addresses has all of them. */
function keyOf(place: string): string {
  return place.includes(":") ? expanded(place).slice(0, 4).join(":") : place.toLowerCase();
}

/** The network that a host belongs to. Names count as public, except those that by definition mean this machine. */
function networkOf(place: string): Network {
  if (/^(localhost|.*\.localhost)\.?$/i.test(place)) return "loopback";
  return place.includes(":") ? networkOf6(place) : networkOf4(place);
}

function networkOf4(place: string): Network {
  const [a = 0, b = 0, ...rest] = place.split(".").map(Number);
  if (rest.length !== 2 || [a, b, ...rest].some((byte) => !Number.isInteger(byte))) return "public";
  if (a === 127 || a === 0) return "loopback";
  if (a === 10) return "10";
  if (a === 172 && b >= 16 && b < 32) return "172";
  if (a === 192 && b === 168) return "192";
  if (a === 169 && b === 254) return "link";
  if (a === 100 && b >= 64 && b < 128) return "carrier";
  return "public";
}

function networkOf6(place: string): Network {
  const mapped = /:(\d+\.\d+\.\d+\.\d+)$/.exec(place)?.[1];
  if (mapped !== undefined) return networkOf4(mapped);
  const groups = expanded(place).map((group) => Number.parseInt(group, 16));
  const [first = 0] = groups;
  if (groups.slice(0, 5).every((group) => group === 0)) {
    const [high = 0, low = 0] = groups.slice(6);
    if (groups[5] === 0xffff) return networkOf4([high >> 8, high & 255, low >> 8, low & 255].join("."));
    if (high === 0 && low <= 1) return "loopback";
  }
  if ((first & 0xfe00) === 0xfc00) return "fc";
  return (first & 0xffc0) === 0xfe80 ? "link" : "public";
}

/** The eight groups of an IPv6 address. */
function expanded(place: string): string[] {
  const [head = "", tail] = (place.split("%")[0] ?? "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array.from({ length: missing }, () => "0"), ...right];
}
