import * as fc from "fast-check";
import { expect, test } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { realCrypto as crypto } from "../../platform/crypto.ts";
import { realRandom as random } from "../../platform/random.ts";
import { createSealer, SEAL_OVERHEAD_BYTES } from "./sealing.ts";

const ours = createSealer(new Uint8Array(32).fill(7))({ crypto, random });
const theirs = createSealer(new Uint8Array(32).fill(8))({ crypto, random });

test("what one member seals another opens, under the same topic only", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.string(), fc.string(), (plaintext, topic, other) => {
      const sealed = ours.seal(topic, plaintext);
      expect(sealed.length).toBe(plaintext.length + SEAL_OVERHEAD_BYTES);
      expect(ours.open(topic, sealed)).toEqual(plaintext);
      expect(ours.open(`${topic}${other}!`, sealed)).toBeUndefined();
    }),
    { numRuns: 50 },
  );
});

test("a stranger opens nothing and forges nothing", () => {
  const sealed = ours.seal("news", utf8("hello"));
  expect(theirs.open("news", sealed)).toBeUndefined();
  expect(ours.open("news", theirs.seal("news", utf8("hello")))).toBeUndefined();
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const altered = sealed.slice();
      altered[at] = (altered[at] ?? 0) ^ flip;
      expect(ours.open("news", altered)).toBeUndefined();
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => ours.open("news", bytes) === undefined));
});

test("keys of many topics come and go without a trace", () => {
  const sealed = ours.seal("first", utf8("x"));
  for (let i = 0; i < 1_000; i++) ours.seal(`topic ${i}`, utf8("x"));
  expect(ours.open("first", sealed)).toEqual(utf8("x"));
});
