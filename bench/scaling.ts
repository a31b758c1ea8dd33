/**
 * What membership costs each node as the swarm grows: messages and bytes per node and second in simulated swarms of 25
 * to 400, at rest and under churn (median session of five minutes), with 2% loss. Prints a table, and with --write puts
 * it into docs/scaling.md and draws docs/scaling.svg.
 *
 *     node bench/scaling.ts [--write] [--sizes 25,50] [--seconds 60] [--json FILE]
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Churn } from "../test/sim/churn.ts";
import { Crowd } from "../test/sim/crowd.ts";
import { SimWorld } from "../test/sim/world.ts";
import { draw, linear } from "./plot.ts";

interface Cost {
  readonly size: number;
  readonly isChurning: boolean;
  /** Per node and second. */
  readonly messages: Readonly<Record<Part, number>>;
  readonly bytes: number;
  readonly links: number;
}

type Part = "members" | "overlay" | "hello";

const PARTS: readonly Part[] = ["members", "overlay", "hello"];
const MEDIAN_SESSION_MS = 300_000;
const FOR_EVER_MS = 1e12;
const SETTLE_MS = 30_000;

async function measure(size: number, isChurning: boolean, seconds: number): Promise<Cost> {
  const world = new SimWorld({ seed: size, path: { loss: 0.02 } });
  const crowd = new Crowd(world);
  const medianSessionMs = isChurning ? MEDIAN_SESSION_MS : FOR_EVER_MS;
  const churn = new Churn(crowd, { medianSessionMs, pauseMs: 5_000, returning: 0.5 });
  await churn.grow(size, 100);
  await world.runFor(SETTLE_MS);
  const before = totals(world);
  await world.runFor(seconds * 1_000);
  const after = totals(world);
  const rate = (part: Part): number => (after[part].messages - before[part].messages) / size / seconds;
  const messages = { members: rate("members"), overlay: rate("overlay"), hello: rate("hello") };
  const bytes = PARTS.reduce((sum, part) => sum + after[part].bytes - before[part].bytes, 0) / size / seconds;
  const links = crowd.nodes.reduce((sum, node) => sum + node.links.all().length, 0) / crowd.nodes.length;
  return { size, isChurning, messages, bytes, links };
}

function totals(world: SimWorld): Record<Part, { messages: number; bytes: number }> {
  const sums = { members: zero(), overlay: zero(), hello: zero() };
  for (const { machine } of world.nodes) {
    for (const part of PARTS) {
      const sent = machine.sentByProtocol.get(`/starfish/${part}/1.0.0`);
      sums[part].messages += sent?.messages ?? 0;
      sums[part].bytes += sent?.bytes ?? 0;
    }
  }
  return sums;
}

function zero(): { messages: number; bytes: number } {
  return { messages: 0, bytes: 0 };
}

function sum({ messages }: Cost): number {
  return PARTS.reduce((total, part) => total + messages[part], 0);
}

function table(costs: readonly Cost[]): string {
  const rows = costs.map((cost) => {
    const { size, isChurning, messages, bytes, links } = cost;
    const cells = [sum(cost), messages.members, messages.overlay, messages.hello].map((value) => value.toFixed(1));
    return `| ${size} | ${isChurning ? "churn" : "rest"} | ${cells.join(" | ")} | ${Math.round(bytes)} | ${links.toFixed(1)} |`;
  });
  return [
    "| nodes | swarm at | messages/s | members | overlay | hello | bytes/s | links |",
    "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}

const COLOURS = { rest: "#0072b2", churn: "#d55e00" } as const;

function plot(costs: readonly Cost[]): string {
  const step = Math.max(...costs.map(sum)) > 20 ? 10 : 5;
  const messagesMax = Math.ceil(Math.max(...costs.map(sum)) / step) * step;
  const sizes = [...new Set(costs.map(({ size }) => size))];
  const points = (isChurning: boolean): { x: number; y: number }[] =>
    costs.filter((cost) => cost.isChurning === isChurning).map((cost) => ({ x: cost.size, y: sum(cost) }));
  return draw({
    title: "Messages each node sends, per second",
    description: "Messages per node and second by size of the swarm",
    x: { label: "nodes in the swarm", ...linear(Math.max(...sizes), sizes) },
    y: linear(
      messagesMax,
      Array.from({ length: messagesMax / step + 1 }, (_, i) => i * step),
    ),
    lines: [
      { label: "at rest", colour: COLOURS.rest, points: points(false) },
      { label: "under churn", colour: COLOURS.churn, points: points(true) },
    ],
    labels: "ends",
  });
}

const BEGIN = "<!-- measured by bench/scaling.ts -->";
const END = "<!-- end of measured -->";

async function write(costs: readonly Cost[]): Promise<void> {
  const page = new URL("../docs/scaling.md", import.meta.url);
  const text = await readFile(page, "utf8");
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error("docs/scaling.md has no place for the table");
  await writeFile(page, `${text.slice(0, from)}${BEGIN}\n\n${table(costs)}\n\n${text.slice(to)}`);
  await writeFile(new URL("../docs/scaling.svg", import.meta.url), plot(costs));
}

const { values } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    sizes: { type: "string", default: "25,50,100,200,400" },
    seconds: { type: "string", default: "60" },
    json: { type: "string" },
  },
});
const costs: Cost[] = [];
for (const size of values.sizes.split(",").map(Number)) {
  for (const isChurning of [false, true]) {
    const cost = await measure(size, isChurning, Number(values.seconds));
    costs.push(cost);
    console.log(table([cost]).split("\n")[2]);
  }
}
console.log(`\n${table(costs)}`);
if (values.json !== undefined) await writeFile(values.json, JSON.stringify(costs, null, 2));
if (values.write) await write(costs);
