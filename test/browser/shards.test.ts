/** The store of shards in real pages, where a browser can be full and a page can go in the middle of its puts. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROMIUM_ARGS, chromiumPath } from "../../tools/chromium.ts";

const SHARD_BYTES = 200_000;

let server: ViteDevServer;
let browser: Browser;
let url: string;

beforeAll(async () => {
  server = await createServer({
    configFile: false,
    logLevel: "error",
    server: { port: 0, host: "127.0.0.1", hmr: false, ws: false },
    optimizeDeps: { noDiscovery: true },
    plugins: [
      {
        name: "blank page",
        configureServer: ({ middlewares }) => {
          middlewares.use("/blank", (_, response) => {
            response.setHeader("content-type", "text/html").end("<!doctype html>");
          });
        },
      },
    ],
  });
  await server.listen();
  url = new URL("/blank", server.resolvedUrls?.local[0] ?? server.resolvedUrls?.network[0]).href;
  browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

/**
 * Opens a page with two functions: `put(i)` says whether shard i was taken, and `sound()` gives the numbers of those
 * that read back intact.
 */
async function openPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(`(async () => {
    const { openIndexedDbShardStore } = await import("/browser/shard-store.ts");
    const store = await openIndexedDbShardStore("shards", { quotaBytes: Infinity });
    // Bytes that a database can't compress.
    const bytesOf = (i) => {
      let state = i;
      return new Uint8Array(${SHARD_BYTES}).map(() => (state = (Math.imul(state, 1664525) + 1013904223) | 0) >>> 24);
    };
    const isSound = async (id) => {
      const bytes = await store.get(id);
      return bytes !== undefined && bytesOf(Number(id)).every((byte, i) => byte === bytes[i]);
    };
    globalThis.put = (i) => store.put(String(i), bytesOf(i)).then(() => "taken", (error) => error.code);
    globalThis.sound = async () => {
      const ids = [...store.ids()].map(({ id }) => id);
      const sound = await Promise.all(ids.map(isSound));
      if (!sound.every(Boolean)) throw new Error("damaged: " + ids.filter((_, i) => !sound[i]));
      return ids.map(Number).sort((a, b) => a - b);
    };
  })()`);
  return page;
}

function putAll(page: Page, from: number, count: number): Promise<string[]> {
  return page.evaluate(`Promise.all(Array.from({ length: ${count} }, (_, i) => put(${from} + i)))`);
}

test("a browser that is full says so, loses nothing, and takes more when there is room", async () => {
  const context = await browser.newContext();
  // Before the page opens: the browser remembers for a while how much room an origin has.
  const probe = await context.newPage();
  const session = await context.newCDPSession(probe);
  const { origin } = new URL(url);
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 5 * SHARD_BYTES });
  const page = await openPage(context);
  const ends = await putAll(page, 0, 10);
  const taken = ends.flatMap((end, i) => (end === "taken" ? [i] : []));
  expect(ends.filter((end) => end !== "taken")).toEqual(Array(10 - taken.length).fill("full"));
  expect(taken.length).toBeLessThan(6);
  expect(await page.evaluate("sound()")).toEqual(taken);
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  expect(await putAll(page, 10, 3)).toEqual(["taken", "taken", "taken"]);
  expect(await page.evaluate("sound()")).toEqual([...taken, 10, 11, 12]);
  await context.close();
});

test("what was put is there after the page goes in the middle of further puts, and nothing by halves", async () => {
  const context = await browser.newContext();
  const durable = new Set<number>();
  for (let round = 0; round < 4; round++) {
    const page = await openPage(context);
    expect(await page.evaluate("sound()")).toEqual(expect.arrayContaining([...durable]));
    await page.evaluate(`{
      globalThis.taken = [];
      let next = ${round * 1_000};
      const writer = async () => {
        for (;;) {
          const i = next++;
          if ((await put(i)) === "taken") taken.push(i);
        }
      };
      for (let i = 0; i < 4; i++) void writer();
    }`);
    const take = (): Promise<number[]> => page.evaluate("taken");
    await expect.poll(async () => (await take()).length).toBeGreaterThan(3 + 4 * round);
    for (const i of await take()) durable.add(i);
    await page.close();
  }
  const page = await openPage(context);
  expect(await page.evaluate("sound()")).toEqual(expect.arrayContaining([...durable]));
  await context.close();
});
