/**
 * Keystroke to screen: characters typed into the terminal of the real page in Chromium while a job runs on all cores of
 * this machine. The time is measured in the page, from the moment when the browser got the key until the frame that
 * shows its character has been drawn. Prints the median, the 95th percentile and the most, once without the job and
 * once with it. Exits with 1 if the median with the job is above the bound. Needs `npm run build` before.
 *
 *     node bench/page-keys.ts [--keys 200]
 */
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { openTabs, type Tab } from "../test/browser/tabs.ts";
import { openLab } from "../test/system/processes.ts";

/** The bound of the median with the job. */
const MEDIAN_MS_MAX = 30;
/** Time between two keys, ms: as a fast typist presses them. */
const BETWEEN_MS = 80;
const KEYS_A_LINE = 40;

interface Keys {
  pressedAtMs: number | undefined;
  readonly tookMs: number[];
}

/** In the page, before its own code: notes each key and the frame after the terminal's rows have changed. */
function noteKeys(): void {
  const keys: Keys = { pressedAtMs: undefined, tookMs: [] };
  Object.assign(globalThis, { keys });
  document.addEventListener("keydown", (event) => (keys.pressedAtMs = event.timeStamp), { capture: true });
  // A message sent while a frame is prepared arrives when it has been drawn.
  const drawn = new MessageChannel();
  drawn.port1.start();
  drawn.port1.addEventListener("message", () => {
    if (keys.pressedAtMs === undefined) return;
    keys.tookMs.push(performance.now() - keys.pressedAtMs);
    keys.pressedAtMs = undefined;
  });
  new MutationObserver((changes) => {
    const isScreen = changes.some(({ target }) => {
      const element = target instanceof Element ? target : target.parentElement;
      return element?.closest("#terminal .xterm-rows") != null;
    });
    if (isScreen && keys.pressedAtMs !== undefined) drawn.port2.postMessage(undefined);
  }).observe(document, { childList: true, subtree: true, characterData: true });
}

/** The processor time that the page's own thread has used, s. */
async function workedS(): Promise<number> {
  const { metrics } = await inspector.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN;
}

async function measure(what: string, tab: Tab, count: number): Promise<number> {
  const [beganMs, before] = [performance.now(), await workedS()];
  await tab.page.locator(".xterm-helper-textarea").focus();
  await tab.page.evaluate(() => {
    (globalThis as unknown as { keys: Keys }).keys.tookMs.length = 0;
  });
  for (let i = 0; i < count; i++) {
    if (i % KEYS_A_LINE === 0) await tab.page.keyboard.press("Control+U");
    await tab.page.waitForTimeout(BETWEEN_MS);
    await tab.page.keyboard.press(String.fromCharCode(97 + (i % 26)));
  }
  await tab.page.waitForTimeout(500);
  await tab.page.keyboard.press("Control+U");
  const took = await tab.page.evaluate(() => (globalThis as unknown as { keys: Keys }).keys.tookMs);
  const sorted = took.toSorted((a, b) => a - b);
  const share = ((await workedS()) - before) / ((performance.now() - beganMs) / 1000);
  const figures = [0.5, 0.95, 1].map((part) => at(sorted, part).toFixed(1));
  console.log(
    `${what}: median ${figures[0]} ms, 95% ${figures[1]} ms, most ${figures[2]} ms, of ${sorted.length} keys; ` +
      `the page's thread worked ${(100 * share).toFixed(0)}% of a core`,
  );
  return at(sorted, 0.5);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

const { values } = parseArgs({ options: { keys: { type: "string", default: "200" } } });
const count = Number(values.keys);
const cores = availableParallelism();
await using lab = await openLab();
const node = await lab.up({ args: ["--cores", "0"] });
await using tabs = await openTabs();
const tab = await tabs.open(node.invite, { apart: true, cores, before: noteKeys });
console.log(`${cores} cores, load ${loadavg()[0]?.toFixed(1)}`);
const inspector = await tab.page.context().newCDPSession(tab.page);
await inspector.send("Performance.enable", { timeDomain: "threadTicks" });
await measure("nothing runs", tab, count);
await tab.type("map primes --range 0..400000000000 --chunks 100000 > /tmp/count &");
await tab.waitFor(/\[1\] \d+/);
const busy = [await measure("a job on all cores", tab, count), await measure("and again", tab, count)];
const { output } = await tab.run("jobs");
if (!output.includes("Running")) throw new Error(`the job did not run to the end of the measurement: ${output}`);
process.exit(Math.max(...busy) <= MEDIAN_MS_MAX ? 0 : 1);
