/**
 * Which links this node keeps: a few at random, so that the swarm stays connected whatever dies, and more on demand, up
 * to a cap. It closes no link that is in use or that the other end needs.
 *
 * Promises that two members with a path of links between them can be linked while somebody within three links of both
 * introduces them (`connect`), that a cut swarm finds together again (search.ts), and that members whom nobody
 * watches are noticed (guard.ts). Assumes that `members` knows who is there.
 */
import { decode, encode } from "../../base/codec.ts";
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/events.ts";
import { abortable, type Clock, every } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Address, PeerId } from "../../ports/network.ts";
import { pick, type Random } from "../../ports/random.ts";
import type { AdmittedLink, Links } from "../links/links.ts";
import type { Membership } from "../membership/membership.ts";
import { packIds, type ShortId, unpackIds } from "../membership/rows.ts";
import { isAwake } from "../membership/table.ts";
import { Questions, QUESTION_IDS_MAX } from "./ask.ts";
import { Dialler } from "./dial.ts";
import { AUDITS_PER_SECOND, Guard } from "./guard.ts";
import { Mesh } from "./mesh.ts";
import { Search } from "./search.ts";
import { NeighbourView } from "./view.ts";
import { type Lead, type OverlayFrame, overlaySchema, packLeads } from "./wire.ts";
import type { MemberChange } from "../types.ts";

export interface OverlayOptions {
  /** Links at most: LINKS_MAX_TAB or LINKS_MAX_NODE. */
  readonly linksMax: number;
  /** Where the swarm might be found if its members can't be. */
  readonly bootstrap: () => readonly Address[];
}

/** Browsers get slow with more connections than this. */
export const LINKS_MAX_TAB = 32;
/** Sockets are cheap in Node.js, but the picture of the swarm and periodic work need a bound. */
export const LINKS_MAX_NODE = 256;

/** A living link is never quiet for this long: it is pinged after 1.2 s, with the next half-second's tick. */
const LIVELY_MS = 2_000;

export interface OverlayPorts {
  readonly links: Links;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Overlay {
  /**
   * The link to a member: the one there is, or a new one, direct or introduced. It counts as used, and is kept for a
   * while. Rejects with what `Links.dial` rejects with; "unreachable" too if nobody introduces us.
   */
  connect(peer: PeerId, options?: { readonly signal?: AbortSignal | undefined }): Promise<AdmittedLink>;
  /** Members that are known to be linked to both this node and `peer`, best first; possibly none. */
  introducers(peer: PeerId): readonly PeerId[];
  /** The same, but neighbours are asked if none is known. */
  introducersOf(peer: PeerId, options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly PeerId[]>;
  /** The link to this peer is in use. */
  touch(peer: PeerId): void;
  stop(): void;
}

export function createOverlay(options: OverlayOptions): (ports: OverlayPorts) => Overlay {
  return (ports) => new Neighbourhood(options, ports);
}

const TICK_MS = 500;

class Neighbourhood implements Overlay {
  readonly #options: OverlayOptions;
  readonly #ports: OverlayPorts;
  readonly #self: ShortId;
  readonly #selfPeer: PeerId;
  readonly #view = new NeighbourView();
  readonly #guard = new Guard();
  readonly #mesh: Mesh;
  readonly #questions: Questions;
  readonly #dialler: Dialler;
  readonly #search: Search;
  /** The peers that are being dialled to extend the mesh. */
  readonly #extending = new Set<PeerId>();
  /** The links that our neighbours have been told of. */
  readonly #told = new Set<ShortId>();
  readonly #stops: Unsubscribe[];
  readonly #ended = new AbortController();
  /** Links have come or gone since neighbours were told. */
  #hasNews = false;

  constructor(options: OverlayOptions, ports: OverlayPorts) {
    const { links, membership, clock, random } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#selfPeer = self(membership);
    this.#self = membership.idOf(this.#selfPeer);
    this.#mesh = new Mesh(random, options.linksMax);
    this.#questions = new Questions(clock, (link, frame) => this.#send(link, frame));
    this.#dialler = new Dialler({
      self: this.#selfPeer,
      links,
      membership,
      clock,
      view: this.#view,
      questions: this.#questions,
      makeRoom: () => this.#makeRoom(),
      signal: this.#ended.signal,
    });
    this.#search = new Search({
      ...ports,
      bootstrap: options.bootstrap,
      signal: this.#ended.signal,
      periodMs: TICK_MS,
    });
    links.receive("overlay", (link, message) => this.#receive(link, message));
    const timer = every(clock, TICK_MS, () => this.#tick());
    this.#stops = [
      () => timer.cancel(),
      links.onUp((link) => this.#up(link)),
      links.onDown((link) => this.#down(link)),
      membership.onMember((change) => this.#changed(change)),
    ];
    for (const link of links.all()) this.#up(link);
  }

  async connect(peer: PeerId, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<AdmittedLink> {
    throwIfAborted(signal);
    this.touch(peer);
    const link = this.#ports.links.get(peer);
    if (link !== undefined) return link;
    const dial = this.#dialler.dial(peer);
    const dialled = await (signal === undefined ? dial : abortable(signal, dial));
    this.touch(peer);
    return dialled;
  }

  introducers(peer: PeerId): readonly PeerId[] {
    return this.#dialler.introducers(peer);
  }

  introducersOf(peer: PeerId, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly PeerId[]> {
    return this.#dialler.introducersOf(peer, options);
  }

  touch(peer: PeerId): void {
    this.#mesh.used(peer, this.#now());
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#ended.abort(new StarfishError("closed", "This node has left"));
  }

  /**
   * Called before a dial. At the cap, it closes the link that was not used for the longest time, whatever the other end
   * thinks.
   */
  #makeRoom(): void {
    const { links, membership } = this.#ports;
    const all = links.all();
    if (all.length < this.#options.linksMax) return;
    const link = this.#mesh.leastUsed(all);
    if (link === undefined) return;
    this.#send(link, { prune: "must" });
    membership.expectDown(link.peer);
    void link.close();
  }

  // Neighbours

  #up(link: AdmittedLink): void {
    this.#mesh.linked(link.peer, this.#now());
    this.#send(link, { links: packIds([...this.#told]) });
    this.#hasNews = true;
  }

  #down(link: AdmittedLink): void {
    this.#mesh.unlinked(link.peer);
    this.#hasNews = true;
    const status = this.#ports.membership.member(link.peer)?.status;
    if (status !== "awake") this.#lost(link.peer);
    this.#view.forget(link.peer);
  }

  #receive(link: AdmittedLink, message: Uint8Array): void {
    const frame = decode(overlaySchema, message);
    this.#ports.membership.heard(link.peer);
    if (frame.links !== undefined || frame.added !== undefined || frame.removed !== undefined) {
      this.#view.told(link.peer, frame);
    }
    if (frame.prune !== undefined) this.#prune(link, frame.prune);
    if (frame.ask !== undefined) this.#answer(link, frame.ask);
    if (frame.tell !== undefined) this.#questions.told(link, frame.tell[0], frame.tell[1]);
  }

  #answer(link: AdmittedLink, [question, packed]: readonly [number, Uint8Array]): void {
    const leads: Lead[] = [];
    for (const id of unpackIds(packed).slice(0, QUESTION_IDS_MAX)) {
      const member = this.#ports.membership.byId(id);
      if (member === undefined || !isAwake(member.status)) continue;
      if (this.#ports.links.get(member.record.peer) !== undefined) leads.push({ id, linkedTo: this.#self });
      else
        for (const peer of this.#dialler.introducers(member.record.peer).slice(0, 1))
          leads.push({ id, linkedTo: this.#id(peer) });
    }
    this.#send(link, { tell: [question, packLeads(leads)] });
  }

  #prune(link: AdmittedLink, word: NonNullable<OverlayFrame["prune"]>): void {
    const { membership } = this.#ports;
    if (word === "ask") {
      void this.#spare(link);
    } else if (word === "no") {
      this.#mesh.refused(link.peer, this.#now());
    } else {
      membership.expectDown(link.peer);
      if (word === "yes") void link.close();
    }
  }

  /** Says whether the link may go. Others must have answered since: the swarm may have been cut a moment ago. */
  async #spare(link: AdmittedLink): Promise<void> {
    const { links, membership } = this.#ports;
    const mayGo = (living: readonly AdmittedLink[]): boolean => this.#mesh.maySpare(link, living, this.#now());
    let maySpare = mayGo(this.#lively());
    if (maySpare) {
      const askedMs = this.#now();
      const others = links.all().filter((other) => other !== link);
      await this.#questions.ask(others, [this.#id(link.peer)]);
      const tookMs = this.#now() - askedMs;
      maySpare = mayGo([link, ...others.filter(({ peer }) => membership.quietMs(peer) <= tookMs)]);
    }
    if (this.#ended.signal.aborted || links.get(link.peer) !== link) return;
    this.#send(link, { prune: maySpare ? "yes" : "no" });
    if (maySpare) membership.expectDown(link.peer);
  }

  /** Tells neighbours, once a tick, of links that have come and gone. */
  #tellLinks(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    const all = this.#ports.links.all();
    const now = new Set(all.map((link) => this.#id(link.peer)));
    const added = [...now].filter((id) => !this.#told.has(id));
    const removed = [...this.#told].filter((id) => !now.has(id));
    if (added.length === 0 && removed.length === 0) return;
    for (const id of added) this.#told.add(id);
    for (const id of removed) this.#told.delete(id);
    const frame: OverlayFrame = {
      ...(added.length > 0 && { added: packIds(added) }),
      ...(removed.length > 0 && { removed: packIds(removed) }),
    };
    for (const link of all) this.#send(link, frame);
  }

  // Members that come and go

  #changed({ member, before }: MemberChange): void {
    if (member.isSelf) return;
    const { peer } = member.record;
    if (member.status === "suspect" || member.status === "gone") this.#lost(peer);
    if (before === "gone" && isAwake(member.status)) this.#mesh.returned(peer, this.#now());
  }

  #lost(peer: PeerId): void {
    const { membership } = this.#ports;
    const links = this.#view.linksOf(peer);
    if (links.size > 0)
      this.#guard.lost(links, this.#self, (id) => membership.byId(id)?.status === "awake", this.#now());
  }

  #tick(): void {
    const { links, membership, random } = this.#ports;
    this.#tellLinks();
    // A link that has gone silent holds nothing together.
    const all = links.all().filter(({ peer }) => membership.member(peer)?.status !== "suspect");
    const awake = membership.awake();
    for (const peer of this.#mesh.wanted(all, awake, this.#extending.size, this.#now())) this.#extend(peer);
    const surplus = this.#mesh.surplus(this.#lively(), awake.length - 1, this.#now());
    for (const link of surplus) this.#send(link, { prune: "ask" });
    this.#lookAfter(this.#guard.due(this.#now()));
    if (random.real() < (AUDITS_PER_SECOND * TICK_MS) / 1_000 / awake.length) {
      const ward = pick(random, awake);
      if (ward !== undefined && !ward.isSelf) this.#lookAfter([this.#id(ward.record.peer)]);
    }
    this.#search.tick(all.length, awake);
  }

  #extend(peer: PeerId): void {
    if (this.#extending.has(peer)) return;
    this.#extending.add(peer);
    this.#dialler
      .dial(peer, { isPressing: true })
      .then(
        () => this.#mesh.succeeded(peer),
        () => this.#mesh.failed(peer, this.#now()),
      )
      .finally(() => this.#extending.delete(peer));
  }

  /** Doubts those of the wards to which nobody around is linked. */
  #lookAfter(wards: readonly ShortId[]): void {
    const { links, membership } = this.#ports;
    const isMissing = (id: ShortId): boolean => {
      const member = membership.byId(id);
      if (member?.status !== "awake" || links.get(member.record.peer) !== undefined) return false;
      return !this.#view.linkedTo(id).some((peer) => membership.member(peer)?.status === "awake");
    };
    const missing = wards.filter(isMissing);
    if (missing.length === 0) return;
    const asked = this.#questions.ask(
      links.all(),
      missing,
      (leads) => new Set(leads.map(({ id }) => id)).size >= missing.length,
    );
    void asked.then((leads) => {
      const found = new Set(leads.map(({ id }) => id));
      const unwatched = missing.filter((id) => !found.has(id) && isMissing(id));
      if (this.#ended.signal.aborted || unwatched.length === 0) return;
      membership.doubt(unwatched.flatMap((id) => membership.byId(id)?.record.peer ?? []));
    });
  }

  // Helpers

  /**
   * Links on which something arrived recently. After a cut the other links connect nothing, although nobody is a
   * suspect yet.
   */
  #lively(): AdmittedLink[] {
    const { links, membership } = this.#ports;
    return links.all().filter(({ peer }) => membership.quietMs(peer) < LIVELY_MS);
  }

  #id(peer: PeerId): ShortId {
    return this.#ports.membership.idOf(peer);
  }

  #now(): number {
    return this.#ports.clock.monotonic();
  }

  #send(link: AdmittedLink, frame: OverlayFrame): void {
    link.send("overlay", encode(frame));
  }
}

function self(membership: Membership): PeerId {
  const own = membership.members().find((member) => member.isSelf);
  if (own === undefined) throw new Error("Assertion failed: membership begins with this node");
  return own.record.peer;
}
