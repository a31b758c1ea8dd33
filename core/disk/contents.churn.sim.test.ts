/**
 * Real nodes with real bytes that come and go as those of the model do: everything stays readable, and repair moves
 * about as much as the model says (repair/policy.sim.test.ts), which stands in for them over days and hundreds of
 * devices.
 */
import { expect, test } from "vitest";
import { DiskSwarm } from "../../test/sim/contents.ts";
import { DeviceChurn } from "../../test/sim/disk-churn.ts";
import { churnRun, MINUTE_MS } from "../../test/sim/disk-lab.ts";
import { isLong, seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { ContentRef } from "./types.ts";
import { GET_PROTOCOL, PUT_PROTOCOL } from "./shards/wire.ts";

const KIB = 1024;
const DEVICES = 8;
const SESSION_MS = 5 * MINUTE_MS;
const SIZES = Array.from({ length: 6 }, (_, i) => 100 * KIB + i * 20 * KIB);
const MINUTES = isLong ? 240 : 20;

/** Shard bytes that all nodes have sent, also those that are gone. */
function movedBytes(swarm: DiskSwarm): number {
  return [PUT_PROTOCOL, GET_PROTOCOL]
    .flatMap((protocol) => swarm.world.nodes.map(({ machine }) => machine.sentByProtocol.get(protocol)?.bytes ?? 0))
    .reduce((sum, bytes) => sum + bytes, 0);
}

test.each(seeds(1, 5))("eight nodes come and go, in sessions of five minutes, seed %i", async (seed) => {
  const churning = { seed, devices: DEVICES, medianSessionMs: SESSION_MS };
  const churn = new DeviceChurn({ ...churning, medianAwayMs: SESSION_MS / 4, returning: 0.7 });
  const swarm = new DiskSwarm(new SimWorld({ seed }));
  churn.until(0);
  await swarm.grow(DEVICES);
  const all: [ContentRef, Uint8Array][] = [];
  for (const size of SIZES) {
    const bytes = swarm.bytes(size);
    all.push([await swarm.put(swarm.node(`m${all.length}`), bytes), bytes]);
  }
  const before = movedBytes(swarm);
  const beganMs = swarm.world.nowMs;
  for (const { atMs, device, what } of churn.until(MINUTES * MINUTE_MS)) {
    const waitMs = beganMs + atMs - swarm.world.nowMs;
    if (waitMs > 0) await swarm.world.runFor(waitMs);
    const name = `m${device}`;
    if (what === "came" || what === "returned") await swarm.settle(swarm.up({ name, kind: "node" }));
    else swarm.crash(name);
  }
  const contentBytes = SIZES.reduce((sum, size) => sum + size, 0);
  const anHour = ((movedBytes(swarm) - before) / contentBytes / MINUTES) * 60;
  const model = churnRun({ ...churning, hours: MINUTES / 60, stripes: 50 });
  console.log(`seed ${seed}: ${anHour.toFixed(1)} times the content an hour; by the model ${model.ours.toFixed(1)}`);
  await swarm.readsBack(swarm.nodes.slice(0, 1), all);
  expect(anHour).toBeLessThan(2 * model.ours);
  expect(anHour).toBeGreaterThan(model.ours / 3);
});
