/**
 * Takes the pictures of the documentation from a real swarm: `node test/browser/pictures.ts` (after `npm run build`).
 * One node and four tabs, two of which lend cores, draw a Mandelbrot set; some of them have put things in memory. Then
 * it shows files, one of which is being repaired because two tabs have gone and others have come; a table; a mail; and
 * a film as a job of the swarm.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openLab } from "../system/processes.ts";
import { openTabs, type Tab } from "./tabs.ts";

/** The first runs show which node had to load the task first. */
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
  ["page-desktop", { dark: true, width: 1180, height: 760, cores: 2 }],
  ["page-phone", { phone: true, scale: 1.75, dark: true, width: 390, height: 844, cores: 2 }],
] as const) {
  const tab = await tabs.open(node.invite, options);
  await tab.page.locator("#rows tr").nth(4).waitFor({ state: "attached" });
  // Few and large tiles, so that their frames, in the colours of the nodes that computed them, can be seen in a small
  // picture.
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

await lab.sh(node, "map mandelbrot --size 1500x1125 --at -0.7436,0.1318,180 | put - /pictures/seahorses.png");
await lab.sh(node, "put - /pictures/notes.txt", { stdin: "Seahorse valley, 180 times.\n" });
await helpers[2]?.run("echo noodles at noon | put - /pictures/lunch.txt");
const tab = await tabs.open(node.invite, { dark: true, width: 1180, height: 760, cores: 2 });
await tab.page.locator("#rows tr").nth(4).waitFor({ state: "attached" });
await tab.run("map mandelbrot --size 640x480 | put - /pictures/whole.png");
await tab.page.keyboard.press("Control+L");
await tab.type("ls -l /pictures");
await tab.type("df");
await tab.page.locator("#view-files").click();
await tab.page.locator("#files-rows button", { hasText: "pictures" }).first().click();
await tab.page.locator("#files-rows button", { hasText: "seahorses" }).first().click();
await tab.page.locator("#preview img").waitFor();
await tab.page.locator("#shards .device").nth(3).waitFor();
for (const helper of helpers.slice(0, 2)) await helper.close();
await tab.page.locator("#shards .device.gone").nth(1).waitFor();
const newcomers = Promise.all([0, 1].map(() => tabs.open(node.invite, { apart: true, cores: 4 })));
// The picture is taken as soon as one of them has got some shards, while others are still to come.
await tab.page.waitForFunction(() => {
  const lit = document.querySelector("#shards")?.getAnimations({ subtree: true }) ?? [];
  return lit.length > 2;
});
await tab.page.screenshot({ path: join(docs, "page-files.png") });
await newcomers;

// A table and a question about it, and a mail with a picture.
const clerk = await tabs.open(node.invite, { dark: true, width: 1180, height: 760, cores: 2 });
await clerk.page.keyboard.press("Control+L");
await clerk.type('sql "CREATE TABLE harvest (field TEXT, month TEXT, kg INTEGER)"');
await clerk.type(`sql "INSERT INTO harvest VALUES ('north', 'July', 120), ('south', 'July', 340)"`);
await clerk.type(`sql "INSERT INTO harvest VALUES ('north', 'August', 210), ('south', 'August', 180)"`);
await clerk.type('sql "SELECT month, sum(kg) AS kg FROM harvest GROUP BY month"');
await clerk.waitFor(/^2 rows[^]*\$$/m);
await clerk.page.locator("#view-tables").click();
await clerk.page.locator("#tables-list").getByRole("button", { name: "harvest" }).click();
await clerk.page.locator(".grid tbody tr").nth(3).waitFor();
await clerk.page.locator("#tables-show-query").click();
await clerk.page.locator("#query-text").fill("SELECT field, sum(kg) AS kg FROM harvest GROUP BY field");
await clerk.page.locator("#query-text").press("Control+Enter");
await clerk.page.locator("#query .chart").waitFor();
await clerk.page.screenshot({ path: join(docs, "page-tables.png") });
await clerk.type("clear");
const [me, writer] = [await clerk.name(), helpers[2]];
await writer?.run(`mail ${me} -s "noodles at noon?" -m "And what is this one called?" /pictures/seahorses.png`);
await clerk.page.locator("#view-mail").click();
await clerk.page.locator("#mail-rows .mail button").first().click();
await clerk.page.locator("#mail-open .text").waitFor();
await clerk.type("mail");
await clerk.waitFor(/noon[^]*\$$/);
await clerk.page.screenshot({ path: join(docs, "page-mail.png") });
await clerk.close();

// A film as a job of the swarm, while it is rendered and when it is there.
const director = await tabs.open(node.invite, { dark: true, width: 1180, height: 760, cores: 2 });
await director.page.locator("#view-jobs").click();
await director.type("map film --frames 64 --size 320x240 --detach");
const [film = ""] = await director.waitFor(/^[0-9a-f]{16}$/m);
const card = director.page.locator(`[data-job="${film}"]`);
await card.locator(".facts", { hasText: / (2\d|3\d|4\d) of 64 / }).waitFor({ timeout: 120_000 });
await director.page.screenshot({ path: join(docs, "page-jobs-running.png") });
await card.getByRole("button", { name: "Open result" }).click({ timeout: 120_000 });
await director.page.locator("#job-result-view img").waitFor();
await director.page.keyboard.press("Control+L");
await director.type(`job ${film.slice(0, 8)}`);
await director.waitFor(/rate\n[^]*\$$/);
await director.page.screenshot({ path: join(docs, "page-jobs.png") });
const small = await lab.sh(node, "map film --frames 24 --size 200x150 --at -0.743643887,0.131825904,2000");
await writeFile(join(docs, "film.gif"), small.stdoutBytes);
