/** What every Crypto must do. The test vectors of the standards are in platform/crypto.test.ts, for the real one. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { equal, utf8 } from "../base/bytes.ts";
import type { Crypto } from "./crypto.ts";

const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

/** The bytes with one bit turned over. */
function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  const at = bit % (8 * bytes.length);
  flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7));
  return flipped;
}

/** `runs` is the number of cases that each property tries, because real signatures are slow. */
export function cryptoContract(name: string, create: () => Crypto, options: { runs: number }): void {
  const { runs: numRuns } = options;
  const bytes = fc.uint8Array({ maxLength: 200 });
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const nonce = fc.uint8Array({ minLength: 24, maxLength: 24 });

  describe(`Crypto: ${name}`, () => {
    it("makes one key pair of one seed", () => {
      const crypto = create();
      const pair = crypto.keyPair(seedOf(1));
      expect(pair.privateKey).toEqual(seedOf(1));
      expect(pair.publicKey.length).toBe(32);
      expect(crypto.keyPair(seedOf(1))).toEqual(pair);
      expect(crypto.keyPair(seedOf(2)).publicKey).not.toEqual(pair.publicKey);
    });

    it("verifies what it signs, and nothing else", () => {
      const crypto = create();
      const other = crypto.keyPair(seedOf(9)).publicKey;
      fc.assert(
        fc.property(key, bytes, fc.nat(), (seed, message, bit) => {
          const { publicKey, privateKey } = crypto.keyPair(seed);
          const signature = crypto.sign(privateKey, message);
          expect(signature.length).toBe(64);
          expect(crypto.verify(publicKey, message, signature)).toBe(true);
          expect(crypto.verify(publicKey, message, flip(signature, bit))).toBe(false);
          expect(crypto.verify(flip(publicKey, bit), message, signature)).toBe(false);
          expect(crypto.verify(other, message, signature)).toBe(false);
          const changed = message.length === 0 ? utf8("x") : flip(message, bit);
          expect(crypto.verify(publicKey, changed, signature)).toBe(false);
        }),
        { numRuns },
      );
    });

    it("answers false, not an exception, to keys and signatures of any shape", () => {
      const crypto = create();
      const { publicKey, privateKey } = crypto.keyPair(seedOf(3));
      const message = utf8("message");
      const signature = crypto.sign(privateKey, message);
      for (const length of [0, 1, 31, 33, 63, 65, 1000]) {
        expect(crypto.verify(new Uint8Array(length), message, signature)).toBe(false);
        expect(crypto.verify(publicKey, message, new Uint8Array(length))).toBe(false);
      }
      expect(crypto.verify(new Uint8Array(32), message, new Uint8Array(64))).toBe(false);
      expect(crypto.verify(new Uint8Array(32).fill(0xff), message, signature)).toBe(false);
    });

    it("hashes with SHA-256", () => {
      const crypto = create();
      const hex = (text: string): string =>
        [...crypto.sha256(utf8(text))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      // FIPS 180-4, examples of NIST.
      expect(hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
      expect(hex("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
      const message = Uint8Array.of(0, 97, 98, 99).subarray(1);
      expect(crypto.sha256(message)).toEqual(crypto.sha256(utf8("abc")));
    });

    it("derives a secret of its own for each purpose", () => {
      const crypto = create();
      const secret = seedOf(4);
      const derived = crypto.derive(secret, "gossip", 32);
      expect(derived.length).toBe(32);
      expect(crypto.derive(secret, "gossip", 32)).toEqual(derived);
      expect(crypto.derive(secret, "invite", 32)).not.toEqual(derived);
      expect(crypto.derive(seedOf(5), "gossip", 32)).not.toEqual(derived);
      expect(crypto.derive(secret, "gossip", 80).length).toBe(80);
    });

    it("opens what it seals, and nothing else", () => {
      const crypto = create();
      fc.assert(
        fc.property(key, nonce, bytes, bytes, fc.nat(), (sealKey, sealNonce, plaintext, associated, bit) => {
          const sealed = crypto.seal(sealKey, sealNonce, plaintext, associated);
          expect(sealed.length).toBe(plaintext.length + 16);
          expect(crypto.open(sealKey, sealNonce, sealed, associated)).toEqual(plaintext);
          expect(crypto.open(sealKey, sealNonce, flip(sealed, bit), associated)).toBeUndefined();
          expect(crypto.open(flip(sealKey, bit), sealNonce, sealed, associated)).toBeUndefined();
          expect(crypto.open(sealKey, flip(sealNonce, bit), sealed, associated)).toBeUndefined();
          const changed = associated.length === 0 ? utf8("x") : flip(associated, bit);
          expect(crypto.open(sealKey, sealNonce, sealed, changed)).toBeUndefined();
        }),
        { numRuns: numRuns * 10 },
      );
    });

    it("opens nothing that is too short to have been sealed", () => {
      const crypto = create();
      for (const length of [0, 1, 15, 16]) {
        expect(crypto.open(seedOf(1), new Uint8Array(24), new Uint8Array(length), new Uint8Array(0))).toBeUndefined();
      }
    });

    it("hides the plaintext", () => {
      const crypto = create();
      const plaintext = utf8("the same words again and again, the same words again and again");
      const sealed = crypto
        .seal(seedOf(1), new Uint8Array(24), plaintext, new Uint8Array(0))
        .slice(0, plaintext.length);
      expect(equal(sealed, plaintext)).toBe(false);
      const same = sealed.filter((byte, i) => byte === plaintext[i]).length;
      expect(same).toBeLessThan(8);
    });
  });
}
