/**
 * Repairs what broadcasts missed. Neighbours tell each other the hash of their tables with every ping. If the hashes
 * keep differing, one sends a digest and the other answers with what differs. On a new link they compare at once: so a
 * newcomer learns of everyone, and the halves of a cut swarm become one.
 */
import type { PeerId } from "../../ports/network.ts";
import type { AdmittedLink } from "../links/links.ts";
import { askPace, type Pace } from "./crisis.ts";
import { packIds, packRows, type Row, type ShortId, unpackIds, unpackRows } from "./rows.ts";
import type { MemberTable } from "./table.ts";
import type { LinkWatch } from "./watch.ts";
import type { MemberFrame } from "./wire.ts";
import type { SignedRecord } from "./record.ts";

/** If tables differ for this long, the reason is not news that is on its way. */
const DIFFERS_MS = 2_000;
/** This node begins at most one digest in this time. At 1,000 members each has 12 kB. */
const PAUSE_MS = 3_000;
/**
 * A node that has just asked one neighbour does not ask another for the same records: a newcomer links to several at
 * once, and each of them would send everyone's record. Records that do not come are asked for after the next
 * comparison.
 */
const ASKED_MS = 500;
/** Records of one message. */
const RECORDS_BYTES_MAX: number = 48 * 1024;

export class Reconciler {
  readonly #table: MemberTable;
  readonly #self: PeerId;
  readonly #send: (link: AdmittedLink, frame: MemberFrame) => boolean;
  /** Links on which tables have been compared since they came up. */
  readonly #met = new Set<PeerId>();
  /** How fast peers compare and ask: an answer may hold everyone's record. */
  readonly #paces = new Map<PeerId, Pace>();
  #beganMs = -Infinity;
  #askedMs = -Infinity;
  #asked = new Set<ShortId>();

  constructor(table: MemberTable, self: PeerId, send: (link: AdmittedLink, frame: MemberFrame) => boolean) {
    this.#table = table;
    this.#self = self;
    this.#send = send;
  }

  forget(peer: PeerId): void {
    this.#met.delete(peer);
    this.#paces.delete(peer);
  }

  /** The peer's table has this hash. Of the two ends the one with the lesser id begins. */
  compare(link: AdmittedLink, watch: LinkWatch, hash: number, nowMs: number): void {
    if (hash === this.#table.hash) {
      watch.differsSinceMs = undefined;
      this.#met.add(link.peer);
      return;
    }
    const isFirst = !this.#met.has(link.peer);
    watch.differsSinceMs ??= nowMs;
    if (this.#self > link.peer || (isFirst && nowMs - this.#askedMs < ASKED_MS)) return;
    this.#met.add(link.peer);
    if (!isFirst && (nowMs - watch.differsSinceMs < DIFFERS_MS || nowMs - this.#beganMs < PAUSE_MS)) return;
    if (!isFirst) this.#beganMs = nowMs;
    watch.differsSinceMs = undefined;
    this.#askedMs = nowMs;
    this.#send(link, { digest: this.#table.digest() });
  }

  answer(link: AdmittedLink, digest: Uint8Array, nowMs: number): void {
    if (!this.#allows(link.peer, nowMs)) return;
    const { records, want: lacking, gone } = this.#table.compare(digest, nowMs);
    const want = this.#unasked(lacking, nowMs);
    if (want.length > 0 || gone.length > 0) {
      this.#send(link, {
        ...(want.length > 0 && { want: packIds(want) }),
        ...(gone.length > 0 && { gone: packRows(gone) }),
      });
    }
    this.#records(link, records);
  }

  #unasked(lacking: readonly ShortId[], nowMs: number): ShortId[] {
    if (nowMs - this.#askedMs >= ASKED_MS) this.#asked = new Set();
    const want = lacking.filter((id) => !this.#asked.has(id));
    if (want.length > 0) this.#askedMs = nowMs;
    for (const id of want) this.#asked.add(id);
    return want;
  }

  supply(link: AdmittedLink, want: Uint8Array, nowMs: number): void {
    if (!this.#allows(link.peer, nowMs)) return;
    this.#records(
      link,
      unpackIds(want).flatMap((id) => this.#table.byId(id)?.signed ?? []),
    );
  }

  #allows(peer: PeerId, nowMs: number): boolean {
    let pace = this.#paces.get(peer);
    if (pace === undefined) {
      pace = askPace(nowMs);
      this.#paces.set(peer, pace);
    }
    if (!pace.allows(nowMs)) return false;
    pace.spend();
    return true;
  }

  tellGone(link: AdmittedLink, rows: readonly Row[]): void {
    this.#send(link, { gone: packRows(rows) });
  }

  rows(packed: Uint8Array): Row[] {
    return unpackRows(packed);
  }

  /** Sends records in bounded messages until the link has had enough; the next comparison goes on from there. */
  #records(link: AdmittedLink, signed: readonly SignedRecord[]): void {
    let wires: Uint8Array[] = [];
    let bytes = 0;
    for (const { wire } of signed) {
      if (bytes + wire.length > RECORDS_BYTES_MAX) {
        if (!this.#send(link, { records: wires })) return;
        wires = [];
        bytes = 0;
      }
      wires.push(wire);
      bytes += wire.length;
    }
    if (wires.length > 0) this.#send(link, { records: wires });
  }
}
