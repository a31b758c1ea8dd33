/** The real cryptography against the test vectors of its standards. */
import { describe, expect, it } from "vitest";
import { concat, text, toHex, utf8 } from "../base/bytes.ts";
import { realCrypto } from "./crypto.ts";

function bytes(hex: string): Uint8Array {
  const pairs = hex.replace(/\s/g, "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

describe("Ed25519, RFC 8032 section 7.1", () => {
  const vectors = [
    {
      seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      message: "",
      signature: `e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
        5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b`,
    },
    {
      seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      message: "72",
      signature: `92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00`,
    },
    {
      seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      message: "af82",
      signature: `6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
        18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a`,
    },
  ];

  it.each(vectors)("of the message '$message'", ({ seed, publicKey, message, signature }) => {
    expect(toHex(realCrypto.keyPair(bytes(seed)).publicKey)).toBe(publicKey);
    expect(realCrypto.sign(bytes(seed), bytes(message))).toEqual(bytes(signature));
    expect(realCrypto.verify(bytes(publicKey), bytes(message), bytes(signature))).toBe(true);
  });

  it("refuses a key of small order, which would verify one signature for every message", () => {
    const one = concat([Uint8Array.of(1), new Uint8Array(31)]);
    const signature = concat([one, new Uint8Array(32)]);
    expect(realCrypto.verify(one, utf8("a"), signature)).toBe(false);
    expect(realCrypto.verify(one, utf8("b"), signature)).toBe(false);
  });
});

describe("HKDF-SHA-256, RFC 5869", () => {
  it("test case 3, the one without salt and with no info", () => {
    const derived = realCrypto.derive(new Uint8Array(22).fill(0x0b), "", 42);
    expect(toHex(derived)).toBe("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  });
});

describe("XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03 appendix A.3.1", () => {
  const key = bytes("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const nonce = bytes("404142434445464748494a4b4c4d4e4f5051525354555657");
  const associated = bytes("50515253c0c1c2c3c4c5c6c7");
  const plaintext =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
  const sealed = bytes(`bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb
    731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452
    2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
    21f9664c97637da9768812f615c68b13b52e c0875924c1c7987947deafd8780acf49`);

  it("seals", () => {
    expect(toHex(realCrypto.seal(key, nonce, utf8(plaintext), associated))).toBe(toHex(sealed));
  });

  it("opens", () => {
    const opened = realCrypto.open(key, nonce, sealed, associated);
    expect(opened && text(opened)).toBe(plaintext);
  });
});
