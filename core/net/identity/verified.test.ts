import { expect, test } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { realCrypto } from "../../platform/crypto.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { VERIFIED_MAX } from "../limits.ts";
import { rememberVerified } from "./verified.ts";

/** Counts what is worked out. */
function counting(crypto: Crypto): { crypto: Crypto; count: () => number } {
  let count = 0;
  const verify: Crypto["verify"] = (publicKey, message, signature) => {
    count++;
    return crypto.verify(publicKey, message, signature);
  };
  return { crypto: { ...crypto, verify }, count: () => count };
}

const keys = realCrypto.keyPair(new Uint8Array(32).fill(1));
const message = utf8("hello");
const signature = realCrypto.sign(keys.privateKey, message);

test("a right signature is worked out once, a wrong one each time", () => {
  const inner = counting(realCrypto);
  const crypto = rememberVerified(inner.crypto);
  for (let i = 0; i < 3; i++) expect(crypto.verify(keys.publicKey, message, signature)).toBe(true);
  expect(inner.count()).toBe(1);
  for (let i = 0; i < 3; i++) expect(crypto.verify(keys.publicKey, utf8("hellO"), signature)).toBe(false);
  expect(inner.count()).toBe(4);
  expect(crypto.verify(keys.publicKey.subarray(1), message, signature)).toBe(false);
});

test("what is remembered is bounded, and what is in use stays", () => {
  const inner = counting({ ...realCrypto, verify: () => true });
  const crypto = rememberVerified(inner.crypto);
  for (let i = 0; i < 2 * VERIFIED_MAX; i++) {
    crypto.verify(keys.publicKey, utf8(String(i)), signature);
    crypto.verify(keys.publicKey, message, signature);
  }
  expect(inner.count()).toBe(2 * VERIFIED_MAX + 1);
  crypto.verify(keys.publicKey, utf8("0"), signature);
  expect(inner.count()).toBe(2 * VERIFIED_MAX + 2);
});
