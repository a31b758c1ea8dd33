/**
 * What the disk promises and what repair costs, by the simulated swarms of test/sim: at rest, under churn of three
 * speeds, and while a swarm grows and shrinks. Prints tables, and with --write puts them into docs/disk.md and draws
 * its pictures.
 *
 *     node bench/disk-promise.ts [--write] [--hours 168] [--seeds 1,2] [--json FILE] [--from FILE,FILE]
 */
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { healthAtRest, layoutFor, storageFactor } from "../core/disk/code/layout.ts";
import { halfOf, lossChance, survivesAny } from "../core/disk/code/promise.ts";
import { churnRun, HOUR_MS, MINUTE_MS, type Outcome } from "../test/sim/disk-lab.ts";
import { followingSize, type Moment, RecodedModel } from "../test/sim/disk-recode.ts";
import { SeededRandom } from "../test/sim/random.ts";
import { draw, linear, logarithmic } from "./plot.ts";

interface Row {
  readonly devices: number;
  readonly session: string;
  readonly seed: number;
  readonly hours: number;
  readonly outcome: Outcome;
}

interface Story {
  readonly name: string;
  readonly unreadable: number;
  readonly recoded: number;
  readonly repaired: number;
  readonly recodings: readonly { readonly atMs: number; readonly code: string }[];
  readonly moments: readonly Moment[];
}

interface Results {
  readonly commit: string;
  readonly date: string;
  readonly rows: readonly Row[];
  readonly stories: readonly Story[];
}

const SIZES = [2, 3, 5, 8, 16, 32, 33, 48, 64, 128, 200, 400];
const SIZES_FAST = [8, 16, 32, 48, 64, 200];
const SESSIONS = [
  { session: "2 h", medianSessionMs: 2 * HOUR_MS, sizes: SIZES },
  { session: "20 min", medianSessionMs: 20 * MINUTE_MS, sizes: SIZES_FAST },
  { session: "5 min", medianSessionMs: 5 * MINUTE_MS, sizes: SIZES_FAST },
];
/** Moments of a story that are kept. */
const MOMENTS_KEPT = 400;

function measureChurn(hours: number, seeds: readonly number[]): Row[] {
  const rows: Row[] = [];
  for (const { session, medianSessionMs, sizes } of SESSIONS) {
    for (const devices of sizes) {
      for (const seed of seeds) {
        const options = { seed, devices, medianSessionMs, hours, samples: 500, halves: 20 };
        const row = { devices, session, seed, hours, outcome: churnRun(options) };
        rows.push(row);
        console.log(session, devices, seed, JSON.stringify(row.outcome));
      }
    }
  }
  return rows;
}

const STORIES: readonly { name: string; minutes: number; stepMs: number; sizeAt: (minute: number) => number }[] = [
  {
    name: "4 to 64 and back to 8",
    minutes: 300,
    stepMs: 5_000,
    sizeAt: (minute) => (minute < 150 ? between(4, 64, minute / 120) : between(64, 8, (minute - 150) / 120)),
  },
  {
    name: "3 to 300 in an hour and back",
    minutes: 135,
    stepMs: 2_000,
    sizeAt: (minute) => (minute < 60 ? between(3, 300, minute / 60) : between(300, 3, (minute - 60) / 60)),
  },
  {
    name: "6 to 9 and back every four minutes",
    minutes: 240,
    stepMs: 2_000,
    sizeAt: (minute) => 7.5 + 1.5 * Math.sin((minute / 4) * 2 * Math.PI),
  },
];

function between(from: number, to: number, part: number): number {
  return from + (to - from) * Math.min(1, Math.max(0, part));
}

function tell({ name, minutes, stepMs, sizeAt }: (typeof STORIES)[number]): Story {
  const random = new SeededRandom(`story/${name}`);
  const follow = followingSize(
    (atMs) => sizeAt(atMs / MINUTE_MS),
    () => random.real(),
  );
  const model = new RecodedModel(20, 1, follow(0));
  for (let nowMs = stepMs; nowMs <= minutes * MINUTE_MS; nowMs += stepMs) model.step(nowMs, follow(nowMs));
  const { unreadable, recoded, repaired, recodings, moments } = model;
  const every = Math.ceil(moments.length / MOMENTS_KEPT);
  const kept = moments.filter((_, i) => i % every === 0);
  console.log(`${name}: coded anew ${recodings.length} times, ${recoded.toFixed(0)} times the content moved for that`);
  return { name, unreadable, recoded, repaired, recodings, moments: kept };
}

function restTable(): string {
  const rows = SIZES.map((devices) => {
    const layout = layoutFor(devices);
    const health = healthAtRest(layout, devices);
    const cells = [
      devices,
      `${layout.k} of ${layout.n}${layout.copies === 2 ? ", twins" : layout.wholes > 0 ? " and whole" : ""}`,
      storageFactor(layout).toFixed(2),
      halfOf(devices),
      survivesAny(health),
      chanceWords(lossChance(health, devices)),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| devices | code | stored | half of them | may be lost, whichever | chance that a random half takes it |",
    "| ---: | --- | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}

function churnTable(rows: readonly Row[]): string {
  const lines: string[] = [];
  for (const { session, sizes } of SESSIONS) {
    for (const devices of sizes) {
      const outcomes = rows
        .filter((row) => row.session === session && row.devices === devices)
        .map((row) => row.outcome);
      if (outcomes.length === 0) continue;
      const mean = (of: (outcome: Outcome) => number): number =>
        outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
      const moved = mean(({ ours }) => ours);
      const trials = outcomes.reduce((sum, { losses }) => sum + losses.trials, 0);
      const lost = Math.round(mean(({ losses }) => losses.measured) * trials);
      const expected = mean(({ losses }) => losses.expected) * trials;
      const cells = [
        session,
        devices,
        outcomes.reduce((sum, { unreadable }) => sum + unreadable, 0),
        chanceWords(mean(({ losses }) => losses.mean)),
        `${lost} (${expected < 10 ? expected.toPrecision(2) : expected.toFixed(0)}) of ${trials.toLocaleString("en")}`,
        moved.toFixed(2),
        (moved / mean(({ fourfold }) => fourfold)).toFixed(2),
        // With two devices the oracle has nothing to do, because a shard that is lost there is lost for good.
        devices === 2 ? "-" : (moved / mean(({ oracle }) => oracle)).toFixed(2),
        mean(({ stored }) => stored).toFixed(2),
      ];
      lines.push(`| ${cells.join(" | ")} |`);
    }
  }
  return [
    "| sessions | devices | unreadable | a half takes | taken (computed) of stripes tried | moved an hour | of four-fold | of the oracle | stored |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...lines,
  ].join("\n");
}

function storyTable(stories: readonly Story[]): string {
  const rows = stories.map(({ name, unreadable, recoded, repaired, recodings }) => {
    const codes = recodings.map(({ atMs, code }) => `${code} (${Math.round(atMs / MINUTE_MS)} min)`);
    const cells = [name, unreadable, recodings.length, recoded.toFixed(0), repaired.toFixed(0), codes.join(", ")];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| devices | unreadable | coded anew | moved for that | moved for repair | to |",
    "| --- | ---: | ---: | ---: | ---: | --- |",
    ...rows,
  ].join("\n");
}

function chanceWords(chance: number): string {
  return chance === 0 ? "0" : chance.toExponential(1);
}

const BLUE = "#0072b2";
const RED = "#d55e00";
const GREY = "#666666";

function growthPlot({ moments, name }: Story): string {
  const points = (of: (moment: Moment) => number): { x: number; y: number }[] =>
    moments.map((moment) => ({ x: moment.atMs / MINUTE_MS, y: of(moment) }));
  return draw({
    title: "How many devices may die, whichever they are",
    description: `Devices, half of them, and how many may die, while a swarm goes from ${name}`,
    x: { label: "minutes", ...linear(300, [0, 60, 120, 180, 240, 300]) },
    y: linear(80, [0, 20, 40, 60, 80]),
    lines: [
      { label: "devices", colour: GREY, isDashed: true, points: points(({ devices }) => devices) },
      { label: "half of them", colour: RED, isDashed: true, points: points(({ half }) => half) },
      { label: "may die", colour: BLUE, isPlain: true, points: points((moment) => Math.max(0, moment.survivesAny)) },
    ],
    labels: "upper legend",
  });
}

function costPlot(rows: readonly Row[]): string {
  const colours: Record<string, string> = { "2 h": BLUE, "20 min": RED, "5 min": GREY };
  const ticks = [4, 8, 16, 32, 64, 128, 256, 512];
  return draw({
    title: "Bytes moved for repair, in multiples of four plain copies'",
    description: "Repair traffic beside four-fold replication by the number of devices, for three lengths of sessions",
    x: { label: "devices", ...logarithmic(ticks, String) },
    y: linear(4, [0, 1, 2, 3, 4]),
    lines: SESSIONS.map(({ session, sizes }) => ({
      label: `sessions of ${session}`,
      colour: colours[session] ?? GREY,
      points: sizes
        .filter((devices) => devices >= 5)
        .flatMap((devices) => {
          const those = rows.filter((row) => row.session === session && row.devices === devices);
          if (those.length === 0) return [];
          const ratios = those.map(({ outcome }) => outcome.ours / outcome.fourfold);
          return [{ x: devices, y: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length }];
        }),
    })),
    labels: "legend",
  });
}

const BEGIN = "<!-- measured by bench/disk-promise.ts";
const END = "<!-- end of measured -->";

/** Puts each table between its marks, `<!-- measured by bench/disk-promise.ts: NAME -->` and the next end mark. */
async function write({ commit, date, rows, stories }: Results): Promise<void> {
  const page = new URL("../docs/disk.md", import.meta.url);
  let text = await readFile(page, "utf8");
  const seeds = [...new Set(rows.map(({ seed }) => seed))].join(", ");
  const hours = Math.max(...rows.map((row) => row.hours));
  const tables = {
    rest: restTable(),
    churn: `Commit ${commit}, ${date}, seeds ${seeds}, ${hours} virtual hours each.\n\n${churnTable(rows)}`,
    stories: storyTable(stories),
  };
  for (const [name, table] of Object.entries(tables)) {
    const mark = `${BEGIN}: ${name} -->`;
    const from = text.indexOf(mark);
    const to = text.indexOf(END, from);
    if (from < 0 || to < from) throw new Error(`docs/disk.md has no place for the table ${name}`);
    text = `${text.slice(0, from)}${mark}\n\n${table}\n\n${text.slice(to)}`;
  }
  await writeFile(page, text);
  const [growth] = stories;
  if (growth !== undefined) await writeFile(new URL("../docs/disk-growth.svg", import.meta.url), growthPlot(growth));
  await writeFile(new URL("../docs/disk-repair.svg", import.meta.url), costPlot(rows));
}

const { values } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    hours: { type: "string", default: "168" },
    seeds: { type: "string", default: "1,2" },
    json: { type: "string" },
    from: { type: "string" },
  },
});

function measureAll(): Results {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const date = new Date().toISOString().slice(0, 10);
  const stories = STORIES.map(tell);
  return { commit, date, rows: measureChurn(Number(values.hours), values.seeds.split(",").map(Number)), stories };
}

/** Results of several runs as one. */
async function readAll(files: readonly string[]): Promise<Results> {
  const runs = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, "utf8")) as Results));
  const last = runs.at(-1) ?? { commit: "", date: "", stories: [] };
  return { ...last, rows: runs.flatMap(({ rows }) => rows) };
}

const results = values.from === undefined ? measureAll() : await readAll(values.from.split(","));
console.log(`\n${restTable()}\n\n${churnTable(results.rows)}\n\n${storyTable(results.stories)}`);
if (values.json !== undefined) await writeFile(values.json, JSON.stringify(results));
if (values.write) await write(results);
