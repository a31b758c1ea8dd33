/**
 * Takes the place of Maelstrom's network: delivers messages late, out of order, or not at all if it is cut or lossy.
 */
import type { Clock } from "../../core/ports/clock.ts";
import type { Random } from "../../core/ports/random.ts";

export interface MailOptions {
  readonly delayMs: number;
  /** A random delay on top, so that messages overtake each other. */
  readonly jitterMs: number;
  readonly lost: number;
}

export class Mail<M> {
  readonly #options: MailOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #boxes = new Map<string, (from: string, message: M) => void>();
  /** Whether nothing gets from the one to the other now. */
  cut: (from: string, to: string) => boolean = () => false;

  constructor(options: MailOptions, clock: Clock, random: Random) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  open(name: string, receive: (from: string, message: M) => void): void {
    this.#boxes.set(name, receive);
  }

  send(from: string, to: string, message: M): void {
    const { delayMs, jitterMs, lost } = this.#options;
    if (this.cut(from, to) || this.#random.real() < lost) return;
    this.#clock.timer(delayMs + this.#random.real() * jitterMs, () => {
      if (!this.cut(from, to)) this.#boxes.get(to)?.(from, message);
    });
  }
}
