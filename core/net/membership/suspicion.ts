/**
 * Suspicions that this node raises itself: of peers whose links went silent or closed without a word, of all members
 * while it is alone, and of members that did not answer when the roll was called (crisis.ts). It also ends suspicions
 * whose time is over.
 */
import type { PeerId } from "../../ports/network.ts";
import { Losses, RollCall } from "./crisis.ts";
import type { Row, ShortId } from "./rows.ts";
import { type Entry, type MemberTable, rowOf } from "./table.ts";
import type { LinkWatch } from "./watch.ts";
import { encodeRoll, encodeSuspicion } from "./wire.ts";

/** A link heard within this time vouches for its peer, whatever others suspect. */
const VOUCH_MS = 1_500;
/** How long a new link may take until something arrives. Even round trips with packet losses take less. */
const HOPE_MS = 4_000;

export interface SuspicionParts {
  readonly peer: PeerId;
  readonly id: ShortId;
  readonly table: MemberTable;
  readonly watches: ReadonlyMap<PeerId, LinkWatch>;
  /** Milliseconds for which this node has been running. */
  readonly nowMs: () => number;
  readonly broadcast: (body: Uint8Array) => void;
  /** For this long everything must reach others without the broadcast tree. */
  readonly flood: (forMs: number) => void;
  /** Makes this node say anew that it is here. */
  readonly speakUp: () => void;
}

export class Suspicions {
  readonly #parts: SuspicionParts;
  readonly #losses = new Losses();
  readonly #roll = new RollCall();
  #sequence = 0;
  #wasAlone = false;

  constructor(parts: SuspicionParts) {
    this.#parts = parts;
  }

  /** No link is left that is not silent. One over which nothing has come yet may still do. */
  isAlone(): boolean {
    const { watches, nowMs } = this.#parts;
    for (const watch of watches.values()) {
      if (watch.accusedAt === undefined && (watch.isProven || watch.quietMs(nowMs()) < HOPE_MS)) return false;
    }
    return true;
  }

  /** Doubts everyone once nothing comes of the last link that was hoped for. Call it with every tick. */
  check(): void {
    const isAlone = this.isAlone();
    if (isAlone && !this.#wasAlone) this.doubtAll();
    this.#wasAlone = isAlone;
  }

  /** Links that went silent or closed without a word. */
  lost(entries: readonly Entry[]): void {
    const { id, watches, nowMs, broadcast } = this.#parts;
    const isMany = this.#losses.add(entries.length, watches.size, nowMs());
    this.accuse(entries);
    if (this.isAlone()) this.doubtAll();
    else if (isMany && this.called()) broadcast(encodeRoll(id, ++this.#sequence));
  }

  accuse(entries: readonly Entry[]): void {
    const { id, table, nowMs } = this.#parts;
    this.announce(
      id,
      entries.map(rowOf).filter((row) => table.suspect(row, id, nowMs())),
    );
  }

  /** Tells everyone whom `by` suspects. */
  announce(by: ShortId, rows: readonly Row[]): void {
    if (rows.length > 0) this.#parts.broadcast(encodeSuspicion(by, rows, ++this.#sequence));
  }

  /** Doubts everyone: nobody is left who could tell of others. */
  doubtAll(): void {
    const { id, table, nowMs } = this.#parts;
    for (const member of table.awake()) {
      const entry = table.get(member.record.peer);
      if (entry !== undefined && !member.isSelf) table.suspect(rowOf(entry), id, nowMs());
    }
  }

  /** The roll is called, by this node or another. False if it has been already. */
  called(): boolean {
    const { peer, table, flood, speakUp } = this.#parts;
    const nowMs = this.#parts.nowMs();
    if (!this.#roll.begin(nowMs)) return false;
    flood(RollCall.FLOOD_MS);
    if (nowMs - (table.get(peer)?.freshMs ?? nowMs) > RollCall.FRESH_MS) speakUp();
    return true;
  }

  /** Suspects the members that have not answered in time. Call it with every tick. */
  checkRoll(): void {
    const { id, table } = this.#parts;
    const nowMs = this.#parts.nowMs();
    if (!this.#roll.isDue(nowMs)) return;
    for (const member of table.awake()) {
      const { peer } = member.record;
      const entry = table.get(peer);
      const isHere = this.#quietMs(peer) < VOUCH_MS;
      if (entry === undefined || member.isSelf || isHere || this.#roll.hasAnswered(entry.freshMs)) continue;
      table.suspect(rowOf(entry), id, nowMs);
    }
  }

  /** A suspicion has run its time. */
  expire(entry: Entry): void {
    const { table, watches, nowMs } = this.#parts;
    const { peer } = entry.member.record;
    if (this.#quietMs(peer) < VOUCH_MS && watches.get(peer)?.accusedAt === undefined) table.trust(peer, nowMs());
    else table.bury(peer, nowMs(), { isDoubtful: this.isAlone() });
  }

  #quietMs(peer: PeerId): number {
    return this.#parts.watches.get(peer)?.quietMs(this.#parts.nowMs()) ?? Infinity;
  }
}
