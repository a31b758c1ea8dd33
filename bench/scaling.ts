/**
 * What membership costs each node as the swarm grows: messages and bytes per node and second in simulated swarms of 25 to
 * 400, at rest and under churn (median session of five minutes), with 2% loss. Prints a table, and with --write puts it
 * into docs/scaling.md and draws docs/scaling.svg.
 *
 *     node bench/scaling.ts [--write] [--sizes 25,50] [--seconds 60] [--json FILE]
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Churn } from "../test/sim/churn.ts";
import { Crowd } from "../test/sim/crowd.ts";
import { SimWorld } from "../test/sim/world.ts";

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

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 56;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 48;
const COLOURS = { rest: "#0072b2", churn: "#d55e00" } as const;

function plot(costs: readonly Cost[]): string {
  const sizeMax = Math.max(...costs.map(({ size }) => size));
  const step = Math.max(...costs.map(sum)) > 20 ? 10 : 5;
  const messagesMax = Math.ceil(Math.max(...costs.map(sum)) / step) * step;
  const x = (size: number): string => (LEFT + (size / sizeMax) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (messages: number): string =>
    (HEIGHT - BOTTOM - (messages / messagesMax) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const parts: string[] = [];
  for (let value = 0; value <= messagesMax; value += step) {
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${y(value)}" text-anchor="end" dominant-baseline="middle">${value}</text>`);
  }
  for (const size of new Set(costs.map((cost) => cost.size))) {
    parts.push(`<text x="${x(size)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${size}</text>`);
  }
  for (const [name, isChurning] of [
    ["rest", false],
    ["churn", true],
  ] as const) {
    const line = costs.filter((cost) => cost.isChurning === isChurning);
    const points = line.map((cost) => `${x(cost.size)},${y(sum(cost))}`);
    parts.push(`<polyline points="${points.join(" ")}" fill="none" stroke="${COLOURS[name]}" stroke-width="2"/>`);
    for (const point of points) {
      const [cx, cy] = point.split(",");
      parts.push(`<circle cx="${cx}" cy="${cy}" r="4" fill="${COLOURS[name]}"/>`);
    }
    const last = line.at(-1);
    if (last === undefined) continue;
    const label = isChurning ? "under churn" : "at rest";
    parts.push(
      `<text x="${x(last.size)}" y="${Number(y(sum(last))) - 12}" text-anchor="end" fill="${COLOURS[name]}">${label}</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" role="img" aria-label="Messages per node and second by size of the swarm">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="22" font-weight="bold">Messages each node sends, per second</text>
${parts.join("\n")}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">nodes in the swarm</text>
</svg>
`;
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
