/**
 * Batches that are larger than others travel by reconciling only, and each is held whole at both ends until it is
 * there. To bound what all sessions hold together, few of them are sent at a time, and few are taken in: of each member
 * one at a time.
 */
import { Semaphore } from "../base/semaphore.ts";
import { StarfishError } from "../base/errors.ts";
import { PeerLimiter } from "../net/requests/peer-limiter.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import { BATCHES_LARGE_SENT_MAX, BATCHES_LARGE_TAKEN_MAX, RECONCILE_PATIENCE_MS } from "./limits.ts";

/** Until a place is looked for again. */
const LOOK_MS = 50;
/** The other side waits for RECONCILE_PATIENCE_MS. */
const WAIT_MS: number = RECONCILE_PATIENCE_MS - 1_000;

type Release = () => void;

/** Places for the large batches of one session. */
export interface LargePlaces {
  /**
   * Waits for a place to send a large batch. Resolves to the function that gives the place back. Rejects with "busy".
   */
  toSend(clock: Clock, signal: AbortSignal): Promise<Release>;
  /** A place to take one in, without waiting; undefined if there is none. */
  toTake(): Release | undefined;
}

/** The places of a node, for all its sessions. */
export class LargeBatches {
  readonly #sent = new Semaphore(BATCHES_LARGE_SENT_MAX);
  readonly #taken = new PeerLimiter({ perPeerMax: 1, max: BATCHES_LARGE_TAKEN_MAX });

  with(peer: PeerId): LargePlaces {
    return {
      toSend: async (clock, signal) => {
        for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += LOOK_MS) {
          const release = this.#sent.tryAcquire(1);
          if (release !== undefined) return release;
          await sleep(clock, LOOK_MS, { signal });
        }
        throw new StarfishError("busy", "Enough large batches are being sent", { retryable: true });
      },
      toTake: () => this.#taken.take(peer),
    };
  }
}
