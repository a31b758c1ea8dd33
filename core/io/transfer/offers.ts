/**
 * Brings together offers that wait for a person's answer, and shells that wait for offers. Both are bounded for each
 * sender and in total.
 */
import { toHex } from "../../base/bytes.ts";
import { cancelled, StarfishError } from "../../base/errors.ts";
import { Listeners } from "../../base/events.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { PeerId } from "../../ports/network.ts";
import { ASKED_REMEMBERED_MAX, OFFER_MS, OFFERS_MAX, OFFERS_PER_SENDER_MAX } from "./limits.ts";
import type { LiveTarget, Offer } from "./types.ts";
import type { OfferMessage } from "./wire.ts";

/** What is done with an offer. */
export interface Decision {
  /** Where it goes; the inbox if absent. */
  readonly into: LiveTarget | undefined;
  /** The shell that waited for it. */
  readonly waiter: Waiter | undefined;
}

/** A shell that waits for an offer. */
export interface Waiter {
  readonly from: PeerId | undefined;
  readonly into: LiveTarget | undefined;
}

interface Waiting {
  readonly offer: Offer;
  readonly message: OfferMessage;
  readonly decided: PromiseWithResolvers<Decision>;
  readonly timer: Timer;
}

export class Offers {
  readonly asked: Listeners<Offer> = new Listeners<Offer>();
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #waiting = new Map<string, Waiting>();
  readonly #waiters = new Set<Waiter>();
  /** Offers about which the person was asked lately. */
  readonly #known = new Set<string>();

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  list(): readonly Offer[] {
    return [...this.#waiting.values()].map(({ offer }) => offer);
  }

  /** Whether a shell waits for a transfer of this member. */
  isAwaited(from: PeerId): boolean {
    return [...this.#waiters].some((waiter) => (waiter.from ?? from) === from);
  }

  /** The waiting shell that takes this member's transfer, if there is one. It gets one transfer. */
  waiterFor(from: PeerId): Waiter | undefined {
    const fits = [...this.#waiters].find((waiter) => (waiter.from ?? from) === from);
    if (fits !== undefined) this.#waiters.delete(fits);
    return fits;
  }

  /** Takes an offer that waits already, or the next one. Returns whether one waited. */
  wait(waiter: Waiter): boolean {
    for (const { offer, message, decided } of this.#waiting.values()) {
      if ((waiter.from ?? offer.from) !== offer.from) continue;
      decided.resolve({ into: targetOf(waiter, message), waiter });
      return true;
    }
    this.#waiters.add(waiter);
    return false;
  }

  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /**
   * Asks the person, until the signal aborts. Rejects with "busy" if too many offers wait, with "refused", "timeout",
   * and the reason of the signal.
   */
  async ask(offer: Offer, message: OfferMessage, signal: AbortSignal): Promise<Decision> {
    const ofSender = [...this.#waiting.values()].filter((one) => one.offer.from === offer.from);
    if (ofSender.length >= OFFERS_PER_SENDER_MAX || this.#waiting.size >= OFFERS_MAX)
      throw new StarfishError("busy", "Too many offers wait there for an answer already", { retryable: true });
    if (this.#waiting.has(offer.id)) throw new StarfishError("busy", "It is being asked about already");
    const decided = Promise.withResolvers<Decision>();
    const late = new StarfishError("timeout", "Nobody there has answered");
    const timer = this.#clock.timer(OFFER_MS, () => decided.reject(late));
    const gone = (): void => decided.reject(cancelled(signal));
    signal.addEventListener("abort", gone, { once: true });
    if (signal.aborted) gone();
    this.#waiting.set(offer.id, { offer, message, decided, timer });
    this.#onChange();
    if (!this.#known.has(offer.id)) {
      this.#remember(offer.id);
      this.asked.emit(offer);
    }
    try {
      return await decided.promise;
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", gone);
      this.#waiting.delete(offer.id);
      this.#onChange();
    }
  }

  /** Throws "not-found". */
  offer(id: string): Offer {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new StarfishError("not-found", "That offer is gone");
    return waiting.offer;
  }

  decide(id: string, decision: Decision | StarfishError): void {
    const decided = this.#waiting.get(id)?.decided;
    if (decision instanceof StarfishError) decided?.reject(decision);
    else decided?.resolve(decision);
  }

  /** The offers of one member, or of all. */
  refuseAll(error: StarfishError, from?: PeerId): void {
    for (const { offer, decided } of this.#waiting.values())
      if ((from ?? offer.from) === offer.from) decided.reject(error);
  }

  /** Accepts all but pipes, which wait for a reader. */
  acceptFiles(from: PeerId): void {
    for (const { offer, decided } of this.#waiting.values())
      if (offer.from === from && offer.totalBytes !== undefined)
        decided.resolve({ into: undefined, waiter: undefined });
  }

  #remember(id: string): void {
    this.#known.add(id);
    const [oldest] = this.#known;
    if (this.#known.size > ASKED_REMEMBERED_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Only a single file or pipe can be passed on as bytes; undefined means the inbox. */
export function targetOf({ into }: Waiter, { files, folders }: OfferMessage): LiveTarget | undefined {
  return files === 1 && folders === 0 ? into : undefined;
}

export function offerOf(message: OfferMessage, from: PeerId, name: string, fits: boolean): Offer {
  const { id, title, files, folders, totalBytes, names } = message;
  return {
    id: toHex(id),
    from,
    name,
    title,
    files,
    folders,
    totalBytes: totalBytes ?? undefined,
    names: names.map(([path, size]) => ({ path, sizeBytes: size ?? undefined })),
    fits,
  };
}
