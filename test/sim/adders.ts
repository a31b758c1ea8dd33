/**
 * Three nodes in a row that serve two protocols, for the simulations of requests: all add, and c also serves requests
 * that wait.
 */
import * as v from "valibot";
import { StarfishError } from "../../core/base/errors.ts";
import { sleep } from "../../core/ports/clock.ts";
import { chain, type Swarm } from "./nets.ts";

export const ADD = "/test/add/1.0.0";
export const WAIT = "/test/wait/1.0.0";
const pair = v.tuple([v.number(), v.number()]);

export interface Adders {
  readonly swarm: Swarm;
  /** Sums that were asked for, and waits that were cancelled, ms. */
  readonly served: number[];
  readonly cancelled: number[];
}

export async function adders(seed: number): Promise<Adders> {
  const swarm = await chain(seed);
  const served: number[] = [];
  const cancelled: number[] = [];
  for (const net of swarm.nets.values()) {
    net.handle(ADD, pair, async ([a, b]) => {
      served.push(a + b);
      if (b === 0) throw new StarfishError("no-cores", "Nothing to add");
      if (b < 0) throw new TypeError("a secret of this node");
      return a + b;
    });
  }
  const c = swarm.net("c");
  c.handle(WAIT, v.number(), async (ms, { signal }) => {
    const { clock } = swarm.world.node("c").ports;
    await sleep(clock, ms, { signal }).catch((error: unknown) => {
      cancelled.push(ms);
      throw error;
    });
    return ms;
  });
  return { swarm, served, cancelled };
}
