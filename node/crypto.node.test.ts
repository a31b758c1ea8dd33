/** OpenSSL's cryptography gives the same answers as JavaScript's, for honest and for crafted signatures. */
import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { expect, test } from "vitest";
import { concat, utf8 } from "../core/base/bytes.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { cryptoContract } from "../core/ports/crypto.contract.ts";
import { nodeCrypto } from "./crypto.ts";

cryptoContract("of Node", () => nodeCrypto, { runs: 100 });

const { Point } = ed25519;
const { Fp, Fn } = Point;
const seed = new Uint8Array(32).fill(7);
const message = utf8("a message");

test("signs as the other does", () => {
  expect(nodeCrypto.sign(seed, message)).toEqual(realCrypto.sign(seed, message));
});

test("a signature that only the equation with the cofactor takes is taken by both", () => {
  const { scalar, pointBytes: publicKey } = ed25519.utils.getExtendedPublicKey(seed);
  const torsion = Point.fromHex(ED25519_TORSION_SUBGROUP[1] as string);
  const nonce = 123_456_789n;
  const r = Point.BASE.multiply(nonce).add(torsion).toBytes();
  const challenge = Fn.create(littleEndian(sha512(concat([r, publicKey, message]))));
  const s = Fn.toBytes(Fn.create(nonce + challenge * scalar));
  const signature = concat([r, s]);
  expect(realCrypto.verify(publicKey, message, signature)).toBe(true);
  expect(nodeCrypto.verify(publicKey, message, signature)).toBe(true);
});

test("keys of small order and encodings that are not canonical are refused by both", () => {
  const notCanonical = Fp.ORDER + 1n;
  const keys = [...ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex).toBytes()), bytesOf(notCanonical)];
  for (const key of keys) {
    const signature = concat([key, new Uint8Array(32)]);
    expect(realCrypto.verify(key, message, signature)).toBe(false);
    expect(nodeCrypto.verify(key, message, signature)).toBe(false);
  }
});

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}
