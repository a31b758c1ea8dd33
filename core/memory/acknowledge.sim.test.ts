/** Acknowledgement where most members are made up: what it costs the asker, and that it ends when they are gone. */
import { expect, test } from "vitest";
import { MapSwarm } from "../../test/sim/maps.ts";
import { SimWorld } from "../../test/sim/world.ts";
import { StarfishError } from "../base/errors.ts";
import type { Member, Net } from "../net/types.ts";
import { ACK_LOOK_MS } from "./limits.ts";

const MADE_UP = 4_000;
const TIMEOUT_MS = 3_000;

/** Made-up members, which count as awake. Whoever asks one is told at once that it can't be reached. */
class MadeUp {
  count: number;
  asked = 0;
  looks = 0;

  constructor(count: number) {
    this.count = count;
  }

  among(net: Net): Net {
    const members = (): readonly Member[] => {
      this.looks++;
      const [self, ...others] = net.members();
      if (self === undefined) return [];
      const made = Array.from({ length: this.count }, (_, i) => ({
        ...self,
        isSelf: false,
        record: { ...self.record, peer: `nobody${i}` },
      }));
      return [self, ...others, ...made];
    };
    const request: Net["request"] = (peer, ...rest) => {
      if (!peer.startsWith("nobody")) return net.request(peer, ...rest);
      this.asked++;
      return Promise.reject(new StarfishError("unreachable", "Nobody is there", { retryable: true }));
    };
    return new Proxy(net, {
      get(target, name) {
        if (name === "members") return members;
        if (name === "request") return request;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

test("4,000 made-up members are looked at a few times, not once for each that does not answer", async () => {
  const madeUp = new MadeUp(MADE_UP);
  const swarm = new MapSwarm(new SimWorld({ seed: 1 }), { wrap: (net) => madeUp.among(net) });
  await swarm.found(4);
  const { map } = swarm.node("m0");
  map.set("key", 1);
  const looks = madeUp.looks;
  expect((await swarm.failure(map.sync({ timeoutMs: TIMEOUT_MS }))).code).toBe("timeout");
  expect(madeUp.asked).toBeGreaterThan(MADE_UP);
  // Also rounds of reconciling look who is there, now and then.
  expect(madeUp.looks - looks).toBeLessThan((2 * TIMEOUT_MS) / ACK_LOOK_MS);

  const syncing = map.sync();
  await swarm.world.runFor(1_000);
  madeUp.count = 0;
  await swarm.settle(syncing, 1_500);
});
