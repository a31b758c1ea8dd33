/**
 * HalfSipHash-2-4 with 64 bits of output: a keyed hash for short inputs that is fast on 32-bit arithmetic. Whoever does
 * not know the key can't aim for collisions (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012;
 * the 32-bit variant is the authors' own, https://github.com/veorq/SipHash). Input is fed as 32-bit words.
 */

export class HalfSipHash {
  readonly #k0: number;
  readonly #k1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;
  #words = 0;
  /**
   * The result of `end`: 64 bits as two signed halves, in the order in which the reference implementation writes them.
   */
  a = 0;
  b = 0;

  /** The key's 8 bytes as two little-endian words. */
  constructor(k0: number, k1: number) {
    this.#k0 = k0 | 0;
    this.#k1 = k1 | 0;
  }

  begin(): void {
    this.#v0 = this.#k0;
    this.#v1 = this.#k1 ^ 0xee;
    this.#v2 = 0x6c796765 ^ this.#k0;
    this.#v3 = 0x74656462 ^ this.#k1;
    this.#words = 0;
  }

  word(m: number): void {
    this.#words++;
    this.#v3 ^= m;
    this.#rounds(2);
    this.#v0 ^= m;
  }

  /** Two words, of an integer from 0 to 2^53. */
  integer(value: number): void {
    this.word(value | 0);
    this.word((value / 4294967296) | 0);
  }

  /** Length and characters, two to a word. */
  text(value: string): void {
    const { length } = value;
    this.word(length);
    let i = 0;
    for (; i + 1 < length; i += 2) this.word(value.charCodeAt(i) | (value.charCodeAt(i + 1) << 16));
    if (i < length) this.word(value.charCodeAt(i));
  }

  /** Length and characters of a string in which each is a byte, four to a word. */
  byteText(value: string): void {
    const { length } = value;
    this.word(length);
    let i = 0;
    for (; i + 3 < length; i += 4) {
      this.word(
        value.charCodeAt(i) |
          (value.charCodeAt(i + 1) << 8) |
          (value.charCodeAt(i + 2) << 16) |
          (value.charCodeAt(i + 3) << 24),
      );
    }
    if (i === length) return;
    let last = 0;
    for (let shift = 0; i < length; i++, shift += 8) last |= value.charCodeAt(i) << shift;
    this.word(last);
  }

  /** Puts the hash into `a` and `b`. */
  end(): void {
    const last = (this.#words * 4) << 24;
    this.#v3 ^= last;
    this.#rounds(2);
    this.#v0 ^= last;
    this.#v2 ^= 0xee;
    this.#rounds(4);
    this.a = this.#v1 ^ this.#v3;
    this.#v1 ^= 0xdd;
    this.#rounds(4);
    this.b = this.#v1 ^ this.#v3;
  }

  #rounds(count: number): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3;
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}
