import { StorageCap } from "../../../browser/storage-cap.ts";
import { LendControl } from "../../../browser/ui/lend.ts";
import { ComputerViews } from "../../../browser/ui/computer-views.ts";
import { Page } from "../../../browser/ui/page.ts";
import { showNotice } from "../../../browser/ui/notice.ts";
import { demoComputer } from "./computer.ts";

const query = new URLSearchParams(location.search);
const values = [
  "hello world",
  42,
  { lat: 52.5, lon: 13.4 },
  "a line that is much longer than the panel is wide, so that it has to be cut",
  Uint8Array.of(1, 2, 255),
  true,
];
const page = new Page();
page.open("joining");
const demo = await demoComputer(Number(query.get("n") ?? 4));
const cap = new StorageCap(demo.computer.storage);
const views = new ComputerViews(page, demo.computer, { swarm: "amber-cove", tasksRun: () => 12, cap });
views.sayWhoIsHere();
const keys = Number(query.get("keys") ?? 0);
for (let i = 0; i < keys; i++)
  demo.write(i % 5, i % 3 === 0 ? `sensors/room-${i}` : `greeting-${i}`, values[i % values.length]);
/** Number of writes a second, for as long as the page is visible. */
const rate = Number(query.get("rate") ?? 0);
if (rate > 0)
  setInterval(() => {
    for (let i = 0; i < rate / 50; i++) demo.write(i % 5, `counter-${Math.floor(Math.random() * keys)}`, Math.random());
  }, 20);
let chosen = 0;
const lend = new LendControl((cores) => {
  chosen = cores;
  lend.update({ cores: 4, lent: chosen, chosen, heldBack: undefined });
});
lend.update({ cores: 4, lent: 0, chosen, heldBack: undefined });
if (query.has("notice")) {
  showNotice({
    title: "This link has no key in it",
    words: ["Nothing was lost. Ask whoever sent it for the whole link, with the part after #, and open that."],
    detail: "bad-invite",
  });
}
Object.assign(globalThis, { demo });
