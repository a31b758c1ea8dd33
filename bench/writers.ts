/**
 * How a replicated map behaves when every node writes: how soon each write is on each other node and on all of them,
 * and how many messages that takes, in simulated swarms of Node.js nodes, 20 to 30 ms from each other. Virtual time:
 * the figures do not depend on the machine. Prints rows for the table in docs/scaling.md.
 *
 *     node bench/writers.ts [--sizes 5,25,100] [--rates 5,50] [--seeds 5] [--seconds 60]
 */
import { parseArgs } from "node:util";
import { quantile, type Spread, writeFromMany } from "../test/sim/many-writers.ts";
import { MapSwarm } from "../test/sim/maps.ts";
import { SimWorld } from "../test/sim/world.ts";

const SETTLE_MS = 20_000;

async function measure(size: number, writesPerSecond: number, seed: number, seconds: number): Promise<Spread> {
  const swarm = new MapSwarm(new SimWorld({ seed }));
  await swarm.found(size);
  await swarm.world.runFor(SETTLE_MS);
  return writeFromMany(swarm, { writers: size, writesPerSecond, forMs: seconds * 1_000 });
}

/** The lowest and the highest of the seeds' values. */
function range(values: readonly number[], digits = 0): string {
  const [low = "", high = ""] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return low === high ? low : `${low}-${high}`;
}

function row(size: number, rate: number, spreads: readonly Spread[]): string {
  const of = (value: (spread: Spread) => number, digits = 0): string => range(spreads.map(value), digits);
  const cells = [
    of(({ each }) => quantile(each, 0.5)),
    of(({ each }) => quantile(each, 0.95)),
    of(({ all }) => quantile(all, 0.5)),
    of(({ all }) => quantile(all, 0.95)),
    of(({ gossip }) => gossip, 1),
    of(({ reconciling }) => reconciling, 1),
  ];
  return `| ${size} | ${rate} | ${cells.join(" | ")} |`;
}

console.log(
  "| nodes, all writing | writes/s | each, median ms | 95% | all, median ms | 95% | gossip a write | reconciling |",
);
const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "5,25,100" },
    rates: { type: "string", default: "5,50" },
    seeds: { type: "string", default: "5" },
    seconds: { type: "string", default: "60" },
  },
});
for (const size of values.sizes.split(",").map(Number)) {
  for (const rate of values.rates.split(",").map(Number)) {
    const spreads: Spread[] = [];
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      spreads.push(await measure(size, rate, seed, Number(values.seconds)));
    }
    console.log(row(size, rate, spreads));
  }
}
