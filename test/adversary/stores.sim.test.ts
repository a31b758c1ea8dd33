/**
 * Entries that are stored already when a node starts. It accepted them in an earlier life that knew less of invalid
 * entries, or got them from a node that did. Invalid ones are set aside and reported; the node starts, and works like
 * others.
 */
import { expect, test } from "vitest";
import { concat } from "../../core/base/bytes.ts";
import { encode } from "../../core/base/codec.ts";
import { isStarfishError } from "../../core/base/errors.ts";
import type { SimNode } from "../sim/node.ts";
import { seeds } from "../sim/seeds.ts";
import { extremesOf } from "./extremes.ts";
import { entryOf, keysOf } from "./map-keys.ts";
import { allSchemas, MAPS } from "./registry.ts";
import { dictionaryOf, samplesOf } from "./samples.ts";
import { STORED } from "./says.ts";
import { Scene } from "./scene.ts";

test.each(seeds(1, 20))(
  "a node starts with every extreme in its maps, under every kind of key (seed %i)",
  async (seed) => {
    const scene = await Scene.open(seed);
    await scene.judgeWhole();
    const content = await scene.content();
    const speaker = (await scene.intruder()).speaker("", content, "layout");
    for (const [map, names] of Object.entries(MAPS)) {
      // Kept in no store.
      if (names.length === 0) continue;
      const entries: Uint8Array[] = [];
      for (const name of names) {
        const schema = allSchemas().get(name);
        if (schema === undefined) throw new Error(`There is no schema ${name}`);
        const values = [...extremesOf(schema, samplesOf(speaker)[name])].map(({ value }) => value);
        for (const key of keysOf(map, speaker)) {
          // Each value under some keys, and each key with some values.
          for (const value of values.filter((_, i) => (i + key.length + seed) % 9 === 0)) {
            entries.push(...entryOf(key, value, speaker.nowMs));
          }
        }
        for (const value of values) entries.push(...entryOf(keysOf(map, speaker)[0] ?? "", value, speaker.nowMs));
      }
      expect(entries.length).toBeGreaterThan(100);
      scene.rest();
      await scene.restart("h1", async ({ ports }) => {
        const half = Math.ceil(entries.length / 4);
        for (let i = 0; i < 4; i++) {
          const some = concat(entries.slice(i * half, (i + 1) * half));
          await ports.store.set(`memory/${map}/zz${i}`, encode({ first: 0, entries: some }));
        }
      });
      await scene.judgeWhole();
    }
    // By now all nodes have heard of the entries from each other, and have stored them.
    await scene.restartAll();
    await scene.judgeWhole();
  },
);

test.each(Object.entries(STORED))(
  "a store with the extremes of %s starts, or says what is wrong",
  async (name, prefix) => {
    const scene = await Scene.open(1, 2);
    await scene.judgeWhole();
    const content = await scene.content();
    const speaker = (await scene.intruder()).speaker("", content, "layout");
    const schema = allSchemas().get(name);
    if (schema === undefined) throw new Error(`There is no schema ${name}`);
    const all = [...extremesOf(schema, samplesOf(speaker)[name], { bytes: dictionaryOf(speaker) })];
    const step = Math.max(1, Math.floor(all.length / 20));
    for (let i = 0; i < all.length; i += step) {
      const [key = prefix] = await scene.settle(keysWith(scene.machine("h1"), prefix));
      const before = await scene.settle(scene.machine("h1").ports.store.get(key));
      try {
        await scene.restart("h1", ({ ports }) => ports.store.set(key, encode(all[i]?.value)));
      } catch (error) {
        // The refusal is one of Starfish's own errors, never one that another library throws.
        if (!isStarfishError(error)) throw error;
        expect(["io", "bad-certificate", "not-a-member", "wrong-swarm", "bad-invite"]).toContain(error.code);
        // The node has closed its store, so the machine is switched on anew.
        scene.world.crash("h1");
        scene.world.restart("h1");
      }
      await scene.restart("h1", ({ ports }) =>
        before === undefined ? ports.store.delete(key) : ports.store.set(key, before),
      );
      await scene.judge();
    }
    await scene.judgeWhole();
  },
);

/** A prefix that ends in a slash stands for the one key that begins with it. */
async function keysWith({ ports }: SimNode, prefix: string): Promise<string[]> {
  return prefix.endsWith("/") ? await ports.store.keys(prefix) : [prefix];
}
