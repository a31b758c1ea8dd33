/**
 * Which links of a node are branches of the one spanning tree that all broadcasts take. Every node tells its neighbours
 * its way: the nodes from the tree's root to itself. The root is the node with the smallest name that a way leads to; a
 * node's parent is the neighbour with the shortest way from that root. This is path-vector routing, as BGP does it
 * (RFC 4271), with a single destination, for which the nodes vote by name as bridges do (IEEE 802.1D).
 *
 * Promises that, once ways have been told, branches and links between nodes with different roots connect all nodes that
 * links connect; a change is told in a few hops. Writers have no influence on it: two that write at once cannot prune
 * two links of one circle, which is how the tree of Plumtree comes to pieces.
 *
 * Pure. Ways that others tell may be lies: at worst a branch leads to somebody who passes nothing on. Broadcasts then
 * come by the lazy links (tree.ts), which do not depend on ways.
 */
import type { PeerId } from "../../ports/network.ts";

/** Nodes of a way. Random links make ways of three to six; a chain of nodes in a small swarm is longer. */
export const WAY_MAX = 64;
/**
 * After a way was lost, a way to the same root that is longer by more than this is not believed for a while: it may
 * lead through the lost link, and its teller may not know that yet. Without this bound nodes would look for a root that
 * is gone along ever longer ways (count to infinity).
 */
const HOLD_MS = 300;
const DETOUR_MAX = 1;
/** New ways that a neighbour may tell at once, and each second: more than a swarm in turmoil has, few for a liar. */
const CHANGES_BURST = 20;
const CHANGES_PER_SECOND = 2;

interface Neighbour {
  readonly name: string;
  /** From the root to the neighbour; undefined until it is told. */
  way: readonly string[] | undefined;
  /** A way that was told too soon after others; it is taken in with the next tick. */
  pending: readonly string[] | undefined;
  isSilent: boolean;
  allowance: number;
  allowedAtMs: number;
}

interface Hold {
  readonly root: string;
  readonly lengthMax: number;
  readonly without: Set<string>;
  readonly untilMs: number;
}

export class Ways {
  readonly #self: string;
  readonly #nameOf: (peer: PeerId) => string;
  readonly #neighbours = new Map<PeerId, Neighbour>();
  #parent: PeerId | undefined;
  /** From the root to this node's parent; empty if this node is the root. */
  #way: readonly string[] = [];
  #hold: Hold | undefined;

  /** `nameOf` gives names of one length, the same on every node. */
  constructor(self: PeerId, nameOf: (peer: PeerId) => string) {
    this.#self = nameOf(self);
    this.#nameOf = nameOf;
  }

  /** The nodes from the root to this node's parent, which is what neighbours are told. */
  get way(): readonly string[] {
    return this.#way;
  }

  /** When it wants a tick at the latest. */
  get dueMs(): number {
    return this.#hold?.untilMs ?? Infinity;
  }

  // Each of these returns whether the way of this node has changed.

  linkUp(peer: PeerId, nowMs: number): boolean {
    this.#neighbours.set(peer, {
      name: this.#nameOf(peer),
      way: undefined,
      pending: undefined,
      isSilent: false,
      allowance: CHANGES_BURST,
      allowedAtMs: nowMs,
    });
    return false;
  }

  linkDown(peer: PeerId, nowMs: number): boolean {
    const neighbour = this.#neighbours.get(peer);
    this.#neighbours.delete(peer);
    return neighbour !== undefined && this.#lost(peer, neighbour, nowMs);
  }

  /** Whether something still comes over the link. */
  setSilent(peer: PeerId, isSilent: boolean, nowMs: number): boolean {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour === undefined || neighbour.isSilent === isSilent) return false;
    neighbour.isSilent = isSilent;
    return isSilent ? this.#lost(peer, neighbour, nowMs) : this.#choose(nowMs);
  }

  /** A neighbour's way: from the root to its parent. */
  told(peer: PeerId, way: readonly string[], nowMs: number): boolean {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour === undefined) return false;
    if (neighbour.pending === undefined && isSame(neighbour.way, way, neighbour.name)) return false;
    neighbour.pending = way;
    return this.#takeIn(peer, neighbour, nowMs);
  }

  tick(nowMs: number): boolean {
    let hasChanged = false;
    for (const [peer, neighbour] of this.#neighbours) {
      if (neighbour.pending !== undefined && this.#takeIn(peer, neighbour, nowMs)) hasChanged = true;
    }
    if (this.#hold === undefined || nowMs < this.#hold.untilMs) return hasChanged;
    this.#hold = undefined;
    return this.#choose(nowMs) || hasChanged;
  }

  /** Whether the link to the neighbour is a branch: to the parent, to a child, or to another tree. */
  isBranch(peer: PeerId): boolean {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour === undefined || neighbour.isSilent) return false;
    const { way } = neighbour;
    return peer === this.#parent || way === undefined || way[0] !== this.#root() || way[way.length - 2] === this.#self;
  }

  isSilent(peer: PeerId): boolean {
    return this.#neighbours.get(peer)?.isSilent ?? true;
  }

  #root(): string {
    return this.#way[0] ?? this.#self;
  }

  #takeIn(peer: PeerId, neighbour: Neighbour, nowMs: number): boolean {
    const gained = ((nowMs - neighbour.allowedAtMs) / 1_000) * CHANGES_PER_SECOND;
    neighbour.allowance = Math.min(CHANGES_BURST, neighbour.allowance + gained);
    neighbour.allowedAtMs = nowMs;
    if (neighbour.allowance < 1 || neighbour.pending === undefined) return false;
    neighbour.allowance--;
    neighbour.way = [...neighbour.pending, neighbour.name];
    neighbour.pending = undefined;
    const isWorse = (neighbour.way[0] ?? "") > this.#root() || !this.#isUsable(neighbour, nowMs);
    // The neighbour itself is there; what lies beyond it is not.
    return peer === this.#parent && isWorse ? this.#lost(peer, { ...neighbour, name: "" }, nowMs) : this.#choose(nowMs);
  }

  #lost(peer: PeerId, { name }: Neighbour, nowMs: number): boolean {
    if (peer !== this.#parent) return false;
    this.#parent = undefined;
    // Most likely it is the link to the root that is lost. Every way to the root contains the root's name, so no way is
    // excluded for that name.
    const without = name === this.#root() ? "" : name;
    if (this.#hold?.root === this.#root() && nowMs < this.#hold.untilMs) this.#hold.without.add(without);
    else {
      const lengthMax = this.#way.length + DETOUR_MAX;
      this.#hold = { root: this.#root(), lengthMax, without: new Set([without]), untilMs: nowMs + HOLD_MS };
    }
    return this.#choose(nowMs);
  }

  /** Finds the parent anew. */
  #choose(nowMs: number): boolean {
    const current = this.#parent === undefined ? undefined : this.#neighbours.get(this.#parent);
    let parent = current !== undefined && this.#isUsable(current, nowMs) ? this.#parent : undefined;
    let best = parent === undefined ? undefined : current?.way;
    for (const [peer, neighbour] of this.#neighbours) {
      const { way } = neighbour;
      if (way === undefined || !this.#isUsable(neighbour, nowMs) || !isBetter(way, best ?? [this.#self])) continue;
      best = way;
      parent = peer;
    }
    this.#parent = parent;
    const before = this.#way;
    this.#way = best ?? [];
    return before.length !== this.#way.length || before.some((name, i) => name !== this.#way[i]);
  }

  #isUsable({ way, isSilent }: Neighbour, nowMs: number): boolean {
    const root = way?.[0];
    if (way === undefined || root === undefined || isSilent || root > this.#self) return false;
    if (way.length > WAY_MAX || way.includes(this.#self)) return false;
    const hold = this.#hold;
    if (hold === undefined || nowMs >= hold.untilMs || root !== hold.root) return true;
    return way.length <= hold.lengthMax && !way.some((name) => hold.without.has(name));
  }
}

/** To a root of smaller name, or in fewer steps. */
function isBetter(way: readonly string[], than: readonly string[]): boolean {
  const [root = "", other = ""] = [way[0], than[0]];
  return root < other || (root === other && way.length < than.length);
}

function isSame(known: readonly string[] | undefined, way: readonly string[], name: string): boolean {
  return (
    known !== undefined &&
    known.length === way.length + 1 &&
    known[way.length] === name &&
    way.every((step, i) => step === known[i])
  );
}
