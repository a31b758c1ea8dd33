/** Runs cases of WASI's suite in a tab: a page of Vite's server that takes them one by one. */
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";
import { CHROMIUM_ARGS, chromiumPath } from "../../tools/chromium.ts";
import type { WasiOutcome } from "./wasi-case.ts";
import type { PortableCase } from "./wasi-page.ts";
import type { WasiCase } from "./wasi-suite.ts";

export interface WasiPlace extends AsyncDisposable {
  run(one: WasiCase): Promise<WasiOutcome>;
}

export async function inChromium(): Promise<WasiPlace> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const server = await createServer({ root, configFile: false, logLevel: "error", server: { port: 0 } });
  await server.listen();
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
  const page = await browser.newPage();
  page.on("pageerror", (error) => process.stderr.write(`${error.message}\n`));
  await page.goto(`${server.resolvedUrls?.local[0] ?? ""}test/conformance/wasi.html`);
  await page.waitForFunction(() => "runPortable" in globalThis);
  return {
    run: (one) =>
      page.evaluate(
        (portable) =>
          (globalThis as unknown as { runPortable: (one: PortableCase) => Promise<WasiOutcome> }).runPortable(portable),
        portableOf(one),
      ),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.close();
    },
  };
}

/** Bytes as base64: what crosses into the page is JSON. */
function portableOf(one: WasiCase): PortableCase {
  const { module, files, name, args, environment, exitCode, stdout, stderr } = one;
  return {
    ...{ name, args, environment, exitCode, stdout, stderr },
    module: Buffer.from(module).toString("base64"),
    files:
      files &&
      Object.fromEntries(
        Object.entries(files).map(([path, bytes]) => [
          path,
          bytes === null ? null : Buffer.from(bytes).toString("base64"),
        ]),
      ),
  };
}
