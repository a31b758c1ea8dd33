/** The real sealing, by its contract, against what age's own tool and library write, and without WebCrypto. */
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterEach, describe, expect, it, vi } from "vitest";
import { concat, utf8 } from "../base/bytes.ts";
import { ageContract } from "../ports/age.contract.ts";
import { realAge } from "./age.ts";
import { realRandom } from "./random.ts";

ageContract("age-encryption", () => realAge(realRandom));

/** Bech32 data part to bytes: keys in the text form of age. */
function keyBytes(text: string): Uint8Array {
  const digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  const data = text.toLowerCase().slice(text.lastIndexOf("1") + 1, -6);
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const digit of data) {
    held = (held << 5) | digits.indexOf(digit);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
    held &= (1 << bits) - 1;
  }
  return Uint8Array.from(bytes);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return concat(await Array.fromAsync(stream));
}

describe("the format", () => {
  const age = realAge(realRandom);

  it("is age's: its library opens what is sealed here, and the other way round", async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const secret = keyBytes(identity);
    expect(age.publicKey(secret)).toEqual(keyBytes(recipient));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const sealed = await all(age.seal(once(utf8("from here")), [age.publicKey(secret)]));
    expect(await decrypter.decrypt(sealed, "text")).toBe("from here");
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const theirs = await encrypter.encrypt("from there");
    expect(await all(age.open(once(theirs), [secret]))).toEqual(utf8("from there"));
  });
});

describe("a page by plain http", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("seals and opens without WebCrypto's subtle", async () => {
    const { crypto } = globalThis;
    vi.stubGlobal("crypto", { getRandomValues: (into: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(into) });
    expect(globalThis.crypto.subtle).toBeUndefined();
    const age = realAge(realRandom);
    const secret = new Uint8Array(32).fill(5);
    const sealed = await all(age.seal(once(utf8("clear")), [age.publicKey(secret)]));
    expect(await all(age.open(once(sealed), [secret]))).toEqual(utf8("clear"));
  });
});
