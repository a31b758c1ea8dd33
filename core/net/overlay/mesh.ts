/**
 * Decides which links to add and which to give up. The result is a random graph with degrees of DEGREE_MIN to
 * DEGREE_MAX or a few more: every node is a few steps from every other, and half of all nodes may vanish without
 * leaving it in pieces. Pure except for the random source.
 */
import type { PeerId } from "../../ports/network.ts";
import { type Random, sample } from "../../ports/random.ts";
import type { AdmittedLink } from "../links/links.ts";
import type { Member } from "../types.ts";

/**
 * With this many links or fewer, none is given up. If half of the swarm dies, at least one of six random links remains
 * in 63 of 64 cases.
 */
const DEGREE_MIN = 6;
/** With fewer links this node dials; links that others dial bring the mean to about 8. */
const DEGREE = 7;
/** Above it links are a cost without use: every one is pinged. */
const DEGREE_MAX = 9;
/** With this many others or fewer, everyone is linked to everyone. */
const COMPLETE_MAX = 12;
/** Dials at once for the mesh: each dial of a tab keeps its page busy for a moment. */
const DIALS_MAX = 4;
/** A link used within this time is in use. */
const USED_MS = 30_000;
/** A link is given this long to be of use before it may be pruned. */
const YOUNG_MS = 3_000;
const PRUNES_PER_TICK = 4;
/** A peer that refused a prune is not asked again for this long. */
const REFUSED_MS = 30_000;
/** The pause after a failed dial; it doubles with each further failure. */
const RETRY_MS_MIN = 2_000;
const RETRY_MS_MAX = 60_000;
const FAILURES_MAX = 1_024;
/**
 * How often a random link is added and a random one given up: so a graph that a cut or a crowd left lopsided evens out.
 */
const MIX_MS = 60_000;
/**
 * After the parts of a cut swarm have met, each node makes this many links to nodes that have returned, since a single
 * bridge between the parts would not be enough.
 */
const BRIDGES = 3;
const BRIDGING_MS = 30_000;
const RETURNED_MAX = 256;

export class Mesh {
  readonly #random: Random;
  readonly #linksMax: number;
  readonly #usedMs = new Map<PeerId, number>();
  readonly #sinceMs = new Map<PeerId, number>();
  readonly #refusedMs = new Map<PeerId, number>();
  readonly #failures = new Map<PeerId, { count: number; untilMs: number }>();
  #returned: PeerId[] = [];
  #returnedMs = -Infinity;
  #bridges = 0;
  #mixMs: number | undefined;

  constructor(random: Random, linksMax: number) {
    this.#random = random;
    this.#linksMax = linksMax;
  }

  linked(peer: PeerId, nowMs: number): void {
    this.#sinceMs.set(peer, nowMs);
    this.#failures.delete(peer);
  }

  unlinked(peer: PeerId): void {
    this.#sinceMs.delete(peer);
    this.#usedMs.delete(peer);
    this.#refusedMs.delete(peer);
  }

  used(peer: PeerId, nowMs: number): void {
    if (this.#sinceMs.has(peer)) this.#usedMs.set(peer, nowMs);
  }

  refused(peer: PeerId, nowMs: number): void {
    this.#refusedMs.set(peer, nowMs);
  }

  succeeded(peer: PeerId): void {
    this.#failures.delete(peer);
  }

  failed(peer: PeerId, nowMs: number): void {
    const count = (this.#failures.get(peer)?.count ?? 0) + 1;
    const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (count - 1));
    this.#failures.delete(peer);
    if (this.#failures.size >= FAILURES_MAX)
      for (const oldest of this.#failures.keys()) if (this.#failures.delete(oldest)) break;
    this.#failures.set(peer, { count, untilMs: nowMs + pauseMs * (0.5 + this.#random.real()) });
  }

  /** A member that counted as gone is back. */
  returned(peer: PeerId, nowMs: number): void {
    if (nowMs - this.#returnedMs > BRIDGING_MS) {
      this.#returned = [];
      this.#bridges = BRIDGES;
    }
    this.#returnedMs = nowMs;
    this.#failures.delete(peer);
    if (this.#returned.length < RETURNED_MAX) this.#returned.push(peer);
  }

  /** Whom to dial now, of `awake` (this node too). */
  wanted(links: readonly AdmittedLink[], awake: readonly Member[], dialling: number, nowMs: number): PeerId[] {
    const room = Math.min(DIALS_MAX - dialling, this.#linksMax - links.length);
    if (room <= 0) return [];
    const others = awake.length - 1;
    const target = others <= COMPLETE_MAX ? others : DEGREE + this.#extra(links.length, nowMs);
    if (links.length >= target && this.#bridges === 0) return [];
    const linked = new Set(links.map((link) => link.peer));
    const mayDial = (peer: PeerId): boolean => !linked.has(peer) && (this.#failures.get(peer)?.untilMs ?? 0) <= nowMs;
    const candidates = awake.flatMap(({ record, status, isSelf }) =>
      status === "awake" && !isSelf && mayDial(record.peer) ? [record.peer] : [],
    );
    const wanted = sample(this.#random, candidates, Math.max(0, Math.min(room, target - links.length)));
    if (wanted.length < room) wanted.push(...this.#bridge(mayDial, wanted, linked, links.length));
    return wanted;
  }

  /** Links to offer for pruning. */
  surplus(links: readonly AdmittedLink[], others: number, nowMs: number): AdmittedLink[] {
    if (links.length <= DEGREE_MAX || others <= COMPLETE_MAX) return [];
    const spare = links.filter(
      (link) =>
        nowMs - (this.#refusedMs.get(link.peer) ?? -Infinity) > REFUSED_MS &&
        nowMs - (this.#sinceMs.get(link.peer) ?? nowMs) > YOUNG_MS &&
        !this.#isUsed(link, links, nowMs),
    );
    return sample(this.#random, spare, Math.min(PRUNES_PER_TICK, links.length - DEGREE_MAX));
  }

  /** Whether we can do without this link, which the other end would like to close. */
  maySpare(link: AdmittedLink, links: readonly AdmittedLink[], nowMs: number): boolean {
    return links.length > DEGREE_MIN && !this.#isUsed(link, links, nowMs);
  }

  /** The link to give up when there is no room. */
  leastUsed(links: readonly AdmittedLink[]): AdmittedLink | undefined {
    let least: AdmittedLink | undefined;
    for (const link of links) {
      if (carriesOthers(link, links)) continue;
      if (least === undefined || this.#lastUse(link.peer) < this.#lastUse(least.peer)) least = link;
    }
    return least;
  }

  #lastUse(peer: PeerId): number {
    return this.#usedMs.get(peer) ?? this.#sinceMs.get(peer) ?? 0;
  }

  #isUsed(link: AdmittedLink, links: readonly AdmittedLink[], nowMs: number): boolean {
    return nowMs - (this.#usedMs.get(link.peer) ?? -Infinity) < USED_MS || carriesOthers(link, links);
  }

  #extra(degree: number, nowMs: number): number {
    this.#mixMs ??= nowMs + MIX_MS * this.#random.real();
    if (nowMs < this.#mixMs) return 0;
    this.#mixMs = nowMs + MIX_MS * (0.5 + this.#random.real());
    return Math.max(0, Math.min(DEGREE_MAX, degree + 1) - DEGREE);
  }

  #bridge(
    mayDial: (peer: PeerId) => boolean,
    wanted: readonly PeerId[],
    linked: ReadonlySet<PeerId>,
    degree: number,
  ): PeerId[] {
    if (this.#bridges === 0) return [];
    const across = this.#returned.filter((peer) => linked.has(peer)).length;
    if (across >= BRIDGES || degree > DEGREE_MAX) {
      this.#bridges = 0;
      return [];
    }
    const peers = sample(
      this.#random,
      this.#returned.filter((peer) => mayDial(peer) && !wanted.includes(peer)),
      1,
    );
    if (peers.length > 0) this.#bridges--;
    return peers;
  }
}

/** Whether the path of another link runs through this one. */
function carriesOthers(link: AdmittedLink, links: readonly AdmittedLink[]): boolean {
  return links.some((other) => other !== link && other.path().via === link.peer);
}
