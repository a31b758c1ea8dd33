import { LendControl } from "../../../browser/ui/lend.ts";
import { Page } from "../../../browser/ui/page.ts";
import { showNotice } from "../../../browser/ui/notice.ts";
import { demoComputer } from "./computer.ts";

const query = new URLSearchParams(location.search);
const page = new Page();
page.open("amber-cove");
const demo = demoComputer(Number(query.get("n") ?? 4));
page.follow(demo.computer, { swarm: "amber-cove", tasksRun: () => 12 });
page.sayWhoIsHere();
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
