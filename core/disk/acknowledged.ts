/**
 * Waits until what was written to a map is acknowledged. All callers that come during one round share the next one, so
 * that ten thousand small files cost a few rounds and not ten thousand.
 */
import { isStarfishError } from "../base/errors.ts";
import type { ReplicatedMap } from "../memory/types.ts";

export class Acknowledged {
  readonly #map: ReplicatedMap;
  readonly #signal: AbortSignal;
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(map: ReplicatedMap, signal: AbortSignal) {
    this.#map = map;
    this.#signal = signal;
  }

  /**
   * Resolves when all that was written before the call is acknowledged, however long that takes. Rejects with "io",
   * "cancelled".
   */
  wait(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    const round = this.#running.then(() => {
      this.#next = undefined;
      return this.#sync();
    });
    this.#next = round;
    this.#running = round.catch(() => {});
    return round;
  }

  async #sync(): Promise<void> {
    for (;;) {
      try {
        return await this.#map.sync({ signal: this.#signal });
      } catch (error) {
        // Some members are out of reach, and nobody has noticed yet. The writes go on spreading.
        if (!isStarfishError(error, "timeout")) throw error;
      }
    }
  }
}
