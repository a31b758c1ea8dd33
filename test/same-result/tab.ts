/** Runs tasks in a tab's sandbox: a page of Vite's server that takes them. */
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";
import { CHROMIUM_ARGS, chromiumPath } from "../../tools/chromium.ts";
import type { PortableTask } from "./page.ts";
import type { Sample, Task } from "./task.ts";

export interface TabSandbox extends AsyncDisposable {
  generated(sample: Sample): Promise<string[]>;
  run(tasks: readonly Task[]): Promise<string[]>;
}

interface Page {
  runGenerated(sample: Sample): Promise<string[]>;
  runTasks(tasks: readonly PortableTask[]): Promise<string[]>;
}

export async function openTabSandbox(): Promise<TabSandbox> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const server = await createServer({ root, configFile: false, logLevel: "error", server: { port: 0 } });
  await server.listen();
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
  const page = await browser.newPage();
  page.on("pageerror", (error) => process.stderr.write(`${error.message}\n`));
  await page.goto(`${server.resolvedUrls?.local[0] ?? ""}test/same-result/page.html`);
  await page.waitForFunction(() => "runTasks" in globalThis);
  return {
    generated: (sample) => page.evaluate((one) => (globalThis as unknown as Page).runGenerated(one), sample),
    run: (tasks) => page.evaluate((all) => (globalThis as unknown as Page).runTasks(all), tasks.map(portable)),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.close();
    },
  };
}

/** Bytes as base64: what crosses into the page is JSON. */
function portable({ module, input, ...rest }: Task): PortableTask {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return { ...rest, module: base64(module), input: base64(input) };
}
