/** Takes pictures of the demo: node test/browser/demo/look.ts OUTDIR. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { build, preview } from "vite";
import { chromium } from "playwright-core";
import config from "../../../vite.config.ts";
import { CHROMIUM_ARGS, chromiumPath } from "../../../tools/chromium.ts";

const out = process.argv[2] ?? ".";
mkdirSync(out, { recursive: true });
const dir = mkdtempSync(join(tmpdir(), "starfish-demo-"));
await build({
  ...config,
  configFile: false,
  logLevel: "warn",
  build: { ...config.build, outDir: dir, emptyOutDir: true },
  plugins: [
    {
      name: "demo",
      transformIndexHtml: {
        order: "pre",
        handler: (html) => html.replace("./main.ts", "/../test/browser/demo/main.ts"),
      },
    },
  ],
});
const server = await preview({
  configFile: false,
  logLevel: "warn",
  build: { outDir: dir },
  preview: { host: "127.0.0.1", port: 0 },
});
const url = server.resolvedUrls?.local[0] ?? "";
const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...CHROMIUM_ARGS] });
const shots = [
  { name: "desktop-dark", width: 1280, height: 800, dark: true, query: "n=5&keys=4" },
  { name: "desktop-light", width: 1280, height: 800, dark: false, query: "n=14&notice=1&keys=40" },
  { name: "many-dark", width: 1280, height: 800, dark: true, query: "n=200" },
  { name: "table-dark", width: 1280, height: 800, dark: true, query: "n=12&keys=9", click: "#show-table" },
  { name: "invite-light", width: 1280, height: 800, dark: false, query: "n=5", click: "#invite-open" },
  { name: "phone-dark", width: 390, height: 844, dark: true, query: "n=4" },
  { name: "phone-light", width: 390, height: 844, dark: false, query: "n=4&keys=12", click: "#tab-swarm" },
  { name: "files-dark", width: 1280, height: 800, dark: true, query: "n=6", click: "#view-files" },
  { name: "files-phone", width: 390, height: 844, dark: false, query: "n=6", click: "#tab-files" },
];
for (const shot of shots) {
  const context = await browser.newContext({
    viewport: { width: shot.width, height: shot.height },
    colorScheme: shot.dark ? "dark" : "light",
    hasTouch: shot.width < 500,
    isMobile: shot.width < 500,
    deviceScaleFactor: shot.width < 500 ? 2 : 1,
  });
  const page = await context.newPage();
  page.on("console", (message) => console.log(shot.name, message.type(), message.text()));
  page.on("pageerror", (error) => console.log(shot.name, "error", error.message));
  await page.goto(`${url}?${shot.query}`);
  await page.waitForTimeout(900);
  if (shot.click !== undefined) await page.locator(shot.click).click();
  await page.waitForTimeout(900);
  await page.screenshot({ path: join(out, `${shot.name}.png`) });
  await context.close();
}
await browser.close();
await server.close();
