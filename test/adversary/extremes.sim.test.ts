/**
 * A member that sends the extremes of every field of every schema, in every way there is, to honest computers; and
 * strangers that send those of the handshake. Judged by the rule of scene.ts, during and after, and after a restart.
 */
import { expect, test } from "vitest";
import { seeds } from "../sim/seeds.ts";
import { type Extreme, extremesOf } from "./extremes.ts";
import type { Intruder } from "./intruder.ts";
import { allSchemas } from "./registry.ts";
import { dictionaryOf, samplesOf } from "./samples.ts";
import { ANSWERS, ELSEWHERE, type Saying, STORED, WAYS } from "./says.ts";
import { Scene } from "./scene.ts";

/**
 * What fails its schema is refused alike wherever it comes from (extremes.node.test.ts), so a few of each are enough.
 */
const REFUSED_EACH = 5;
/** After so many messages the honest nodes are judged, or there is a pause. */
const MESSAGES_A_LOOK = 300;
const MESSAGES_A_PAUSE = 4;
const PAUSE_MS = 50;

test("every schema is said in one of the ways, or it is told why not", () => {
  const said = [WAYS, ANSWERS, STORED, ELSEWHERE].flatMap((ways) => Object.keys(ways));
  expect(said.toSorted()).toEqual([...allSchemas().keys()].toSorted());
});

test.each(seeds(1, 20))("honest nodes are as they were, whatever a member says (seed %i)", async (seed) => {
  const scene = await Scene.open(seed);
  await scene.judgeWhole();
  const content = await scene.content();
  const victim = scene.honest[seed % scene.honest.length]?.net.self ?? "";
  let said = 0;
  for (const [name, schema] of allSchemas()) {
    const way = WAYS[name];
    if (way === undefined) continue;
    const saying = (intruder: Intruder): Saying & { readonly intruder: Intruder; readonly extremes: Extreme[] } => {
      const speaker = intruder.speaker(victim, content, "layout");
      const all = extremesOf(schema, samplesOf(speaker)[name], { bytes: dictionaryOf(speaker) });
      const knock = (messages: readonly Uint8Array[]): Promise<void> => intruder.knock(victim, messages);
      return { intruder, knock, victim, speaker, extremes: worthSaying([...all]) };
    };
    let now = saying(await scene.intruder());
    for (let i = 0; i < now.extremes.length; i++) {
      // When a node has expelled her, another of her identities goes on.
      if (!now.intruder.isLinked) now = saying(await scene.intruder());
      await scene.settle(Promise.resolve(way(now.extremes[i]?.value, now)));
      if (++said % MESSAGES_A_PAUSE === 0) await scene.world.runFor(PAUSE_MS);
      if (said % MESSAGES_A_LOOK === 0) await scene.judge();
    }
  }
  expect(said).toBeGreaterThan(2_000);
  await scene.judgeWhole();
  await scene.restartAll();
  await scene.judgeWhole();
});

/**
 * Samples that are already invalid, with the reason. Samples of other schemas have their sealed or signed parts in a
 * valid form.
 */
const FAULTY: Readonly<Record<string, string>> = {
  "core/io/transfer/wire.ts#senderSchema": "an offer in the middle of another transfer",
  "core/memory/exchange.ts#frameSchema": "all that a frame may hold at once",
  "core/net/gossip/gossip.ts#frameSchema": "its bodies are none",
  "core/net/gossip/gossip.ts#bodySchema": "is not sealed",
  "core/net/gossip/gossip.ts#sealedSchema": "is not signed",
  "core/net/membership/record.ts#wireSchema": "is not signed",
  "core/net/membership/wire.ts#frameSchema": "its bodies are none",
};

test("what is right is taken for right, in each of the ways", async () => {
  const scene = await Scene.open(1);
  await scene.judgeWhole();
  const content = await scene.content();
  const [victim] = scene.honest;
  if (victim === undefined) throw new Error("Nobody is honest");
  const { self } = victim.net;
  const wrong: string[] = [];
  const names = new Set<string>();
  victim.net.onMember(({ member }) => names.add(member.record.name));
  for (const [name, way] of Object.entries(WAYS)) {
    const intruder = await scene.intruder();
    const speaker = intruder.speaker(self, content, "mem");
    const knock = (messages: readonly Uint8Array[]): Promise<void> => intruder.knock(self, messages);
    const before = scene.faults("h0");
    await scene.settle(Promise.resolve(way(samplesOf(speaker)[name], { intruder, knock, victim: self, speaker })));
    await scene.world.runFor(1_000);
    if (scene.faults("h0") > before) wrong.push(name);
  }
  // Her record, signed by hand; her own net takes it back at once.
  expect(names).toContain("mallory");
  expect(wrong.toSorted()).toEqual(Object.keys(FAULTY).toSorted());
});

function worthSaying(extremes: readonly Extreme[]): Extreme[] {
  let refused = 0;
  return extremes.filter(({ isValid }) => isValid || refused++ < REFUSED_EACH);
}
