/**
 * UUIDs of version 7 (RFC 9562). They begin with the time, so that later ones sort later. Those of one millisecond
 * count up in the bits that follow it (the RFC's method 1), from a random number.
 */

const COUNT_BITS = 12;

export class Uuids {
  readonly #now: () => number;
  readonly #random: () => number;
  #lastMs = 0;
  #count = 0;

  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  next(): string {
    const nowMs = Math.floor(this.#now());
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#count = this.#chance(COUNT_BITS - 1);
    } else if (++this.#count >= 2 ** COUNT_BITS) {
      this.#lastMs++;
      this.#count = 0;
    }
    const time = hex(this.#lastMs, 12);
    const variant = hex(8 + this.#chance(2), 1);
    const [a, b] = [hex(this.#chance(12), 3), hex(this.#chance(48), 12)];
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(this.#count, 3)}-${variant}${a}-${b}`;
  }

  #chance(bits: number): number {
    return Math.floor(this.#random() * 2 ** bits);
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
