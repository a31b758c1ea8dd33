/**
 * The ways to a member: by its own addresses, or by an introduction of neighbours that are linked to it. If there is
 * none, it asks neighbours who is linked to the member, and first links to one of those.
 */
import { StarfishError, isStarfishError, throwIfAborted } from "../../base/errors.ts";
import { Semaphore } from "../../base/semaphore.ts";
import { abortable, type Clock, withDeadline } from "../../ports/clock.ts";
import type { Address, PeerId } from "../../ports/network.ts";
import type { AdmittedLink, Links } from "../links/links.ts";
import type { Membership } from "../membership/membership.ts";
import type { Questions } from "./ask.ts";
import type { NeighbourView } from "./view.ts";

export interface DiallerParts {
  readonly self: PeerId;
  readonly links: Links;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly view: NeighbourView;
  readonly questions: Questions;
  /** Called before each dial. */
  readonly makeRoom: () => void;
  readonly signal: AbortSignal;
}

/** Deadline of one dial; a relayed path comes after a direct one has been given up. */
const DIAL_MS = 8_000;
/**
 * Dials at once that are not urgent. When forty nodes on two cores all wanted links to all others at once, hardly one
 * dial was done in time, and each was begun again.
 */
const DIALS_MAX = 8;
/**
 * A dial that takes longer than this is to a node that is far away or gone. It goes on, but no longer counts against
 * DIALS_MAX.
 */
const DIAL_TURN_MS = 1_000;
const INTRODUCERS_MAX = 3;

export class Dialler {
  readonly #parts: DiallerParts;
  readonly #dials = new Map<PeerId, Promise<AdmittedLink>>();
  readonly #turns = new Semaphore(DIALS_MAX);

  constructor(parts: DiallerParts) {
    this.#parts = parts;
  }

  /**
   * Dials once for all callers that ask at the same time. An urgent dial (`isPressing`) waits for no other. Rejects as
   * `Overlay.connect` does.
   */
  dial(peer: PeerId, { isPressing = false }: { readonly isPressing?: boolean } = {}): Promise<AdmittedLink> {
    const known = this.#dials.get(peer);
    if (known !== undefined) return known;
    const dial = this.#dial(peer, isPressing).finally(() => this.#dials.delete(peer));
    // Nobody has to be waiting for it any more when it fails.
    dial.catch(() => {});
    this.#dials.set(peer, dial);
    return dial;
  }

  /** Members that this node and `peer` are both linked to, best first; links to one if there is none. */
  async introducersOf(
    peer: PeerId,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly PeerId[]> {
    const known = this.introducers(peer);
    if (known.length > 0) return known;
    throwIfAborted(signal);
    const question = this.#lookFurther(peer, false);
    return signal === undefined ? question : abortable(signal, question);
  }

  /** Neighbours linked to `peer`, the nearest first; those reached directly before those reached through others. */
  introducers(peer: PeerId): PeerId[] {
    const { links, membership, view } = this.#parts;
    const cost = (introducer: PeerId): number => {
      const link = links.get(introducer);
      if (link === undefined || membership.member(introducer)?.status === "suspect") return Infinity;
      return (membership.roundTripMs(introducer) ?? 500) + (link.path().kind === "direct" ? 0 : 1_000);
    };
    return view
      .linkedTo(membership.idOf(peer))
      .map((introducer) => ({ introducer, cost: cost(introducer) }))
      .filter(({ cost }) => cost < Infinity)
      .sort((a, b) => a.cost - b.cost)
      .map(({ introducer }) => introducer);
  }

  async #dial(peer: PeerId, isPressing: boolean): Promise<AdmittedLink> {
    const { clock, links, makeRoom, signal: ended } = this.#parts;
    const addresses = this.#addresses(peer);
    // Asked for before the dial has its turn, because asking may itself take a turn.
    const asked = await this.#ways(peer, addresses, isPressing);
    if (addresses.length === 0 && asked.length === 0) {
      throw new StarfishError("unreachable", "Nobody within reach is linked to this member", { retryable: true });
    }
    const release = isPressing ? (): void => {} : await this.#turns.acquire(1);
    const turn = clock.timer(DIAL_TURN_MS, release);
    try {
      throwIfAborted(ended);
      makeRoom();
      const known = this.introducers(peer);
      const introducers = (known.length > 0 ? known : asked).slice(0, INTRODUCERS_MAX);
      const dial = (signal: AbortSignal): Promise<AdmittedLink> =>
        links.dial({ peer, addresses, introducers }, { signal });
      return await withDeadline(clock, DIAL_MS, "Linking to a member", dial, { signal: ended });
    } finally {
      turn.cancel();
      release();
    }
  }

  /** Neighbours that can introduce this node to `peer`; asks for them if there is no other way. */
  async #ways(peer: PeerId, addresses: readonly Address[], isPressing: boolean): Promise<readonly PeerId[]> {
    const known = this.introducers(peer);
    if (known.length > 0 || addresses.length > 0) return known;
    const { clock, signal: ended } = this.#parts;
    const ask = (signal: AbortSignal): Promise<readonly PeerId[]> =>
      abortable(signal, this.#lookFurther(peer, isPressing));
    return withDeadline(clock, DIAL_MS, "Looking for a way to a member", ask, { signal: ended });
  }

  /** Asks neighbours who is linked to `peer`, and links to one of those. */
  async #lookFurther(peer: PeerId, isPressing: boolean): Promise<readonly PeerId[]> {
    const { self, links, membership, questions } = this.#parts;
    const leads = await questions.ask(links.all(), [membership.idOf(peer)], (found) => found.length > 0);
    for (const { linkedTo } of leads.slice(0, INTRODUCERS_MAX)) {
      const introducer = membership.byId(linkedTo)?.record.peer;
      if (introducer === undefined || introducer === self || introducer === peer) continue;
      if (links.get(introducer) !== undefined) return [introducer];
      // Only a way that needs no further question: one step more, not a search of the whole swarm.
      if (this.introducers(introducer).length === 0 && this.#addresses(introducer).length === 0) continue;
      try {
        await this.dial(introducer, { isPressing });
        return [introducer];
      } catch (error) {
        if (!isStarfishError(error)) throw error;
      }
    }
    return [];
  }

  #addresses(peer: PeerId): readonly Address[] {
    return this.#parts.membership.member(peer)?.record.addresses ?? [];
  }
}
