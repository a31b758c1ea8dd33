/**
 * The table of all members. Pure: records, suspicions and moments in, changes out through `onChange`.
 *
 * Of two records of one member the higher incarnation wins, whatever was believed of the lower one; at the same
 * incarnation a death that was declared stands. A suspicion ends in death unless the suspect outlives it with a higher
 * incarnation; the more members share a suspicion, the shorter it runs (Dadgar, Phillips and Currey, "Lifeguard", DSN-W
 * 2018). The gone stay for a day, so that the halves of a swarm that was cut find each other again.
 */
import type { PeerId } from "../../ports/network.ts";
import type { SignedRecord } from "./record.ts";
import { mixRow, packRows, type Row, type ShortId, unpackRows } from "./rows.ts";
import { type Ghost, Room } from "./room.ts";
import type { Member, MemberChange, MemberRecord, MemberStatus } from "../types.ts";

export interface Entry {
  readonly id: ShortId;
  readonly signed: SignedRecord;
  /** Replaced with every change, so that a holder of it sees a single moment. */
  readonly member: Member;
  readonly suspicion: Suspicion | undefined;
  /** When the record that counts came. */
  readonly freshMs: number;
  readonly goneMs: number | undefined;
  /** Declared dead by a node that was alone, which can't tell its own isolation from everyone else's death. */
  readonly isDoubtful: boolean;
  /** Set while it has only been told of by others. */
  readonly ghost: Ghost | undefined;
}

/** How a record came: over whose link. */
export interface Source {
  readonly from: PeerId;
  readonly state: MemberRecord["state"];
}

interface Suspicion {
  readonly sinceMs: number;
  /** Members that share it. */
  readonly by: Set<ShortId>;
}

type Slot = { -readonly [K in keyof Entry]: Entry[K] } & {
  /** It has been linked to this node, or told its record itself. */
  isHeard: boolean;
  wasAwake: boolean;
  /** Suspicions that it has outlived, as of that moment. */
  outlived: { readonly count: number; readonly atMs: number };
};

/** The difference between two tables. */
export interface Comparison {
  /** Records that the other table lacks. */
  readonly records: readonly SignedRecord[];
  /** Records that this table lacks. */
  readonly want: readonly ShortId[];
  /** Members that are alive in the other table and gone in this one. */
  readonly gone: readonly Row[];
}

/** How long a suspicion runs that nobody shares, and the shortest time of one that many share. */
export const SUSPICION_MS_MAX = 3_000;
export const SUSPICION_MS_MIN = 1_500;
/** This many members beyond the first make a suspicion run for the shortest time. */
const CONFIRMATIONS = 3;
/**
 * A member that has lately outlived more suspicions than a cut and its heal bring is being accused on purpose. Further
 * suspicions of it run longer, up to this many times, so that its answer can come by slow ways too. Outlived suspicions
 * count half after each half-life.
 */
const OUTLIVED_HALF_LIFE_MS = 20_000;
const OUTLIVED_USUAL = 2;
const PATIENCE_MAX = 4;
/** How long the gone are remembered, and how many of them: 4,000 records are 3 MB. */
const GONE_MS: number = 24 * 3_600_000;
const GONE_MAX = 4_000;
/**
 * How many members for which there was no room are remembered, and for how long: until then their records are not asked
 * for again.
 */
const REFUSED_MAX = 8_192;
const REFUSED_MS: number = 10 * 60_000;

/**
 * Stands for the reporter of members that came themselves and are not linked any more: together they have one share.
 */
const ITSELF = "";

export class MemberTable {
  readonly #self: PeerId;
  readonly #shortId: (peer: PeerId) => ShortId;
  readonly #onChange: (change: MemberChange) => void;
  readonly #byPeer = new Map<PeerId, Slot>();
  readonly #byId = new Map<ShortId, Slot>();
  readonly #suspects = new Set<Slot>();
  /** The oldest first. */
  readonly #gone = new Set<Slot>();
  readonly #room = new Room();
  #refused = new Set<ShortId>();
  #refusedMs = 0;
  #living = 0;
  #awake: readonly Member[] | undefined;
  #hash = 0;

  constructor(self: PeerId, shortId: (peer: PeerId) => ShortId, onChange: (change: MemberChange) => void) {
    this.#self = self;
    this.#shortId = shortId;
    this.#onChange = onChange;
  }

  get(peer: PeerId): Entry | undefined {
    return this.#byPeer.get(peer);
  }

  byId(id: ShortId): Entry | undefined {
    return this.#byId.get(id);
  }

  entries(): Iterable<Entry> {
    return this.#byPeer.values();
  }

  members(): Member[] {
    return Array.from(this.#byPeer.values(), (slot) => slot.member);
  }

  /** Awake or suspect, this node too. */
  awake(): readonly Member[] {
    this.#awake ??= this.members().filter((member) => isAwake(member.status));
    return this.#awake;
  }

  /** How many are awake, suspect or asleep. */
  get living(): number {
    return this.#living;
  }

  gone(): readonly Entry[] {
    return [...this.#gone];
  }

  /** Sum over the living: equal on two nodes that know the same of them. */
  get hash(): number {
    return this.#hash;
  }

  /**
   * If there is little room left for members that are only reported by others: the last reported ones, which should be
   * doubted.
   */
  doubtful(count: number): PeerId[] {
    return this.#room.isCrowded ? this.#room.latest(count) : [];
  }

  /** Whether a record of this member and incarnation would change anything, and there is room for it. */
  isNews(peer: PeerId, incarnation: number, source?: Source): boolean {
    const slot = this.#byPeer.get(peer);
    if (slot !== undefined) return incarnation > slot.signed.record.incarnation;
    if (this.#roomFor(peer, source) !== false) return true;
    if (this.#refused.size < REFUSED_MAX) this.#refused.add(this.#shortId(peer));
    return false;
  }

  /** Takes in a checked record, which came from a member or is this node's own. False if it is no news. */
  apply(signed: SignedRecord, nowMs: number, from?: PeerId): boolean {
    const { record } = signed;
    const source = from === undefined ? undefined : { from, state: record.state };
    if (!this.isNews(record.peer, record.incarnation, source)) return false;
    if (!this.#byPeer.has(record.peer)) {
      const place = this.#roomFor(record.peer, source);
      if (typeof place === "object") this.#evict(place.peer, nowMs);
    }
    const known = this.#byPeer.get(record.peer);
    const before = known?.member.status;
    const slot = known ?? this.#add(signed, nowMs);
    if (known !== undefined) this.#uncount(known);
    slot.signed = signed;
    slot.freshMs = nowMs;
    slot.isDoubtful = false;
    // This node's own suspicions are not made on purpose: while it was alone, it suspected everyone.
    if (slot.suspicion?.by.has(this.#shortId(this.#self)) === false)
      slot.outlived = { count: outlivedBy(slot, nowMs) + 1, atMs: nowMs };
    this.#clear(slot);
    this.#set(slot, record.state === "left" ? "gone" : record.state, nowMs);
    this.#count(slot);
    this.#place(slot, source);
    this.#changed(slot, before);
    return true;
  }

  #roomFor(peer: PeerId, source: Source | undefined): true | Ghost | false {
    const by = source === undefined || source.from === peer ? undefined : source.from;
    return this.#room.roomFor(this.#living, by, source?.state === "asleep");
  }

  /** Counts it as a member that is only reported by others, or no longer. */
  #place(slot: Slot, source: Source | undefined): void {
    const { peer } = slot.member.record;
    const before = slot.ghost;
    if (before !== undefined) this.#room.delete(before);
    slot.ghost = undefined;
    if (!isLiving(slot) || source === undefined || source.from === peer) return;
    // A member that was heard directly stays that. One that was ever awake does not count as a sleeper.
    if (slot.isHeard) return;
    slot.wasAwake ||= slot.member.status === "awake";
    slot.ghost = { peer, by: before?.by ?? source.from, isSleeper: !slot.wasAwake };
    this.#room.add(slot.ghost);
  }

  /** Gives a ghost's place to somebody else. */
  #evict(peer: PeerId, nowMs: number): void {
    this.bury(peer, nowMs, { isDoubtful: false });
    const slot = this.#byPeer.get(peer);
    if (slot === undefined) return;
    if (this.#refused.size < REFUSED_MAX) this.#refused.add(slot.id);
    this.#gone.delete(slot);
    this.#byPeer.delete(peer);
    this.#byId.delete(slot.id);
  }

  /** This member is linked to this node: it is there. */
  heard(peer: PeerId): void {
    const slot = this.#byPeer.get(peer);
    if (slot === undefined) return;
    slot.isHeard = true;
    if (slot.ghost !== undefined) this.#room.delete(slot.ghost);
    slot.ghost = undefined;
  }

  /** Its link is gone: from now on it is reported by others. */
  unheard(peer: PeerId): void {
    const slot = this.#byPeer.get(peer);
    if (slot === undefined || slot.member.isSelf || !slot.isHeard) return;
    slot.isHeard = false;
    slot.ghost = { peer, by: ITSELF, isSleeper: slot.member.status === "asleep" };
    if (isLiving(slot)) this.#room.add(slot.ghost);
  }

  /** Takes in that `by` suspects a member at an incarnation. False if it is no news. */
  suspect({ id, incarnation }: Row, by: ShortId, nowMs: number): boolean {
    const slot = this.#byId.get(id);
    if (slot === undefined || slot.member.isSelf || !isAwake(slot.member.status)) return false;
    if (slot.signed.record.incarnation !== incarnation) return false;
    if (slot.suspicion !== undefined) {
      if (slot.suspicion.by.has(by) || slot.suspicion.by.size > CONFIRMATIONS) return false;
      slot.suspicion.by.add(by);
      return true;
    }
    slot.suspicion = { sinceMs: nowMs, by: new Set([by]) };
    this.#suspects.add(slot);
    this.#set(slot, "suspect", nowMs);
    this.#changed(slot, "awake");
    return true;
  }

  /** This node knows that the member lives, so it forgets others' suspicion of it. */
  trust(peer: PeerId, nowMs: number): void {
    const slot = this.#byPeer.get(peer);
    if (slot?.suspicion === undefined) return;
    this.#clear(slot);
    this.#set(slot, "awake", nowMs);
    this.#changed(slot, "suspect");
  }

  /** Suspects whose time is over, when suspicions run `factor` times as long as usual. */
  due(nowMs: number, factor: number): Entry[] {
    const due: Entry[] = [];
    for (const slot of this.#suspects) {
      if (slot.suspicion === undefined) continue;
      const patience = Math.min(PATIENCE_MAX, Math.max(1, outlivedBy(slot, nowMs) - OUTLIVED_USUAL));
      const runsMs = factor * patience * suspicionMs(slot.suspicion.by.size);
      if (nowMs - slot.suspicion.sinceMs >= runsMs) due.push(slot);
    }
    return due;
  }

  /** Declares a member dead. */
  bury(peer: PeerId, nowMs: number, options: { readonly isDoubtful: boolean }): void {
    const slot = this.#byPeer.get(peer);
    if (slot === undefined || slot.member.isSelf || slot.member.status === "gone") return;
    const before = slot.member.status;
    this.#uncount(slot);
    this.#clear(slot);
    if (slot.ghost !== undefined) this.#room.delete(slot.ghost);
    slot.isDoubtful = options.isDoubtful;
    this.#set(slot, "gone", nowMs);
    this.#changed(slot, before);
  }

  /**
   * A node that was not alone says that this member is alive; this node declared it dead while it was alone. True if
   * that is taken back.
   */
  revive(id: ShortId, incarnation: number, nowMs: number): boolean {
    const slot = this.#byId.get(id);
    if (slot === undefined || !slot.isDoubtful || slot.signed.record.incarnation !== incarnation) return false;
    const { state } = slot.signed.record;
    if (state === "left") return false;
    slot.isDoubtful = false;
    this.#set(slot, state, nowMs);
    this.#count(slot);
    if (slot.ghost !== undefined) this.#room.add(slot.ghost);
    this.#changed(slot, "gone");
    return true;
  }

  /**
   * Forgets members that have been gone for long, the oldest first, and buries members whose certificate has expired,
   * or that have been asleep for too long.
   */
  sweep(nowMs: number, wallMs: number): void {
    if (nowMs - this.#refusedMs > REFUSED_MS) {
      this.#refused.clear();
      this.#refusedMs = nowMs;
    }
    for (const slot of this.#gone) {
      if (this.#gone.size <= GONE_MAX && nowMs - (slot.goneMs ?? nowMs) < GONE_MS) break;
      this.#gone.delete(slot);
      this.#byPeer.delete(slot.member.record.peer);
      this.#byId.delete(slot.id);
    }
    for (const slot of this.#byPeer.values()) {
      const { status, isSelf, record } = slot.member;
      const isOver = slot.signed.notAfterMs < wallMs || (status === "asleep" && nowMs - slot.freshMs > GONE_MS);
      if (isOver && !isSelf && status !== "gone") this.bury(record.peer, nowMs, { isDoubtful: false });
    }
  }

  /** Ids and incarnations of the living, packed. */
  digest(): Uint8Array {
    const rows: Row[] = [];
    for (const slot of this.#byPeer.values()) if (isLiving(slot)) rows.push(rowOf(slot));
    return packRows(rows);
  }

  /** What to tell the peer whose digest this is. */
  compare(digest: Uint8Array, nowMs: number): Comparison {
    const records: SignedRecord[] = [];
    const want: ShortId[] = [];
    const gone: Row[] = [];
    const told = new Set<ShortId>();
    for (const { id, incarnation } of unpackRows(digest)) {
      told.add(id);
      const slot = this.#byId.get(id);
      if (slot === undefined ? !this.#refused.has(id) : slot.signed.record.incarnation < incarnation) want.push(id);
      if (slot === undefined) continue;
      if (slot.signed.record.incarnation > incarnation) records.push(slot.signed);
      if (slot.member.status !== "gone" || slot.signed.record.incarnation < incarnation) continue;
      if (!this.revive(id, incarnation, nowMs)) gone.push(rowOf(slot));
    }
    for (const slot of this.#byPeer.values()) {
      if (isLiving(slot) && !told.has(slot.id)) records.push(slot.signed);
    }
    return { records, want, gone };
  }

  #add(signed: SignedRecord, nowMs: number): Slot {
    const { record } = signed;
    const isSelf = record.peer === this.#self;
    const id = this.#shortId(record.peer);
    const member: Member = { record, status: "gone", isSelf };
    const slot: Slot = {
      id,
      signed,
      member,
      suspicion: undefined,
      freshMs: nowMs,
      goneMs: undefined,
      isDoubtful: false,
      ghost: undefined,
      isHeard: false,
      wasAwake: false,
      outlived: { count: 0, atMs: nowMs },
    };
    this.#byPeer.set(record.peer, slot);
    this.#byId.set(id, slot);
    return slot;
  }

  #set(slot: Slot, status: MemberStatus, nowMs: number): void {
    slot.member = { record: slot.signed.record, status, isSelf: slot.member.isSelf };
    this.#gone.delete(slot);
    slot.goneMs = status === "gone" ? nowMs : undefined;
    if (status === "gone") this.#gone.add(slot);
  }

  #clear(slot: Slot): void {
    slot.suspicion = undefined;
    this.#suspects.delete(slot);
  }

  #count(slot: Slot): void {
    if (!isLiving(slot)) return;
    this.#living++;
    this.#hash = (this.#hash + mixRow(slot.id, slot.signed.record.incarnation)) >>> 0;
  }

  #uncount(slot: Slot): void {
    if (!isLiving(slot)) return;
    this.#living--;
    this.#hash = (this.#hash - mixRow(slot.id, slot.signed.record.incarnation)) >>> 0;
  }

  #changed(slot: Slot, before: MemberStatus | undefined): void {
    this.#awake = undefined;
    this.#onChange({ member: slot.member, before });
  }
}

export function isAwake(status: MemberStatus): boolean {
  return status === "awake" || status === "suspect";
}

export function rowOf(entry: Entry): Row {
  return { id: entry.id, incarnation: entry.signed.record.incarnation };
}

function isLiving(entry: Entry): boolean {
  return entry.member.status !== "gone";
}

function outlivedBy({ outlived: { count, atMs } }: Slot, nowMs: number): number {
  return count * 0.5 ** ((nowMs - atMs) / OUTLIVED_HALF_LIFE_MS);
}

/** How long a suspicion runs that `sharers` members share. */
function suspicionMs(sharers: number): number {
  const shortening = Math.log(Math.min(sharers, CONFIRMATIONS + 1)) / Math.log(CONFIRMATIONS + 1);
  return SUSPICION_MS_MAX - (SUSPICION_MS_MAX - SUSPICION_MS_MIN) * shortening;
}
