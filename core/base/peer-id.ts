/**
 * The text form of a node's identity: the libp2p PeerId of an Ed25519 public key. Such an id contains the whole key, so
 * that each can be computed from the other. (https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md)
 */
import { base58btc } from "multiformats/bases/base58";
import { type Bytes, concat } from "./bytes.ts";
import { StarfishError } from "./errors.ts";

/** An identity multihash (00) of 36 bytes (24): protobuf key type (08) Ed25519 (01), key data (12) of 32 bytes (20). */
const PREFIX: Uint8Array = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const KEY_BYTES = 32;
/** 38 bytes that begin with this prefix are always 52 digits of base 58. Longer text is not worth decoding. */
const ID_LENGTH = 52;

/** The PeerId of a 32-byte Ed25519 public key. Throws StarfishError "malformed" on another length. */
export function peerIdOf(publicKey: Bytes): string {
  if (publicKey.length !== KEY_BYTES) {
    throw new StarfishError("malformed", `An Ed25519 public key has ${KEY_BYTES} bytes, not ${publicKey.length}`);
  }
  return base58btc.baseEncode(concat([PREFIX, publicKey]));
}

/** The 32-byte public key in a PeerId. Throws StarfishError "malformed" if it is not one of an Ed25519 key. */
export function publicKeyOf(peer: string): Uint8Array<ArrayBuffer> {
  if (peer.length !== ID_LENGTH) throw malformed();
  let bytes: Uint8Array;
  try {
    bytes = base58btc.baseDecode(peer);
  } catch (error) {
    throw malformed(error);
  }
  if (bytes.length !== PREFIX.length + KEY_BYTES) throw malformed();
  if (!PREFIX.every((byte, i) => bytes[i] === byte)) throw malformed();
  return bytes.slice(PREFIX.length);
}

function malformed(cause?: unknown): StarfishError {
  return new StarfishError("malformed", "Not the PeerId of an Ed25519 key", { cause });
}
