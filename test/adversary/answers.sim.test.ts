/** A member that answers what honest nodes ask with the extremes of every reply. */
import { expect, test } from "vitest";
import * as v from "valibot";
import { encode } from "../../core/base/codec.ts";
import { PING_PROTOCOL } from "../../core/net/net.ts";
import { moduleOf } from "../sim/shell-bench.ts";
import { isLong, seeds } from "../sim/seeds.ts";
import { extremesOf } from "./extremes.ts";
import { allSchemas } from "./registry.ts";
import { dictionaryOf, samplesOf } from "./samples.ts";
import { ANSWERS } from "./says.ts";
import { Scene } from "./scene.ts";

/** A file that some of its holders have to be asked for. */
const FILE_BYTES = 20_000;
const EXTREMES_EACH = isLong ? 25 : 12;

test.each(seeds(1, 20))("honest nodes ask, and go on whatever they are answered (seed %i)", async (seed) => {
  const scene = await Scene.open(seed);
  await scene.judgeWhole();
  const content = await scene.content();
  let asked = 0;
  for (const [name, protocol] of Object.entries(ANSWERS)) {
    const schema = allSchemas().get(name);
    if (schema === undefined) throw new Error(`There is no schema ${name}`);
    const speaker = (await scene.intruder()).speaker("", content, "mem");
    const all = [...extremesOf(schema, samplesOf(speaker)[name], { bytes: dictionaryOf(speaker) })];
    // Spread over all extremes; another seed takes others.
    const step = Math.max(1, Math.floor(all.length / EXTREMES_EACH));
    for (let i = seed % step; i < all.length; i += step) {
      const intruder = await scene.intruder();
      const value = all[i]?.value;
      const tell = (): void => void asked++;
      if (protocol === "") {
        intruder.network.handle(PING_PROTOCOL, (channel) => {
          channel.onMessage(() => {
            tell();
            channel.send(encode(value));
          });
        });
      } else {
        intruder.net.handle(protocol, v.unknown(), async () => {
          tell();
          return value;
        });
      }
      intruder.lures();
      await scene.work(FILE_BYTES, intruder.net.self, moduleOf("primes"));
    }
    await scene.judge();
  }
  expect(asked).toBeGreaterThan(100);
  await scene.judgeWhole();
  await scene.restartAll();
  await scene.judgeWhole();
});
