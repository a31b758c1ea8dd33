import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, concat, toHex } from "../../base/bytes.ts";
import { realCrypto } from "../../platform/crypto.ts";
import { type MerkleClaim, merkleProof, merkleRoot, merkleVerify } from "./merkle.ts";

const sha256 = (message: Bytes): Uint8Array => realCrypto.sha256(message);
const entriesOf = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => sha256(Uint8Array.of(i)));

function claimOf(count: number, index: number): MerkleClaim {
  const entries = entriesOf(count);
  const entry = entries[index] ?? new Uint8Array(0);
  return { root: merkleRoot(entries, sha256), count, index, entry, proof: merkleProof(entries, index, sha256) };
}

function flip(bytes: Bytes, bit: number): Uint8Array {
  const flipped = bytes.slice();
  const at = (bit >> 3) % flipped.length;
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** A claim for any entry of a tree of up to 128. */
const claims = fc
  .integer({ min: 1, max: 128 })
  .chain((count) => fc.integer({ min: 0, max: count - 1 }).map((index) => claimOf(count, index)));

describe("Merkle tree", () => {
  // Computed by the recursive definition of the RFC with another implementation (Python's hashlib).
  it.each([
    [1, "d9de27625445003d8a9739a851e3ff8d41c0683630b4d63a88327a6aaa37c409"],
    [2, "604d540f09268b91672ab011394d5266ccd7d4484d0d109411a55848126a1b2c"],
    [7, "bee2275db16667589a4515f63e0d053a2fa602c1d9f9703e98920a5bdad59baf"],
    [8, "80e139b44c90f91edebec705cc7586c3d90f4bdadd49628d25c20d4b03419287"],
    [128, "292c1909c5db2ecc4d978bd20f5223af5ce4b3527ad83c34a772e759c848a2df"],
  ])("has the root of RFC 9162 over %i entries", (count, root) => {
    expect(toHex(merkleRoot(entriesOf(count), sha256))).toBe(root);
  });

  it("proves each entry of each tree", () => {
    for (let count = 1; count <= 33; count++) {
      for (let index = 0; index < count; index++) expect(merkleVerify(claimOf(count, index), sha256)).toBe(true);
    }
    for (const index of [0, 1, 63, 64, 127]) expect(claimOf(128, index).proof.length).toBe(7);
  });

  it("fails for a changed bit, wherever it is", () => {
    fc.assert(
      fc.property(claims, fc.nat(), (claim, bit) => {
        const { root, entry, proof } = claim;
        expect(merkleVerify(claim, sha256)).toBe(true);
        expect(merkleVerify({ ...claim, entry: flip(entry, bit) }, sha256)).toBe(false);
        expect(merkleVerify({ ...claim, root: flip(root, bit) }, sha256)).toBe(false);
        const changed = bit % Math.max(1, proof.length);
        const forged = proof.map((hash, i) => (i === changed ? flip(hash, bit) : hash));
        expect(merkleVerify({ ...claim, proof: forged }, sha256)).toBe(proof.length === 0);
      }),
    );
  });

  it("fails for another place, another length of the proof, and nonsense", () => {
    fc.assert(
      fc.property(claims, fc.integer({ min: -2, max: 200 }), (claim, index) => {
        expect(merkleVerify({ ...claim, index }, sha256)).toBe(index === claim.index);
        expect(merkleVerify({ ...claim, index: index + 0.5 }, sha256)).toBe(false);
        expect(merkleVerify({ ...claim, proof: [...claim.proof, claim.root] }, sha256)).toBe(false);
        if (claim.proof.length > 0) {
          expect(merkleVerify({ ...claim, proof: claim.proof.slice(1) }, sha256)).toBe(false);
        }
      }),
    );
  });

  it("tells entries from inner nodes", () => {
    const [a = new Uint8Array(0), b = new Uint8Array(0)] = entriesOf(2);
    const inner = concat([sha256(concat([Uint8Array.of(0), a])), sha256(concat([Uint8Array.of(0), b]))]);
    const root = merkleRoot([a, b], sha256);
    expect(merkleVerify({ root, count: 1, index: 0, entry: inner, proof: [] }, sha256)).toBe(false);
  });
});
