/**
 * Sealing of gossip: XChaCha20-Poly1305 under a key derived from the swarm's secret for each topic. A node that is no
 * member can neither read nor forge a payload, and a payload sealed for one topic opens under no other. A seal does not
 * tell which member made it; gossip signs payloads for that.
 *
 * Sealed form: nonce (24 random bytes), then ciphertext and tag.
 */
import { concat, utf8, type Bytes } from "../../base/bytes.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Random } from "../../ports/random.ts";
import { SEALER_TOPICS_MAX } from "../limits.ts";

export interface Sealer {
  seal(topic: string, plaintext: Bytes): Uint8Array;
  /** The plaintext, or undefined if it was not sealed for this topic with this swarm's secret. */
  open(topic: string, sealed: Bytes): Uint8Array | undefined;
}

const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** Bytes by which a payload grows. */
export const SEAL_OVERHEAD_BYTES: number = NONCE_BYTES + TAG_BYTES;

export function createSealer(secret: Bytes): (ports: { readonly crypto: Crypto; readonly random: Random }) => Sealer {
  return ({ crypto, random }) => {
    const keys = new Map<string, Uint8Array>();

    function keyOf(topic: string): Uint8Array {
      const known = keys.get(topic);
      if (known !== undefined) return known;
      const key = crypto.derive(secret, `starfish gossip 1 ${topic}`, KEY_BYTES);
      // Members choose topics too, so the oldest key is forgotten instead of letting the map grow.
      const [oldest] = keys.keys();
      if (oldest !== undefined && keys.size >= SEALER_TOPICS_MAX) keys.delete(oldest);
      keys.set(topic, key);
      return key;
    }

    return {
      seal(topic, plaintext) {
        const nonce = random.bytes(NONCE_BYTES);
        return concat([nonce, crypto.seal(keyOf(topic), nonce, plaintext, utf8(topic))]);
      },
      open(topic, sealed) {
        if (sealed.length < SEAL_OVERHEAD_BYTES) return undefined;
        const nonce = sealed.subarray(0, NONCE_BYTES);
        return crypto.open(keyOf(topic), nonce, sealed.subarray(NONCE_BYTES), utf8(topic));
      },
    };
  };
}
