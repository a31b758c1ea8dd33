/**
 * The vectors of the draft: https://datatracker.ietf.org/doc/draft-irtf-cfrg-cpace/, "CPace using group NIST P-256".
 */
import { describe, expect, test } from "vitest";
import { fromHex, toHex, utf8 } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import { generator, generatorString, keyOf, scalarOf, secretPoint, SEED_BYTES, shareOf } from "./cpace.ts";

const INPUT = {
  password: utf8("Password"),
  channel: fromHex("0b415f696e69746961746f720b425f726573706f6e646572"),
  session: fromHex("34b36454cab2e7842c389f7d88ecb7df"),
};
const A = {
  scalar: fromHex("37574cfbf1b95ff6a8e2d7be462d4d01e6dde2618f34f4de9df869b24f532c5d"),
  share:
    "04cf55f0a53a1b4c43002e1be8171f42737cf20b7cd6177b901ef962c2e2d486b2" +
    "f738263c6da5aa902fe185ae2cda587df8d27a16fc19c32a7b31aab097919736",
  says: utf8("ADa"),
};
const B = {
  scalar: fromHex("e5672fc9eb4e721f41d80181ec4c9fd9886668acc48024d33c82bb102aecba52"),
  share:
    "046f538f9b8eb4e628bcace0fbba7d36fea44e98334d233c22101a2f28eb3afc1a" +
    "61b2bd14c0f11b222b5ea34df7756d104e2b5da09c9e8ffa330c150f47e84cef",
  says: utf8("ADb"),
};
const SHARES = [
  { share: fromHex(A.share), says: A.says },
  { share: fromHex(B.share), says: B.says },
] as const;

describe("CPace as the draft has it", () => {
  test("the generator", () => {
    expect(toHex(generatorString(INPUT))).toBe(
      "1e4350616365503235365f584d443a5348412d3235365f535357555f4e555f0850617373776f7264170000000000000000000000000000" +
        "000000000000000000180b415f696e69746961746f720b425f726573706f6e6465721034b36454cab2e7842c389f7d88ecb7df",
    );
    expect(toHex(generator(INPUT).toBytes(false))).toBe(
      "0439bff2b051701594d3e9c7e93be9213af15db42214dfc4f7ee929a6697f774d7" +
        "ba5fb289b982399e4acd281a988bf058ea7ff6d7ff34fdb72157bb464ff4af87",
    );
  });

  test("what each sends, the secret point, and the key", () => {
    expect(toHex(shareOf(INPUT, A.scalar))).toBe(A.share);
    expect(toHex(shareOf(INPUT, B.scalar))).toBe(B.share);
    const secret = "9dd152b687ded1e071cc0625bd1ffff4c4ccd7d77cb4987c7d1e4ecb3a0db812";
    expect(toHex(secretPoint(A.scalar, fromHex(B.share)))).toBe(secret);
    expect(toHex(secretPoint(B.scalar, fromHex(A.share)))).toBe(secret);
    const key = "d67704f1c69b85736f273e73198a79fe5e4f60cb405e32f708e0aff5fdb5f9db";
    expect(toHex(keyOf(INPUT, A.scalar, fromHex(B.share), SHARES))).toBe(key);
    expect(toHex(keyOf(INPUT, B.scalar, fromHex(A.share), SHARES))).toBe(key);
  });

  test("scalar_mult_vfy, and its invalid inputs", () => {
    const scalar = fromHex("f012501c091ff9b99a123fffe571d8bc01e8077ee581362e1bd213990835643b");
    const x = "24648eb986c2be0af636455cef0550671d6bcd8aa26e0d72ffa1b1fd12ba4e0f";
    const y = "78da2b6d2184f31af39e566aef127014b6936c9a37346d10a4ab2514faef58";
    expect(toHex(secretPoint(scalar, fromHex(`04${x}${y}31`)))).toBe(
      "f5a191f078c87c36633b78c701751159d56c59f3fe9105b5720673470f303ab9",
    );
    const invalid = [`04${x}${y}57`, "00", `02${x}`, `00${"00".repeat(64)}`, `04${"ff".repeat(64)}`];
    for (const share of invalid) {
      let caught: unknown;
      try {
        secretPoint(scalar, fromHex(share));
      } catch (error) {
        caught = error;
      }
      expect(isStarfishError(caught, "malformed"), share).toBe(true);
    }
  });
});

test("other words, sessions or sides give other keys; scalars are of one length whatever the seed", () => {
  const scalar = scalarOf(new Uint8Array(SEED_BYTES).fill(255));
  expect(scalar).toHaveLength(32);
  expect(scalarOf(new Uint8Array(SEED_BYTES))).toHaveLength(32);
  const other = { ...INPUT, password: utf8("passworD") };
  expect(toHex(shareOf(other, A.scalar))).not.toBe(A.share);
  const [a, b] = SHARES;
  const keys = [
    keyOf(INPUT, A.scalar, b.share, SHARES),
    keyOf({ session: utf8("another session!") }, A.scalar, b.share, SHARES),
    keyOf(INPUT, A.scalar, b.share, [b, a]),
    keyOf(INPUT, A.scalar, b.share, [{ ...a, says: utf8("x") }, b]),
  ];
  expect(new Set(keys.map(toHex)).size).toBe(keys.length);
});
