/**
 * Whether putting and getting a large file stalls the page: the real page in Chromium, with Node.js nodes on this
 * machine. The file goes in by the page's file picker and comes out as a download, and every long task of the page's
 * thread meanwhile is counted. The profile is on disk: in a private one, storage and downloads would be in memory.
 * Prints a table, and exits with 1 if a task took longer than 100 ms. Needs `npm run build` before.
 *
 *     node bench/disk/page.ts [--mib 256] [--nodes 1] [--profile FILE]
 *
 * A tab offers at most 2 GB, and up to four devices hold all of a file each: for 2 GiB take `--nodes 4`, so that each
 * stripe is held by four of five devices. `--profile` writes two profiles of the page's thread, one of the put and one
 * of the get, for the browser's developer tools.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { type CDPSession, chromium } from "playwright-core";
import { Tab } from "../../test/browser/tabs.ts";
import { pattern } from "../../test/fixtures/content.ts";
import { type Lab, openLab } from "../../test/system/processes.ts";
import { CHROMIUM_ARGS, chromiumPath } from "../../tools/chromium.ts";

/** The bound: no task on the page's thread may take longer. */
const TASK_MS_MAX = 100;
/** What the page does while it loads is not measured. */
const SETTLE_MS = 3_000;
const PIECE_BYTES: number = 64 * 1024 * 1024;
const MEMORY_EVERY_MS = 250;
/** The longest wait: 2 GiB take long on a machine with other work. */
const PATIENCE_MS: number = 60 * 60_000;
const MB = 1_000_000;

interface Task {
  /** Since the page began; in a phase, since the phase began. */
  readonly startMs: number;
  readonly ms: number;
}

interface Phase {
  readonly seconds: number;
  readonly tasks: readonly Task[];
  /** The most memory that was seen: the page's JavaScript heap, all of its process, and the browser's own. */
  readonly heapBytes: number;
  readonly pageBytes: number;
  readonly browserBytes: number;
}

/** In the page, before its own code. */
function noteLongTasks(): void {
  const tasks: Task[] = [];
  Object.assign(globalThis, { longTasks: tasks });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) tasks.push({ startMs: startTime, ms: duration });
  }).observe({ type: "longtask", buffered: true });
}

/** Writes a file of so many bytes; resolves to its hash. */
async function generate(path: string, sizeBytes: number): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "w");
  for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
    const piece = pattern(Math.min(PIECE_BYTES, sizeBytes - at), at + 1);
    hash.update(piece);
    await file.writeFile(piece);
  }
  await file.close();
  return hash.digest("hex");
}

async function hashOf(path: string): Promise<string> {
  const hash: Hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Resident memory of the largest process of a kind; NaN where the system has no /proc. */
async function processBytes(browser: CDPSession, kind: "browser" | "renderer"): Promise<number> {
  const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
  const each = processInfo
    .filter(({ type }) => type === kind)
    .map(async ({ id }) => {
      const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
      return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    });
  return Math.max(...(await Promise.all(each)));
}

class Measured {
  readonly #tab: Tab;
  readonly #page: CDPSession;
  readonly #browser: CDPSession;
  readonly #profile: string | undefined;

  constructor(tab: Tab, page: CDPSession, browser: CDPSession, profile: string | undefined) {
    this.#tab = tab;
    this.#page = page;
    this.#browser = browser;
    this.#profile = profile;
  }

  async phase(name: string, work: () => Promise<void>): Promise<Phase> {
    const fromMs = await this.#now();
    let heapBytes = 0;
    let pageBytes = 0;
    let browserBytes = 0;
    const look = async (): Promise<void> => {
      const { metrics } = await this.#page.send("Performance.getMetrics");
      const heap = metrics.find((metric) => metric.name === "JSHeapUsedSize");
      heapBytes = Math.max(heapBytes, heap?.value ?? NaN);
      pageBytes = Math.max(pageBytes, await processBytes(this.#browser, "renderer"));
      browserBytes = Math.max(browserBytes, await processBytes(this.#browser, "browser"));
    };
    const looking = setInterval(() => void look().catch(() => undefined), MEMORY_EVERY_MS);
    if (this.#profile !== undefined) await this.#page.send("Profiler.start");
    const begin = performance.now();
    await work();
    const seconds = (performance.now() - begin) / 1_000;
    clearInterval(looking);
    if (this.#profile !== undefined) {
      const { profile } = await this.#page.send("Profiler.stop");
      await writeFile(`${this.#profile}-${name}.cpuprofile`, JSON.stringify(profile));
    }
    const toMs = await this.#now();
    const all = await this.#tab.page.evaluate(() => Reflect.get(globalThis, "longTasks") as Task[]);
    const tasks = all
      .filter(({ startMs }) => startMs >= fromMs && startMs <= toMs)
      .map(({ startMs, ms }) => ({ startMs: startMs - fromMs, ms }));
    return { seconds, tasks, heapBytes, pageBytes, browserBytes };
  }

  #now(): Promise<number> {
    return this.#tab.page.evaluate(() => performance.now());
  }
}

async function measure(lab: Lab, sizeBytes: number, nodes: number, profile: string | undefined): Promise<Phase[]> {
  const path = join(lab.folder, "large.bin");
  const sha256 = await generate(path, sizeBytes);
  const args = ["--storage", "10G", "--device"];
  const first = await lab.up({ args: [...args, "node-0"] });
  for (let i = 1; i < nodes; i++) await lab.up({ args: [...args, `node-${i}`, "--join", first.invite] });

  const context = await chromium.launchPersistentContext(join(lab.folder, "profile"), {
    executablePath: chromiumPath(),
    args: CHROMIUM_ARGS,
  });
  try {
    const tab = await Tab.open(context, first.invite, { before: noteLongTasks });
    const { page } = tab;
    await page.locator("#view-files").click();
    // Waits until the page knows what all nodes and itself offer: before that, it would code for fewer.
    await page.locator("#space-nodes li").nth(nodes).waitFor();
    await page.waitForTimeout(SETTLE_MS);
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable");
    await session.send("Profiler.enable");
    const browser = await context.browser()?.newBrowserCDPSession();
    if (browser === undefined) throw new Error("This context has no browser to ask");
    const measured = new Measured(tab, session, browser, profile);

    const put = await measured.phase("put", async () => {
      const chooser = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Add files" }).click();
      await (await chooser).setFiles(path);
      const said = page.locator("#files-said", { hasText: /^Added large\.bin/ });
      await Promise.race([
        said.waitFor({ timeout: PATIENCE_MS }),
        page.locator("#transfers .failed").waitFor({ timeout: PATIENCE_MS }),
      ]);
      if (!(await said.isVisible())) throw new Error(await page.locator("#transfers").innerText());
      console.log(await said.innerText());
    });

    await page.locator("#files-rows").getByRole("button", { name: "large.bin", exact: true }).click();
    let saved = "";
    const get = await measured.phase("get", async () => {
      const download = page.waitForEvent("download", { timeout: PATIENCE_MS });
      await page.getByRole("button", { name: "Download" }).click();
      saved = await (await download).path();
    });
    if ((await hashOf(saved)) !== sha256) throw new Error(`${basename(saved)} is not what was put`);
    if (tab.complaints.length > 0) console.log(tab.complaints.join("\n"));
    return [put, get];
  } finally {
    await context.close();
  }
}

const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "256" },
    nodes: { type: "string", default: "1" },
    profile: { type: "string" },
  },
});
const sizeBytes = Number(values.mib) * 1024 * 1024;
await using lab = await openLab();
const phases = await measure(lab, sizeBytes, Number(values.nodes), values.profile);
const longest = phases.map(({ tasks }) => Math.max(0, ...tasks.map(({ ms }) => ms)));
console.table(
  phases.map(({ seconds, tasks, heapBytes, pageBytes, browserBytes }, i) => ({
    phase: i === 0 ? "put" : "get",
    MB: Math.round(sizeBytes / MB),
    "MB/s": Number((sizeBytes / MB / seconds).toPrecision(3)),
    "tasks over 50 ms": tasks.length,
    "longest task, ms": longest[i],
    "heap, MB": Math.round(heapBytes / MB),
    "page, MB": Math.round(pageBytes / MB),
    "browser, MB": Math.round(browserBytes / MB),
  })),
);
for (const [i, { tasks }] of phases.entries()) {
  const each = tasks.map(({ startMs, ms }) => `${ms} ms at ${(startMs / 1_000).toFixed(1)} s`);
  if (each.length > 0) console.log(`${i === 0 ? "put" : "get"}: ${each.join(", ")}`);
}
process.exitCode = longest.some((ms) => ms > TASK_MS_MAX) ? 1 : 0;
