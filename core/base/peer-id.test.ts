/** PeerIds, against those that libp2p makes of the same keys. */
import { publicKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { equal } from "./bytes.ts";
import { isStarfishError } from "./errors.ts";
import { peerIdOf, publicKeyOf } from "./peer-id.ts";

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
const isMalformed = (work: () => unknown): boolean => {
  try {
    work();
    return false;
  } catch (error) {
    return isStarfishError(error, "malformed");
  }
};

describe("peer ids", () => {
  it("are those of libp2p", () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(peerIdOf(key)).toBe(peerIdFromPublicKey(publicKeyFromRaw(key)).toString());
      }),
    );
  });

  it("contain the key", () => {
    fc.assert(fc.property(keys, (key) => equal(publicKeyOf(peerIdOf(key)), key)));
  });

  it("come of keys of 32 bytes only", () => {
    expect(isMalformed(() => peerIdOf(new Uint8Array(31)))).toBe(true);
    expect(isMalformed(() => peerIdOf(new Uint8Array(33)))).toBe(true);
  });

  it("are told from everything else", () => {
    const id = peerIdOf(new Uint8Array(32));
    expect(id.startsWith("12D3Koo")).toBe(true);
    expect(id.length).toBe(52);
    const wrong = [
      "",
      "12D3Koo",
      `${id}1`,
      `1${id.slice(0, -1)}`,
      id.replace("D", "0"),
      `z${id.slice(1)}`,
      "Q".repeat(52),
    ];
    expect(wrong.filter((text) => !isMalformed(() => publicKeyOf(text)))).toEqual([]);
    fc.assert(
      fc.property(fc.string({ minLength: 50, maxLength: 54 }), (wrong) => isMalformed(() => publicKeyOf(wrong))),
    );
  });
});
