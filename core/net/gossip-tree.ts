/**
 * Broadcast over the links there are, after Plumtree (Leitão, Pereira and Rodrigues, "Epidemic Broadcast Trees", SRDS
 * 2007): a body is pushed at once along eager links, which prune themselves to a tree, and its id is told over the other,
 * lazy ones. Who hears of an id whose body does not come asks for it, which makes that link eager and mends the tree.
 *
 * Pure: frames and moments in, frames out (`take`). Promises that each body is offered to `admit` at most once while it
 * is remembered, and reaches every node that a path of links leads to. Assumes `nowMs` never goes back.
 */
import type { Bytes } from "../base/bytes.ts";
import type { PeerId } from "../ports/network.ts";
import type { TreeFrame } from "./gossip-wire.ts";

/** What the owner makes of a body: spread it, keep it to itself (no news, or too old to spread), or it is a fault. */
export type Verdict = "spread" | "keep" | "fault";

/** Bytes of an id on the wire: nobody finds a second body for a given id, and accidents are out of reach. */
export const ID_BYTES = 8;
/** Bodies are remembered by id this long; far longer than any of them travels. */
const SEEN_MS = 120_000;
const SEEN_MAX = 16_384;
/** Bodies are kept for those that ask. Ids are told within a second, and asked for within another few. */
const KEPT_MS = 30_000;
const KEPT_BYTES_MAX: number = 4 * 1024 * 1024;
/** How long a body may take to come by the tree after its id came by another way. */
const GRAFT_MS = 200;
/** Asked this many peers (the first of them again, if need be), a body is given up; membership and map repair the rest. */
const GRAFTS_MAX = 4;
const MISSING_MAX = 1_024;
const SOURCES_MAX = 4;
/** Ids that wait for one link. */
const HAVE_MAX = 2_048;
/** Bodies that wait for one link; above it ids must do. */
const QUEUE_BYTES_MAX: number = 256 * 1024;
/** Bodies of one frame: with the rest they stay below the largest message of a part. */
const FRAME_BYTES_MAX: number = 48 * 1024;

interface PeerState {
  eager: boolean;
  bodies: Uint8Array[];
  bytes: number;
  have: string[];
  graft: string[] | undefined;
  prune: boolean;
  /** Ids that we asked this peer for: their coming twice is our doing, and no reason to prune. */
  readonly asked: Set<string>;
}

interface Kept {
  readonly body: Uint8Array;
  readonly sinceMs: number;
}

interface Missing {
  dueMs: number;
  grafts: number;
  readonly sources: PeerId[];
}

export class GossipTree {
  readonly #idOf: (body: Bytes) => string;
  readonly #peers = new Map<PeerId, PeerState>();
  /** When each id was first seen; the oldest first. */
  readonly #seen = new Map<string, number>();
  readonly #kept = new Map<string, Kept>();
  #keptBytes = 0;
  readonly #missing = new Map<string, Missing>();
  /** Peers for which more than ids waits. */
  readonly #urgent = new Set<PeerId>();
  #floodUntilMs = 0;

  /** `idOf` is `idText` of a hash of the body. */
  constructor(idOf: (body: Bytes) => string) {
    this.#idOf = idOf;
  }

  linkUp(peer: PeerId): void {
    this.#peers.set(peer, newPeer());
  }

  linkDown(peer: PeerId): void {
    const state = this.#peers.get(peer);
    if (state === undefined) return;
    this.#peers.delete(peer);
    this.#urgent.delete(peer);
    if (state.eager) this.#mend();
  }

  /** The link is up but silent: it carries no branch of the tree until it is heard again. */
  linkSilent(peer: PeerId): void {
    const state = this.#peers.get(peer);
    if (state === undefined || !state.eager) return;
    state.eager = false;
    this.#mend();
  }

  /** For some time every link is eager: after a great loss the tree is in pieces, and what is said then matters. */
  flood(untilMs: number): void {
    this.#floodUntilMs = Math.max(this.#floodUntilMs, untilMs);
  }

  /** Spreads a body of our own. `lazily` when most others are likely to have it: they ask if they don't. */
  publish(body: Uint8Array, nowMs: number, options: { readonly lazily?: boolean } = {}): void {
    const id = this.#idOf(body);
    if (this.#seen.has(id)) return;
    this.#remember(id, nowMs);
    this.#spread(id, body, undefined, nowMs, options.lazily ?? false);
  }

  /** Takes in what a peer sent. `admit` is asked about each new body, and says what becomes of it. */
  receive(peer: PeerId, frame: TreeFrame, nowMs: number, admit: (body: Uint8Array) => Verdict): void {
    const state = this.#peers.get(peer);
    if (state === undefined) return;
    if (frame.prune === true) state.eager = false;
    for (const body of frame.bodies ?? []) this.#body(peer, state, body, nowMs, admit);
    if (frame.have !== undefined) for (const id of unpack(frame.have)) this.#offered(peer, id, nowMs);
    if (frame.graft !== undefined) this.#grafted(peer, state, frame.graft);
  }

  /** Asks for what is overdue and forgets what is old. Call it at least once a second. */
  tick(nowMs: number): void {
    for (const [id, missing] of this.#missing) {
      if (missing.dueMs <= nowMs) this.#ask(id, missing, nowMs);
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

  /** Peers for which more than ids waits. */
  get urgent(): ReadonlySet<PeerId> {
    return this.#urgent;
  }

  /** The next frame for a peer, or undefined if nothing waits. What does not fit stays for another. */
  take(peer: PeerId): TreeFrame | undefined {
    const state = this.#peers.get(peer);
    if (state === undefined) return undefined;
    const { graft, prune } = state;
    if (state.bodies.length === 0 && state.have.length === 0 && graft === undefined && !prune) return undefined;
    const before = state.bytes;
    const bodies = takeBodies(state);
    // A body larger than a frame's usual share goes without ids, which can wait.
    const have = before - state.bytes > FRAME_BYTES_MAX ? [] : state.have;
    if (have === state.have) state.have = [];
    state.graft = undefined;
    state.prune = false;
    if (state.bodies.length === 0) this.#urgent.delete(peer);
    return {
      ...(bodies.length > 0 && { bodies }),
      ...(have.length > 0 && { have: pack(have) }),
      ...(graft !== undefined && { graft: pack(graft) }),
      ...(prune && { prune }),
    };
  }

  /** Eager links, for measurements. */
  eager(): number {
    let count = 0;
    for (const state of this.#peers.values()) if (state.eager) count++;
    return count;
  }

  #body(peer: PeerId, state: PeerState, body: Uint8Array, nowMs: number, admit: (body: Uint8Array) => Verdict): void {
    const id = this.#idOf(body);
    const wasAsked = state.asked.delete(id);
    if (this.#seen.has(id)) {
      if (state.eager && !wasAsked && nowMs >= this.#floodUntilMs) {
        state.eager = false;
        state.prune = true;
        this.#urgent.add(peer);
      }
      return;
    }
    this.#remember(id, nowMs);
    const verdict = admit(body);
    if (verdict === "fault") return;
    state.eager = true;
    if (verdict === "spread") this.#spread(id, body, peer, nowMs, false);
  }

  #spread(id: string, body: Uint8Array, from: PeerId | undefined, nowMs: number, lazily: boolean): void {
    this.#keep(id, body, nowMs);
    const isFlood = nowMs < this.#floodUntilMs;
    for (const [peer, state] of this.#peers) {
      if (peer === from) continue;
      const isEager = (state.eager || isFlood) && !lazily && state.bytes + body.length <= QUEUE_BYTES_MAX;
      if (isEager) {
        state.bodies.push(body);
        state.bytes += body.length;
        this.#urgent.add(peer);
      } else if (state.have.length < HAVE_MAX) {
        state.have.push(id);
      }
    }
  }

  #offered(peer: PeerId, id: string, nowMs: number): void {
    if (this.#seen.has(id)) return;
    const missing = this.#missing.get(id);
    if (missing === undefined) {
      if (this.#missing.size < MISSING_MAX) {
        this.#missing.set(id, { dueMs: nowMs + GRAFT_MS, grafts: 0, sources: [peer] });
      }
    } else if (missing.sources.length < SOURCES_MAX && !missing.sources.includes(peer)) {
      missing.sources.push(peer);
    }
  }

  #ask(id: string, missing: Missing, nowMs: number): void {
    for (;;) {
      const peer = missing.sources.shift();
      if (peer === undefined || missing.grafts >= GRAFTS_MAX) {
        this.#missing.delete(id);
        return;
      }
      const state = this.#peers.get(peer);
      if (state === undefined) continue;
      state.eager = true;
      (state.graft ??= []).push(id);
      this.#urgent.add(peer);
      if (state.asked.size >= MISSING_MAX) state.asked.clear();
      state.asked.add(id);
      missing.grafts++;
      // Asked again after a while: the answer may be on its way behind much else.
      missing.dueMs = nowMs + 5 * GRAFT_MS;
      missing.sources.push(peer);
      return;
    }
  }

  #grafted(peer: PeerId, state: PeerState, ids: Uint8Array): void {
    state.eager = true;
    for (const id of unpack(ids)) {
      const kept = this.#kept.get(id);
      if (kept === undefined || state.bytes + kept.body.length > QUEUE_BYTES_MAX) continue;
      state.bodies.push(kept.body);
      state.bytes += kept.body.length;
      this.#urgent.add(peer);
    }
  }

  /** A branch is gone: another link takes its place before anything is missed. */
  #mend(): void {
    for (const [peer, state] of this.#peers) {
      if (state.eager) continue;
      state.eager = true;
      state.graft ??= [];
      this.#urgent.add(peer);
      return;
    }
  }

  #remember(id: string, nowMs: number): void {
    this.#missing.delete(id);
    if (this.#seen.size >= SEEN_MAX) for (const oldest of this.#seen.keys()) if (this.#seen.delete(oldest)) break;
    this.#seen.set(id, nowMs);
  }

  #keep(id: string, body: Uint8Array, nowMs: number): void {
    this.#kept.set(id, { body, sinceMs: nowMs });
    this.#keptBytes += body.length;
    for (const [oldest, kept] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) break;
      this.#drop(oldest, kept);
    }
  }

  #drop(id: string, kept: Kept): void {
    this.#kept.delete(id);
    this.#keptBytes -= kept.body.length;
  }
}

function newPeer(): PeerState {
  return { eager: true, bodies: [], bytes: 0, have: [], graft: undefined, prune: false, asked: new Set() };
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

/** An id as a string of ID_BYTES characters from U+0000 to U+00FF: a key that is cheap to make and to compare. */
export function idText(bytes: Uint8Array, at: number = 0): string {
  let id = "";
  for (let i = 0; i < ID_BYTES; i++) id += String.fromCharCode(bytes[at + i] ?? 0);
  return id;
}

function pack(ids: readonly string[]): Uint8Array {
  const packed = new Uint8Array(ids.length * ID_BYTES);
  ids.forEach((id, n) => {
    for (let i = 0; i < ID_BYTES; i++) packed[n * ID_BYTES + i] = id.charCodeAt(i);
  });
  return packed;
}

function unpack(packed: Uint8Array): string[] {
  const ids: string[] = [];
  for (let at = 0; at + ID_BYTES <= packed.length; at += ID_BYTES) ids.push(idText(packed, at));
  return ids;
}
