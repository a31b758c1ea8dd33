/**
 * Broadcast over the present links. A body is pushed at once along the branches of one spanning tree, which all writers
 * share (way.ts); its id is told over the other, lazy links a moment later. A node that hears an id without its body
 * asks for the body. The link on which it asked then carries bodies for a while, until they come by the tree again: so
 * a body that a branch withholds, by fault or on purpose, goes around that branch. Lazy links and asking are Plumtree's
 * (Leitão, Pereira and Rodrigues, "Epidemic Broadcast Trees", SRDS 2007). Plumtree's own tree, which prunes links that
 * bring a body twice, falls to pieces when several nodes write at once.
 *
 * Pure: frames and moments in, frames out (`take`). Promises that each body is offered to `admit` at most once while it
 * is remembered, and reaches every node that a path of links leads to. Assumes `nowMs` never goes back.
 */
import { type Bytes, utf8 } from "../../base/bytes.ts";
import type { PeerId } from "../../ports/network.ts";
import { idText, packIds, type TreeFrame, unpackIds } from "./wire.ts";
import { Ways } from "./way.ts";

/** The owner's verdict on a body: spread it, keep it (it is no news, or too old to spread), or count it as a fault. */
export type Verdict = "spread" | "keep" | "fault";

/** Bodies are remembered by id this long; far longer than any of them travels. */
const SEEN_MS = 120_000;
const SEEN_MAX = 16_384;
/** How long bodies are kept for nodes that ask for them: as long as a link may be silent before it is given up. */
const KEPT_MS = 30_000;
const KEPT_BYTES_MAX: number = 4 * 1024 * 1024;
/** An id is told no sooner than this after its body came: by then the tree has brought it to nearly all. */
const LAZY_MS = 300;
/**
 * How often a node tells ids, over one lazy link at a time. This is the cost of gossip beyond the bodies: 25 nodes tell
 * seven times a second, whatever is written. A node that lacks a body hears of it from all of its neighbours in turn.
 */
const TELL_MS = 3_500;
/** Ids are sent with every tick if a neighbour has asked for a body within this many ms. */
const TROUBLED_MS = 30_000;
/** How long a body may take to come by the tree after its id came by another way. */
const GRAFT_MS = 100;
/** Asked again after this time: the answer may be on its way behind much else. */
const AGAIN_MS = 1_000;
/**
 * After this many peers were asked (the first of them again, if need be), a body is given up. Membership and the map
 * repair what is missing then.
 */
const GRAFTS_MAX = 4;
const MISSING_MAX = 1_024;
const SOURCES_MAX = 4;
/** A link on which somebody has asked for a body carries bodies until this long after it last brought one first. */
const EXTRA_MS = 30_000;
/**
 * If bodies arrive twice, such a link still carries bodies if it brought one first within this time: the tree may be
 * slow, or lack only this part.
 */
const FIRST_MS = 3_000;
/** Ids that wait for one link. */
const HAVE_MAX = 2_048;
/** Bytes of bodies that wait for one link. Beyond it, only ids are sent. */
const QUEUE_BYTES_MAX: number = 256 * 1024;
/** Bodies of one frame: with the rest they stay below the largest message of a part. */
const FRAME_BYTES_MAX: number = 48 * 1024;

interface PeerState {
  bodies: Uint8Array[];
  bytes: number;
  /** Ids to tell, with when each body came; the oldest first. */
  readonly have: Map<string, number>;
  /** When ids were last told, and whether they shall be told at once. */
  toldMs: number;
  tellsNow: boolean;
  graft: string[] | undefined;
  prune: boolean;
  way: boolean;
  /** Until when it carries bodies though it is no branch, and when it last brought one first. */
  extraUntilMs: number;
  firstMs: number;
  /** Ids of bodies that this node asked the peer for. If one of them comes twice, that is no reason to prune. */
  readonly asked: Set<string>;
}

interface CachedBody {
  readonly body: Uint8Array;
  readonly sinceMs: number;
  /** The body came over a lazy link and was not pushed. It is pushed if it comes along the tree, too. */
  isLazy: boolean;
}

interface Missing {
  dueMs: number;
  grafts: number;
  readonly sources: PeerId[];
}

export interface TreeOptions {
  readonly self: PeerId;
  readonly sha256: (bytes: Bytes) => Uint8Array;
}

export class GossipTree {
  readonly #idOf: (body: Bytes) => string;
  readonly #ways: Ways;
  readonly #peers = new Map<PeerId, PeerState>();
  /** When each id was first seen; the oldest first. */
  readonly #seen = new Map<string, number>();
  readonly #kept = new Map<string, CachedBody>();
  #keptBytes = 0;
  readonly #missing = new Map<string, Missing>();
  #askMs = Infinity;
  /** Peers for which more than ids waits. */
  readonly #urgent = new Set<PeerId>();
  #floodUntilMs = 0;
  /** When ids were last sent over a lazy link, and when a body was last asked for, by this node or from it. */
  #toldMs = -Infinity;
  #graftedMs = -Infinity;
  #nowMs = 0;

  constructor({ self, sha256 }: TreeOptions) {
    this.#idOf = (body) => idText(sha256(body));
    this.#ways = new Ways(self, (peer) => idText(sha256(utf8(peer))));
  }

  linkUp(peer: PeerId, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#peers.set(peer, newPeer(nowMs));
    this.#urgent.add(peer);
    this.#changed(this.#ways.linkUp(peer, nowMs));
  }

  linkDown(peer: PeerId, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#peers.delete(peer);
    this.#urgent.delete(peer);
    this.#changed(this.#ways.linkDown(peer, nowMs));
  }

  /** Nothing comes over the link any more, or something does again. A silent link is no branch. */
  linkSilent(peer: PeerId, isSilent: boolean, nowMs: number): void {
    const state = this.#peers.get(peer);
    if (state === undefined || this.#ways.isSilent(peer) === isSilent) return;
    this.#nowMs = nowMs;
    this.#changed(this.#ways.setSilent(peer, isSilent, nowMs));
    // Neither side has heard what the other said meanwhile, so everything that is kept is announced again.
    if (!isSilent) this.#announce(peer, state);
  }

  /**
   * Makes every link eager for some time. After a great loss the tree is in pieces, and the news of that moment
   * matters.
   */
  flood(untilMs: number): void {
    this.#floodUntilMs = Math.max(this.#floodUntilMs, untilMs);
  }

  /** Spreads a body of our own. `lazily` when most others are likely to have it: they ask if they don't. */
  publish(body: Uint8Array, nowMs: number, options: { readonly lazily?: boolean } = {}): void {
    this.#nowMs = nowMs;
    const id = this.#idOf(body);
    if (this.#seen.has(id)) return;
    this.#remember(id, nowMs);
    this.#spread(id, body, [], options.lazily ?? false);
  }

  /** Takes in a frame of a peer. `admit` is called with each new body, and decides what is done with it. */
  receive(peer: PeerId, frame: TreeFrame, nowMs: number, admit: (body: Uint8Array) => Verdict): void {
    const state = this.#peers.get(peer);
    if (state === undefined) return;
    this.#nowMs = nowMs;
    this.linkSilent(peer, false, nowMs);
    if (frame.way !== undefined) this.#changed(this.#ways.told(peer, unpackIds(frame.way), nowMs));
    if (frame.prune === true) state.extraUntilMs = 0;
    for (const body of frame.bodies ?? []) this.#body(peer, state, body, admit);
    if (frame.have !== undefined) for (const id of unpackIds(frame.have)) this.#offered(peer, state, id);
    if (frame.graft !== undefined) this.#grafted(peer, state, frame.graft);
  }

  /** Asks for what is overdue and forgets what is old. Call it at `dueMs`, and at least once a second. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#changed(this.#ways.tick(nowMs));
    if (nowMs >= this.#askMs) {
      this.#askMs = Infinity;
      for (const [id, missing] of this.#missing) {
        if (missing.dueMs <= nowMs) this.#ask(id, missing);
        if (this.#missing.has(id)) this.#askMs = Math.min(this.#askMs, missing.dueMs);
      }
    }
    for (const [id, sinceMs] of this.#seen) {
      if (nowMs - sinceMs < SEEN_MS) break;
      this.#seen.delete(id);
    }
    for (const [id, kept] of this.#kept) {
      if (nowMs - kept.sinceMs < KEPT_MS) break;
      this.#drop(id, kept);
    }
  }

  /** When it wants a tick, if that is soon. */
  get dueMs(): number {
    return Math.min(this.#askMs, this.#ways.dueMs);
  }

  /** Peers for which more than ids waits. */
  get urgent(): ReadonlySet<PeerId> {
    return this.#urgent;
  }

  /**
   * The peer to which ids are to be sent now, if any: the one whose ids have waited longest. Ids are also added to
   * whatever is sent.
   */
  lazy(nowMs: number): PeerId | undefined {
    const pauseMs = nowMs - this.#graftedMs < TROUBLED_MS ? 0 : TELL_MS;
    if (nowMs - this.#toldMs < pauseMs) return undefined;
    let longest: { readonly peer: PeerId; readonly toldMs: number } | undefined;
    for (const [peer, state] of this.#peers) {
      if (this.#ways.isSilent(peer) || !hasOlder(state, nowMs - LAZY_MS)) continue;
      if (state.toldMs < (longest?.toldMs ?? Infinity)) longest = { peer, toldMs: state.toldMs };
    }
    if (longest !== undefined) this.#toldMs = nowMs;
    return longest?.peer;
  }

  /** The next frame for a peer, or undefined if nothing waits. What does not fit stays for another. */
  take(peer: PeerId, nowMs: number): TreeFrame | undefined {
    const state = this.#peers.get(peer);
    if (state === undefined) return undefined;
    this.#nowMs = nowMs;
    const { graft, prune } = state;
    const before = state.bytes;
    const bodies = takeBodies(state);
    // A body larger than a frame's usual share goes without ids, which can wait.
    const have = before - state.bytes > FRAME_BYTES_MAX ? [] : this.#takeHave(state, nowMs);
    // The way is sent along with ids, which are rare: so a way that got lost is told again.
    const way = state.way || have.length > 0 ? packIds(this.#ways.way) : undefined;
    if (way !== undefined) state.toldMs = nowMs;
    state.graft = undefined;
    state.prune = false;
    state.way = false;
    if (state.bodies.length === 0) this.#urgent.delete(peer);
    if (bodies.length === 0 && way === undefined && graft === undefined && !prune) return undefined;
    return {
      ...(bodies.length > 0 && { bodies }),
      ...(have.length > 0 && { have: packIds(have) }),
      ...(graft !== undefined && { graft: packIds(graft) }),
      ...(prune && { prune }),
      ...(way !== undefined && { way }),
    };
  }

  /** The peers to which bodies are pushed, for measurements. */
  eager(): PeerId[] {
    return [...this.#peers].flatMap(([peer, state]) => (this.#isEager(peer, state) ? [peer] : []));
  }

  #isEager(peer: PeerId, state: PeerState): boolean {
    if (this.#ways.isSilent(peer)) return false;
    return this.#ways.isBranch(peer) || this.#nowMs < Math.max(state.extraUntilMs, this.#floodUntilMs);
  }

  #changed(hasChanged: boolean): void {
    if (!hasChanged) return;
    for (const [peer, state] of this.#peers) {
      state.way = true;
      this.#urgent.add(peer);
    }
  }

  #body(peer: PeerId, state: PeerState, body: Uint8Array, admit: (body: Uint8Array) => Verdict): void {
    const id = this.#idOf(body);
    const wasAsked = state.asked.delete(id);
    state.have.delete(id);
    if (this.#seen.has(id)) {
      if (!wasAsked && !this.#pushed(id, peer)) this.#twice(peer, state);
      return;
    }
    const holders = this.#missing.get(id)?.sources ?? [];
    this.#remember(id, this.#nowMs);
    const verdict = admit(body);
    if (verdict === "fault") return;
    if (this.#nowMs < state.extraUntilMs) {
      state.extraUntilMs = this.#nowMs + EXTRA_MS;
      if (!wasAsked) state.firstMs = this.#nowMs;
    }
    if (verdict === "spread") this.#spread(id, body, [peer, ...holders], false);
  }

  /**
   * The tree has brought a body that had come over a lazy link before: nodes behind this one on the tree wait for it.
   */
  #pushed(id: string, from: PeerId): boolean {
    const kept = this.#kept.get(id);
    if (kept?.isLazy !== true) return false;
    kept.isLazy = false;
    for (const [peer, state] of this.#peers) if (peer !== from) this.#push(id, kept.body, peer, state);
    return true;
  }

  /** A body has come that was here already: if the link is no branch, it need not carry bodies any more. */
  #twice(peer: PeerId, state: PeerState): void {
    if (state.extraUntilMs <= this.#nowMs || this.#nowMs < this.#floodUntilMs || this.#ways.isBranch(peer)) return;
    if (this.#nowMs - state.firstMs < FIRST_MS) return;
    state.extraUntilMs = 0;
    state.prune = true;
    this.#urgent.add(peer);
  }

  #spread(id: string, body: Uint8Array, holders: readonly PeerId[], lazily: boolean): void {
    this.#keep(id, body, lazily);
    for (const [peer, state] of this.#peers) {
      if (holders.includes(peer) || (!lazily && this.#push(id, body, peer, state))) continue;
      if (state.have.size < HAVE_MAX) state.have.set(id, this.#nowMs);
    }
  }

  #push(id: string, body: Uint8Array, peer: PeerId, state: PeerState): boolean {
    if (!this.#isEager(peer, state) || state.bytes + body.length > QUEUE_BYTES_MAX) return false;
    state.have.delete(id);
    state.bodies.push(body);
    state.bytes += body.length;
    this.#urgent.add(peer);
    return true;
  }

  #offered(peer: PeerId, state: PeerState, id: string): void {
    state.have.delete(id);
    if (this.#seen.has(id)) return;
    const missing = this.#missing.get(id);
    if (missing === undefined) {
      if (this.#missing.size >= MISSING_MAX) return;
      const dueMs = this.#nowMs + GRAFT_MS;
      this.#missing.set(id, { dueMs, grafts: 0, sources: [peer] });
      this.#askMs = Math.min(this.#askMs, dueMs);
    } else if (missing.sources.length < SOURCES_MAX && !missing.sources.includes(peer)) {
      missing.sources.push(peer);
    }
  }

  #ask(id: string, missing: Missing): void {
    for (;;) {
      const peer = missing.sources.shift();
      if (peer === undefined || missing.grafts >= GRAFTS_MAX) {
        this.#missing.delete(id);
        return;
      }
      const state = this.#peers.get(peer);
      if (state === undefined) continue;
      state.extraUntilMs = this.#nowMs + EXTRA_MS;
      (state.graft ??= []).push(id);
      this.#urgent.add(peer);
      if (state.asked.size >= MISSING_MAX) state.asked.clear();
      state.asked.add(id);
      missing.grafts++;
      this.#graftedMs = this.#nowMs;
      missing.dueMs = this.#nowMs + AGAIN_MS;
      missing.sources.push(peer);
      return;
    }
  }

  #grafted(peer: PeerId, state: PeerState, ids: Uint8Array): void {
    state.extraUntilMs = this.#nowMs + EXTRA_MS;
    this.#graftedMs = this.#nowMs;
    for (const id of unpackIds(ids)) {
      const kept = this.#kept.get(id);
      if (kept === undefined || state.bytes + kept.body.length > QUEUE_BYTES_MAX) continue;
      state.have.delete(id);
      state.bodies.push(kept.body);
      state.bytes += kept.body.length;
      this.#urgent.add(peer);
    }
  }

  /** Tells a peer soon of all that is kept. */
  #announce(peer: PeerId, state: PeerState): void {
    for (const [id, kept] of this.#kept) {
      if (state.have.size >= HAVE_MAX) break;
      state.have.set(id, kept.sinceMs);
    }
    if (state.have.size === 0) return;
    state.tellsNow = true;
    this.#urgent.add(peer);
  }

  #takeHave(state: PeerState, nowMs: number): string[] {
    const untilMs = state.tellsNow ? nowMs : nowMs - LAZY_MS;
    const ids: string[] = [];
    for (const [id, sinceMs] of state.have) if (sinceMs <= untilMs) ids.push(id);
    for (const id of ids) state.have.delete(id);
    state.tellsNow = false;
    return ids;
  }

  #remember(id: string, nowMs: number): void {
    this.#missing.delete(id);
    if (this.#seen.size >= SEEN_MAX) for (const oldest of this.#seen.keys()) if (this.#seen.delete(oldest)) break;
    this.#seen.set(id, nowMs);
  }

  #keep(id: string, body: Uint8Array, isLazy: boolean): void {
    this.#kept.set(id, { body, sinceMs: this.#nowMs, isLazy });
    this.#keptBytes += body.length;
    for (const [oldest, kept] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) break;
      this.#drop(oldest, kept);
    }
  }

  #drop(id: string, kept: CachedBody): void {
    this.#kept.delete(id);
    this.#keptBytes -= kept.body.length;
  }
}

function newPeer(nowMs: number): PeerState {
  return {
    bodies: [],
    bytes: 0,
    have: new Map(),
    toldMs: nowMs,
    tellsNow: false,
    graft: undefined,
    prune: false,
    way: true,
    extraUntilMs: 0,
    firstMs: -Infinity,
    asked: new Set(),
  };
}

function hasOlder({ have }: PeerState, untilMs: number): boolean {
  for (const sinceMs of have.values()) return sinceMs <= untilMs;
  return false;
}

function takeBodies(state: PeerState): Uint8Array[] {
  let bytes = 0;
  let count = 0;
  for (const body of state.bodies) {
    if (count > 0 && bytes + body.length > FRAME_BYTES_MAX) break;
    bytes += body.length;
    count++;
  }
  state.bytes -= bytes;
  return state.bodies.splice(0, count);
}
