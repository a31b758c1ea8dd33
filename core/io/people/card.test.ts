/**
 * Cards: a card that its node has signed is read. One that somebody else has signed, or whose person has not signed, is
 * invalid.
 */
import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../base/bytes.ts";
import { decodeAny, encode } from "../../base/codec.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import { signStatement } from "../../net/identity/statement.ts";
import { CARD_BYTES_MAX } from "../../net/membership/record.ts";
import { realCrypto } from "../../platform/crypto.ts";
import { cardName, CARD_PURPOSE, type CardSays, makeCard, readCard } from "./card.ts";

const [node, other, anna] = [1, 2, 3].map((seed) => realCrypto.keyPair(new Uint8Array(32).fill(seed)));
if (node === undefined || other === undefined || anna === undefined) throw new Error("There are three keys");
const signer =
  (keys: typeof node) =>
  (purpose: string, body: Uint8Array): Uint8Array =>
    signStatement(realCrypto, keys.privateKey, purpose, body);

const says: CardSays = {
  peer: peerIdOf(node.publicKey),
  madeAtMs: 1_800_000_000_000,
  name: "otter",
  mailKey: new Uint8Array(32).fill(9),
  person: { keys: anna, name: "anna", mailKey: new Uint8Array(32).fill(8) },
};

function why(wire: Uint8Array): string {
  const read = readCard(realCrypto, wire);
  return "why" in read ? read.why : "";
}

describe("a card", () => {
  it("is read as it was made, with and without a person", () => {
    const card = makeCard(realCrypto, signer(node), says);
    expect(readCard(realCrypto, card.wire)).toEqual(card);
    expect(card.person?.id).toBe(toHex(anna.publicKey));
    const nobody = makeCard(realCrypto, signer(node), { ...says, person: undefined });
    expect(readCard(realCrypto, nobody.wire)).toEqual(nobody);
    expect(nobody.person).toBeUndefined();
  });

  it("fits a member's record with the longest names", () => {
    const name = "\u{10400}".repeat(16);
    const person = { keys: anna, name: "漢".repeat(32), mailKey: says.mailKey };
    expect(makeCard(realCrypto, signer(node), { ...says, name, person }).wire.length).toBeLessThan(CARD_BYTES_MAX);
  });

  it("is none where the node has not signed it, or one byte is another", () => {
    expect(why(makeCard(realCrypto, signer(other), says).wire)).toContain("not signed by the node");
    const { wire } = makeCard(realCrypto, signer(node), says);
    for (let at = 0; at < wire.length; at += 7) {
      const changed = wire.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(why(changed), `byte ${at}`).not.toBe("");
    }
    expect(why(utf8("no card"))).not.toBe("");
  });

  it("makes nobody a person's node without that person's key, nor another node by what was signed for one", () => {
    const stolen = { ...anna, privateKey: other.privateKey };
    const claimed = makeCard(realCrypto, signer(node), {
      ...says,
      person: { keys: stolen, name: "anna", mailKey: says.mailKey },
    });
    expect(why(claimed.wire)).toContain("a person who has not signed");
    // Anna's signature for one node, in a card of another.
    const [body] = decodeAny(makeCard(realCrypto, signer(node), says).wire) as [Uint8Array];
    const fields = decodeAny(body) as unknown[];
    fields[1] = peerIdOf(other.publicKey);
    const moved = encode(fields);
    expect(why(encode([moved, signer(other)(CARD_PURPOSE, moved)]))).toContain("a person who has not signed");
  });

  it("has a name of one line, whatever the node is called", () => {
    expect(cardName("a\u001b[2Jb\n" + "c".repeat(60))).toBe(`a\ufffd[2Jb\ufffd${"c".repeat(25)}`);
    expect(cardName("x".repeat(31) + "\u{1f980}")).toBe(`${"x".repeat(31)}\ufffd`);
  });
});
