/**
 * Takes the pictures of the documentation from a real swarm: `node test/browser/pictures.ts` (after `npm run build`).
 * One node and four tabs, two of which lend cores, draw a Mandelbrot set; some of them have put things in memory.
 */
import { join } from "node:path";
import { openLab } from "../system/processes.ts";
import { openTabs, type Tab } from "./tabs.ts";

/** The first runs show who had to load the task first. */
const WARM_UPS = 3;
const docs = process.argv[2] ?? join(import.meta.dirname, "../../docs");

await using lab = await openLab();
const node = await lab.up({ args: ["--cores", "2"] });
await using tabs = await openTabs();
const helpers: Tab[] = [];
for (let i = 0; i < 3; i++) helpers.push(await tabs.open(node.invite, { apart: true, cores: 4 }));
for (const helper of helpers.slice(0, 2)) await helper.page.getByRole("button", { name: "Lend 3 of 4 cores" }).click();
const memories = ["mem set lunch 'noodles at noon' --for 2h", "mem set hello world", "mem set visitors 42 --json"];
for (const [i, line] of memories.entries()) await helpers[i]?.run(line);

for (const [name, options] of [
  ["page-desktop", { dark: true, width: 1180, height: 720, cores: 2 }],
  ["page-phone", { phone: true, scale: 1.75, dark: true, width: 390, height: 844, cores: 2 }],
] as const) {
  const tab = await tabs.open(node.invite, options);
  await tab.page.locator("#rows tr").nth(4).waitFor({ state: "attached" });
  // Few and large tiles: their frames, in the colours of who computed them, can be seen in a small picture.
  const line = `map mandelbrot --size ${name === "page-phone" ? "512x384" : "768x512"}`;
  for (let run = 0; run < WARM_UPS; run++) await tab.run(`${line} | echo`);
  await tab.page.keyboard.press("Control+L");
  await tab.type("whoami");
  await tab.type(line);
  await tab.page.locator("#terminal canvas").first().waitFor();
  await tab.waitFor(/^mandelbrot: \d+ chunks in[^]*\$$/m);
  await tab.page.screenshot({ path: join(docs, `${name}.png`) });
  console.log(name, /^mandelbrot: .*$/m.exec(await tab.screen())?.[0]);
  if (name === "page-phone") {
    await tab.page.locator("#tab-swarm").tap();
    // The swipe takes its time.
    await tab.page.waitForTimeout(900);
    await tab.page.screenshot({ path: join(docs, "page-phone-swarm.png") });
  }
  await tab.close();
}
