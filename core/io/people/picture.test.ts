/** What may be a person's picture, and who may say so. */
import { encode as encodePng } from "fast-png";
import { describe, expect, it } from "vitest";
import { concat, toHex, utf8 } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { signStatement } from "../../net/identity/statement.ts";
import { realCrypto } from "../../platform/crypto.ts";
import { CARD_PURPOSE } from "./card.ts";
import { PICTURE_BYTES_MAX } from "./limits.ts";
import { PICTURE_PURPOSE, pictureOf, readPicture, signPicture } from "./picture.ts";

const [anna, mallory] = [1, 2].map((seed) => realCrypto.keyPair(new Uint8Array(32).fill(seed)));
if (anna === undefined || mallory === undefined) throw new Error("There are two keys");
const NOW_MS = 1_800_000_000_000;
const id = toHex(anna.publicKey);

function png(width: number, height: number): Uint8Array {
  return encodePng({ width, height, data: new Uint8Array(width * height * 3).fill(99), channels: 3 });
}

/** The size that a picture claims, by the error that it is too large. */
function claimed(bytes: Uint8Array): string {
  try {
    return pictureOf(bytes).type;
  } catch (error) {
    if (isStarfishError(error)) return error.message;
    throw error;
  }
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** Two bytes, the most significant first. */
const two = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 255);

describe("a person's picture", () => {
  it("is a PNG, and no SVG, page, or anything else that is not a small picture", () => {
    expect(pictureOf(png(96, 96))).toEqual({ type: "image/png", bytes: png(96, 96) });
    const wrong = [
      "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
      "<!doctype html><script>alert(1)</script>",
      "GIF89a".padEnd(40, "x"),
      "\u0089PNG\r\n\u001a\n",
      "RIFF1234WEBPEXIF".padEnd(40, "x"),
      "\u00ff\u00d8",
      "",
    ];
    for (const text of wrong) expect(claimed(ascii(text)), text).toMatch(/is a PNG, a JPEG or a WebP/);
  });

  it("claims no more pixels and has no more bytes than are bounded", () => {
    expect(claimed(png(257, 3))).toMatch(/257 × 3 pixels/);
    expect(claimed(png(3, 256))).toBe("image/png");
    expect(claimed(concat([png(9, 9), new Uint8Array(PICTURE_BYTES_MAX)]))).toMatch(/at most 16 KiB/);
    // RFC 9649: an extended file of 30,001 × 4 pixels; RFC 6386: a lossy one of 16,383 × 5.
    const riff = (chunk: string, rest: readonly number[]): Uint8Array =>
      concat([ascii(`RIFF0000WEBP${chunk}0000`), Uint8Array.from(rest), new Uint8Array(9)]);
    expect(claimed(riff("VP8X", [0, 0, 0, 0, 0x30, 0x75, 0, 3, 0, 0]))).toMatch(/30001 × 4 pixels/);
    expect(claimed(riff("VP8 ", [0, 0, 0, 0x9d, 1, 0x2a, 0xff, 0x3f, 5, 0]))).toMatch(/16383 × 5 pixels/);
    expect(claimed(riff("VP8L", [0x2f, 0xff, 0xff, 0xff, 0xff]))).toMatch(/16384 × 16384 pixels/);
    // T.81: an application segment, then the header of a progressive frame.
    const jpeg = (sof: number): Uint8Array =>
      concat([Uint8Array.of(0xff, 0xd8, 0xff, 0xe1, 0, 6, 1, 2, 3, 4, 0xff, sof, 0, 17, 8), two(9_000), two(7)]);
    expect(claimed(jpeg(0xc2))).toMatch(/7 × 9000 pixels/);
    expect(claimed(jpeg(0xc4))).toMatch(/is a PNG, a JPEG or a WebP/);
    expect(claimed(Uint8Array.of(0xff, 0xd8, ...new Uint8Array(5_000).fill(0xff)))).toMatch(/is a PNG, a JPEG/);
  });

  it("is signed by the person, for this purpose, and not altered", () => {
    const entry = signPicture(realCrypto, anna, NOW_MS, pictureOf(png(9, 9)));
    expect(readPicture(realCrypto, id, entry.wire)).toEqual(entry);
    const none = signPicture(realCrypto, anna, NOW_MS, undefined);
    expect(readPicture(realCrypto, id, none.wire)).toEqual(none);
    const why = (wire: Uint8Array, person = id): string => {
      const read = readPicture(realCrypto, person, wire);
      return "why" in read ? read.why : "";
    };
    expect(why(entry.wire, toHex(mallory.publicKey))).toBe("not signed by the person");
    expect(why(signPicture(realCrypto, mallory, NOW_MS, undefined).wire)).toBe("not signed by the person");
    for (let at = 0; at < entry.wire.length; at += 5) {
      const changed = entry.wire.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(why(changed), `byte ${at}`).not.toBe("");
    }
    const signed = (purpose: string, bytes: Uint8Array): Uint8Array => {
      const body = encode([1, NOW_MS, bytes]);
      return encode([body, signStatement(realCrypto, anna.privateKey, purpose, body)]);
    };
    expect(why(signed(CARD_PURPOSE, png(9, 9)))).toBe("not signed by the person");
    expect(why(signed(PICTURE_PURPOSE, utf8("<svg/>")))).toMatch(/is a PNG, a JPEG or a WebP/);
    expect(why(signed(PICTURE_PURPOSE, png(999, 1)))).toMatch(/999 × 1 pixels/);
    expect(why(utf8("no entry"))).not.toBe("");
  });
});
