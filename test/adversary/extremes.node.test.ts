/** Encodes and decodes every extreme of every schema: it is accepted, or is "malformed", and nothing else happens. */
import { expect, test } from "vitest";
import { equal } from "../../core/base/bytes.ts";
import { decode, encode } from "../../core/base/codec.ts";
import { isStarfishError } from "../../core/base/errors.ts";
import { peerIdOf } from "../../core/base/peer-id.ts";
import { issue } from "../../core/net/identity/certificate.ts";
import { realCrypto } from "../../core/platform/crypto.ts";
import { extremesOf } from "./extremes.ts";
import { allSchemas } from "./registry.ts";
import { dictionaryOf, samplesOf, type Speaker } from "./samples.ts";
import { unboundedIn } from "./shape.ts";

const NOW_MS = 1_800_000_000_000;
const [root, keys, victim] = [1, 2, 3].map((seed) => realCrypto.keyPair(new Uint8Array(32).fill(seed)));
if (root === undefined || keys === undefined || victim === undefined) throw new Error("There are three keys");
const says = { swarm: root.publicKey, subject: keys.publicKey, kind: "member", role: "member" } as const;
const speaker: Speaker = {
  crypto: realCrypto,
  keys,
  root: root.publicKey,
  chain: [issue(realCrypto, root, { ...says, notBeforeMs: 0, notAfterMs: 2 * NOW_MS })],
  victim: peerIdOf(victim.publicKey),
  map: "mem",
  layout: "abc123",
  cid: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
  nowMs: NOW_MS,
};
const samples = samplesOf(speaker);
const bytes = dictionaryOf(speaker);

test("every schema has an honest value, and no value is of a schema that is gone", () => {
  expect(Object.keys(samples).toSorted()).toEqual([...allSchemas().keys()].toSorted());
});

test.each([...allSchemas()])("%s: each extreme passes or is malformed", (name, schema) => {
  const honest = samples[name];
  expect(decode(schema, encode(honest))).toEqual(honest);
  // A schema that accepts anything is checked again before its value is used.
  const isStrict = !unboundedIn(schema).some((place) => place.endsWith(": unknown"));
  let [passed, refused] = [0, 0];
  for (const { what, value } of extremesOf(schema, honest, { bytes })) {
    const encoded = encode(value);
    let read: unknown;
    try {
      read = decode(schema, encoded);
    } catch (error) {
      if (!isStarfishError(error, "malformed"))
        throw new Error(`${what} is not refused as it should`, { cause: error });
      refused++;
      continue;
    }
    passed++;
    // What was accepted once is accepted again as it was decoded; otherwise two nodes that forward it would disagree.
    if (isStrict) expect(equal(encode(decode(schema, encode(read))), encode(read)), what).toBe(true);
  }
  expect(passed).toBeGreaterThan(0);
  if (isStrict) expect(refused).toBeGreaterThan(5);
});
