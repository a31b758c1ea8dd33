/** What every Age must do. */
import { describe, expect, it } from "vitest";
import { concat, equal, utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { type Age, AGE_HEADER_BYTES_MAX, AGE_RECIPIENTS_MAX } from "./age.ts";

const CHUNK_BYTES = 64 * 1024;
const secretOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return concat(await Array.fromAsync(stream));
}

function content(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

export function ageContract(name: string, create: () => Age): void {
  describe(`Age: ${name}`, () => {
    const age = create();
    const [anna, ben, carl] = [secretOf(1), secretOf(2), secretOf(3)];
    const seal = (bytes: Uint8Array, secrets: readonly Uint8Array[], size = 10_000): Promise<Uint8Array> =>
      all(
        age.seal(
          pieces(bytes, size),
          secrets.map((secret) => age.publicKey(secret)),
        ),
      );
    const open = (sealed: Uint8Array, secrets: readonly Uint8Array[], size = 10_000): Promise<Uint8Array> =>
      all(age.open(pieces(sealed, size), secrets));

    it("has one public key for one secret", () => {
      expect(age.publicKey(anna)).toEqual(age.publicKey(anna));
      expect(age.publicKey(anna).length).toBe(32);
      expect(equal(age.publicKey(anna), age.publicKey(ben))).toBe(false);
      expect(equal(age.publicKey(anna), anna)).toBe(false);
    });

    it.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])(
      "gives %d bytes back to each reader, in pieces of any size",
      async (length) => {
        const sealed = await seal(content(length), [anna, ben], 9_999);
        expect(equal(await open(sealed, [anna], 777), content(length))).toBe(true);
        expect(equal(await open(sealed, [carl, ben], 1_000_000), content(length))).toBe(true);
      },
    );

    it("seals differently each time, and shows nothing of what is in it", async () => {
      const bytes = utf8("the same line over and over\n".repeat(40));
      const [one, two] = [await seal(bytes, [anna]), await seal(bytes, [anna])];
      expect(equal(one, two)).toBe(false);
      expect(new TextDecoder().decode(one)).not.toContain("same line");
    });

    it("opens for nobody else", async () => {
      const sealed = await seal(content(100), [anna]);
      await expect(open(sealed, [carl])).rejects.toMatchObject({ code: "malformed" });
      await expect(open(sealed, [])).rejects.toMatchObject({ code: "malformed" });
    });

    it("takes as many readers as it says", async () => {
      const secrets = Array.from({ length: AGE_RECIPIENTS_MAX }, (_, i) => secretOf(i + 1));
      const sealed = await seal(content(10), secrets);
      expect(sealed.length).toBeLessThan(AGE_HEADER_BYTES_MAX);
      expect(await open(sealed, [secretOf(AGE_RECIPIENTS_MAX)])).toEqual(content(10));
    });

    it("refuses what was changed, wherever, and what was cut short", async () => {
      const sealed = await seal(content(CHUNK_BYTES + 500), [anna]);
      const places = [0, 30, 60, 120, 180, 240, CHUNK_BYTES, sealed.length - 1].filter((at) => at < sealed.length);
      for (const at of places) {
        const changed = sealed.slice();
        changed[at] = (changed[at] ?? 0) ^ 1;
        await expect(open(changed, [anna]), `byte ${at}`).rejects.toMatchObject({ code: "malformed" });
      }
      for (const length of [0, 20, 100, CHUNK_BYTES, sealed.length - 516, sealed.length - 1]) {
        await expect(open(sealed.slice(0, length), [anna]), `${length} bytes`).rejects.toMatchObject({
          code: "malformed",
        });
      }
    });

    it("reads no further than a header may be long", async () => {
      let read = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield utf8("age-encryption.org/v1\n-> X25519 ");
        for (;;) {
          read += 1_024;
          yield new Uint8Array(1_024).fill(0x61);
        }
      }
      await expect(all(age.open(endless(), [anna]))).rejects.toMatchObject({ code: "malformed" });
      expect(read).toBeLessThan(2 * AGE_HEADER_BYTES_MAX + 100_000);
    });

    it("refuses a public key that is none", async () => {
      const bad = age.seal(pieces(content(10), 10), [new Uint8Array(5)]);
      await expect(all(bad)).rejects.toMatchObject({ code: "malformed" });
    });

    it("passes on what the source fails with, and closes one that is read no further", async () => {
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield content(200_000);
        throw new StarfishError("lost", "out of reach");
      }
      await expect(all(age.seal(failing(), [age.publicKey(anna)]))).rejects.toMatchObject({ code: "lost" });
      let closed = 0;
      async function* long(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield content(CHUNK_BYTES);
        } finally {
          closed++;
        }
      }
      let seen = 0;
      for await (const piece of age.seal(long(), [age.publicKey(anna)])) {
        seen += piece.length;
        if (seen > 3 * CHUNK_BYTES) break;
      }
      await expect.poll(() => closed).toBe(1);
    });
  });
}
