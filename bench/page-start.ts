/**
 * How soon a tab is there: the real page in Chromium, from a real node on this machine, with an empty cache and a
 * profile of its own each time. Measures the time from navigation until the prompt can be seen, and until the terminal
 * says who this member is. Prints each run, the medians and the best, and exits with 1 if a median is above its bound.
 * Needs `npm run build` before, and an idle machine. The processor time of the page's thread, which is printed too,
 * hardly depends on the load.
 *
 *     node bench/page-start.ts [--runs 10] [--trace FILE]
 *
 * `--trace` writes what the page's thread does in the last run, as the developer tools read it.
 */
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { openTabs } from "../test/browser/tabs.ts";
import { openLab } from "../test/system/processes.ts";

/** The bounds of the medians, for an idle machine of two cores. */
const PROMPT_MS_MAX = 500;
const MEMBER_MS_MAX = 1_000;

interface Moments {
  prompt?: number;
  member?: number;
}

/** In the page, before its own code: when something can first be read on the terminal. */
function noteMoments(): void {
  const moments: Moments = {};
  Object.assign(globalThis, { moments });
  const look = (): void => {
    const screen = document.querySelector("#terminal .xterm-rows")?.textContent ?? "";
    if (screen.includes("$")) moments.prompt ??= performance.now();
    if (screen.includes("You are")) moments.member ??= performance.now();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
}

const { values } = parseArgs({ options: { runs: { type: "string", default: "10" }, trace: { type: "string" } } });
const runs = Number(values.runs);
await using lab = await openLab();
const node = await lab.up({ args: ["--cores", "0"] });
await using tabs = await openTabs();
const all: Required<Moments>[] = [];
const busy: number[] = [];
console.log(`load ${loadavg()[0]?.toFixed(1)}`);
// The first run warms up the node (its files are compressed when first asked for) and the browser.
for (let run = 0; run <= runs; run++) {
  const isTraced = run === runs && values.trace !== undefined;
  const tab = await tabs.open("about:blank", { apart: true, joins: false, before: noteMoments });
  const inspector = await tab.page.context().newCDPSession(tab.page);
  await inspector.send("Performance.enable", { timeDomain: "threadTicks" });
  if (isTraced) await tabs.browser.startTracing(tab.page);
  await tab.page.goto(node.invite);
  const moments = await tab.page.waitForFunction(() => {
    const { moments: seen } = globalThis as unknown as { moments: Moments };
    return seen.member === undefined ? undefined : seen;
  });
  const { prompt = NaN, member = NaN } = (await moments.jsonValue()) ?? {};
  if (isTraced) await writeFile(values.trace ?? "", await tabs.browser.stopTracing());
  const { metrics } = await inspector.send("Performance.getMetrics");
  const busyMs = 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN);
  if (run > 0) {
    all.push({ prompt, member });
    busy.push(busyMs);
  }
  console.log(`${run === 0 ? "warm-up" : `run ${run}`}: ${words(prompt, member)}, processor ${busyMs.toFixed(0)} ms`);
  await tab.close();
}

function words(prompt: number, member: number): string {
  return `prompt ${prompt.toFixed(0)} ms, member ${member.toFixed(0)} ms`;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? NaN) + (sorted[sorted.length >> 1] ?? NaN)) / 2;
}

const prompts = all.map((each) => each.prompt);
const members = all.map((each) => each.member);
const [prompt, member] = [median(prompts), median(members)];
console.log(`best of ${runs}: ${words(Math.min(...prompts), Math.min(...members))}`);
console.log(
  `median of ${runs}: ${words(prompt, member)}, processor ${median(busy).toFixed(0)} ms; load ${loadavg()[0]?.toFixed(1)}`,
);
if (prompt > PROMPT_MS_MAX || member > MEMBER_MS_MAX) process.exitCode = 1;
