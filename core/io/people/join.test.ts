/** Codes by which a node becomes one of a person's, against a net in memory. */
import { describe, expect, it } from "vitest";
import type * as v from "valibot";
import { toHex } from "../../base/bytes.ts";
import { check, encode } from "../../base/codec.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import type { Net, RequestContext } from "../../net/types.ts";
import { realClock } from "../../platform/clock.ts";
import { realCrypto } from "../../platform/crypto.ts";
import { realRandom } from "../../platform/random.ts";
import { extremesOf } from "../../../test/adversary/extremes.ts";
import { joinBy } from "./join-by.ts";
import { Joining, type JoinParts, SCHEMAS } from "./join.ts";
import { WRONG_CODES_MAX } from "./limits.ts";

const [anna, ben] = [1, 2].map((seed) => peerIdOf(realCrypto.keyPair(new Uint8Array(32).fill(seed)).publicKey));
const seed = new Uint8Array(32).fill(7);

type Serve = (request: unknown, context: RequestContext) => Promise<unknown>;

/** Two nodes, each of which answers the other's requests. */
function twoNodes(): { readonly asked: JoinParts; readonly asking: JoinParts; answers: unknown[] } {
  let serve: Serve | undefined;
  const answers: unknown[] = [];
  const members = [anna, ben].map((peer) => ({ record: { peer }, status: "awake" }));
  const net = (self: string | undefined): Net =>
    ({
      self,
      members: () => members,
      handle(_protocol: string, schema: v.GenericSchema, handler: Serve) {
        serve = (request, context) => handler(check(schema, request), context);
        return () => {};
      },
      async request(_peer: string, _protocol: string, request: unknown, schema: v.GenericSchema) {
        const answer = await serve?.(request, { from: self ?? "", signal: new AbortController().signal });
        answers.push(answer);
        return check(schema, answer);
      },
    }) as unknown as Net;
  const parts = { clock: realClock, crypto: realCrypto, random: realRandom };
  return { asked: { ...parts, net: net(anna) }, asking: { ...parts, net: net(ben) }, answers };
}

describe("a code", () => {
  it("brings the person's name and key, once", async () => {
    const { asked, asking, answers } = twoNodes();
    const joining = new Joining(asked, () => ({ name: "anna", seed }));
    const { code } = joining.add();
    expect(code).toMatch(/^[a-z2-7]{5}(-[a-z2-7]{1,5}){5}$/);
    expect(await joinBy(code.toUpperCase().replaceAll("-", " "), asking, {})).toEqual({
      name: "anna",
      seed,
      from: anna,
    });
    // A node that carries the answer sees nothing of the key.
    expect(toHex(encode(answers[0]))).not.toContain(toHex(seed));
    await expect(joinBy(code, asking, {})).rejects.toMatchObject({ code: "refused" });
  });

  it("ends with the next one, and with too many guesses", async () => {
    const { asked, asking } = twoNodes();
    const joining = new Joining(asked, () => ({ name: "anna", seed }));
    const first = joining.add().code;
    const { code } = joining.add();
    await expect(joinBy(first, asking, {})).rejects.toMatchObject({ code: "refused" });
    for (let i = 1; i < WRONG_CODES_MAX; i++) {
      await expect(joinBy(first, asking, {})).rejects.toMatchObject({ code: "refused" });
    }
    await expect(joinBy(code, asking, {})).rejects.toMatchObject({ code: "refused" });
  });

  it("is refused in words where it is none, or of this node itself", async () => {
    const { asked, asking } = twoNodes();
    const joining = new Joining(asked, () => ({ name: "anna", seed }));
    const { code } = joining.add();
    for (const wrong of ["", "abc", `${code}a`, code.slice(2), "1".repeat(26), "\u{1f980}".repeat(13)]) {
      await expect(joinBy(wrong, asking, {})).rejects.toMatchObject({ code: "usage" });
    }
    await expect(joinBy(code, asked, {})).rejects.toMatchObject({ code: "usage" });
  });

  it("takes no answer that says otherwise, and no node for another", async () => {
    const { asked, asking } = twoNodes();
    const { code } = new Joining(asked, () => ({ name: "anna", seed })).add();
    const answering = (answer: unknown): JoinParts => ({
      ...asking,
      net: {
        ...asking.net,
        members: () => asking.net.members(),
        request: async (_peer: string, _protocol: string, _request: unknown, schema: v.GenericSchema) =>
          check(schema, answer),
      } as unknown as Net,
    });
    const schema = SCHEMAS["answerSchema"];
    if (schema === undefined) throw new Error("There is a schema of answers");
    const extremes = [...extremesOf(schema, { sealed: new Uint8Array(100) })].map(({ value }) => value);
    expect(extremes.length).toBeGreaterThan(5);
    for (const answer of extremes) {
      await expect(joinBy(code, answering(answer), {})).rejects.toMatchObject({ code: "malformed" });
    }
  });

  it("is no good where this node is nobody's by now", async () => {
    const { asked, asking } = twoNodes();
    const { code } = new Joining(asked, () => undefined).add();
    await expect(joinBy(code, asking, {})).rejects.toMatchObject({ code: "refused" });
  });
});
