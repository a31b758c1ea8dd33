/**
 * The identity of this node: an Ed25519 key pair, made once and kept in its store, so that a restart is the same node;
 * and the device whose fate it shares. Assumes that nobody else uses the same store at the same time.
 */
import { StarfishError } from "../../base/errors.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import type { Store } from "../../ports/store.ts";

export interface Identity {
  readonly peer: PeerId;
  readonly keys: KeyPair;
  readonly device: string;
}

const SEED_KEY = "net/key";
const SEED_BYTES = 32;

export interface IdentityPorts {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly random: Random;
}

/**
 * The node's identity; makes one if the store has none. `device` is the device of which the node is a part; without it
 * the node is a device of its own. Rejects with "io" if the store fails or holds something that is not a key.
 */
export async function loadIdentity(
  ports: IdentityPorts,
  options: { readonly device?: string | undefined } = {},
): Promise<Identity> {
  const keys = ports.crypto.keyPair(await loadSeed(ports));
  const peer = peerIdOf(keys.publicKey);
  return { peer, keys, device: options.device ?? peer };
}

async function loadSeed({ store, random }: IdentityPorts): Promise<Uint8Array> {
  const kept = await store.get(SEED_KEY);
  if (kept === undefined) {
    const made = random.bytes(SEED_BYTES);
    await store.set(SEED_KEY, made);
    return made;
  }
  if (kept.length === SEED_BYTES) return kept;
  // With a new key this would silently become a new node, and the shards that it has stored would not count any more.
  throw new StarfishError(
    "io",
    `The stored key of this node is damaged (${kept.length} bytes instead of ${SEED_BYTES})`,
  );
}
