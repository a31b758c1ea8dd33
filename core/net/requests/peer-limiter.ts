/** Counts the running requests of each peer and of all peers, and keeps them within bounds. */
import type { PeerId } from "../../ports/network.ts";

export class PeerLimiter {
  readonly #perPeerMax: number;
  readonly #max: number;
  readonly #taken = new Map<PeerId, number>();
  #total = 0;

  constructor(options: { readonly perPeerMax: number; readonly max: number }) {
    this.#perPeerMax = options.perPeerMax;
    this.#max = options.max;
  }

  /** Takes a slot for the peer; the result, to be called once, gives it back. Undefined when there is none. */
  take(peer: PeerId): (() => void) | undefined {
    const taken = this.#taken.get(peer) ?? 0;
    if (taken >= this.#perPeerMax || this.#total >= this.#max) return undefined;
    this.#taken.set(peer, taken + 1);
    this.#total++;
    return () => {
      const left = (this.#taken.get(peer) ?? 1) - 1;
      if (left > 0) this.#taken.set(peer, left);
      else this.#taken.delete(peer);
      this.#total--;
    };
  }
}
