/**
 * `send --code` to somebody who is no member: they get this one thing, in a browser or by `starfish receive`, once, and
 * nothing else.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROTOCOLS } from "../adversary/registry.ts";
import { type Lab, type Node, openLab } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

let lab: Lab;
let tabs: Tabs;
let node: Node;

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up();
  tabs = await openTabs();
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A page with nothing of the swarm in it. */
const stranger = (link: string): Promise<Tab> => tabs.open(link, { apart: true, joins: false });

async function notice(tab: Tab, words: RegExp): Promise<void> {
  await expect.poll(() => tab.page.locator("#notice").innerText(), { timeout: 30_000 }).toMatch(words);
}

/** Whether this page has ever been a node: it has no computer, no store and no link. */
const isNode = (tab: Tab): Promise<boolean> =>
  tab.page.evaluate(async () => {
    const stores = await indexedDB.databases();
    return "starfish" in globalThis || stores.length > 0 || localStorage.getItem("starfish.invite") !== null;
  });

/**
 * The answer of the address at which strangers with a code connect, when one of the swarm's protocols is asked for
 * instead.
 */
async function heard(url: string, protocol: string): Promise<string> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  let said = "";
  socket.addEventListener("open", () => {
    socket.send(new TextEncoder().encode(`${protocol}\n`));
    socket.send(new Uint8Array(0));
  });
  socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
    said += new TextDecoder().decode(data);
    if (data.byteLength === 0) socket.close();
  });
  await new Promise((resolve) => socket.addEventListener("close", resolve));
  return said;
}

test("a browser that is no member gets the file of a node, once; wrong words get nothing", async () => {
  const bytes = randomBytes(3_000_000);
  await writeFile(join(lab.folder, "report.pdf"), bytes);
  const sending = lab.starfish(["sh", "--data", node.data, "-c", "send --code report.pdf"]);
  const [, code = ""] = await sending.output(/^(\d+-[a-z]+-[a-z]+-[a-z]+)$/m);
  const [link = ""] = await sending.output(/^http\S+#code=\S+$/m);

  const wrong = await stranger(link.replace(/-[a-z]+-[a-z]+$/, code.includes("-owl-") ? "-fox-fox" : "-owl-owl"));
  await notice(wrong, /Those are not the words\. 2 more wrong guesses end the code\./);
  await sending.output(/somebody tried wrong words: 1 of 3/);

  // Here the words are typed on the page; above, the link was opened.
  const tab = await stranger(node.url);
  await tab.page.getByLabel("Your invite link, or a code").fill(code.replaceAll("-", " ").toUpperCase());
  await tab.page.getByRole("button", { name: "Join", exact: true }).click();
  await notice(tab, /There is something for you: report\.pdf/);
  const download = tab.page.waitForEvent("download");
  await tab.page.getByRole("button", { name: "Download" }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe("report.pdf");
  expect(hash(await readFile(await saved.path()))).toBe(hash(bytes));
  await notice(tab, /report\.pdf is among your downloads/);
  expect((await sending.finished).status).toBe(0);

  // Whatever is asked for is refused. (test/system/strangers.test.ts tests the same over links.)
  const names = Object.keys(PROTOCOLS);
  const answers = await Promise.all(names.map((name) => heard(`${node.url.replace(/^http/, "ws")}code`, name)));
  expect(answers.filter((said) => !said.includes("refuse") || said.length > 200)).toEqual([]);

  const second = await stranger(link);
  await notice(second, /has been used/);
  // The command gets nothing either for a code that was used.
  const late = await lab.starfish(["receive", link, "late"]).finished;
  expect(late.status).not.toBe(0);
  expect(late.stderr).toContain("has been used");
  for (const one of [wrong, tab, second]) {
    expect(await isNode(one)).toBe(false);
    expect(one.complaints).toEqual([]);
    await one.close();
  }
  expect(await lab.shJson(node, "peers --json")).toHaveLength(1);
});

test("a tab sends a directory to who has no browser, by way of the node that serves its page", async () => {
  const tab = await tabs.open(node.invite);
  await tab.run("mkdir -p /d/e && echo hello > /d/a && seq 100000 > /d/e/b");
  await tab.type("send --code /d");
  const [, code = ""] = await tab.waitFor(/^(\d+-[a-z]+-[a-z]+-[a-z]+)$/m);
  const link = `${node.url}#code=${code}`;
  const { status, stdout, stderr } = await lab.starfish(["receive", link, "here"]).finished;
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining("2 files and 2 folders") });
  expect(stdout).toMatch(/^d, \d+ kB, is in here\n$/);
  expect(await readFile(join(lab.folder, "here/d/a"), "utf8")).toBe("hello\n");
  expect((await readFile(join(lab.folder, "here/d/e/b"), "utf8")).split("\n")).toHaveLength(100_001);
  await tab.waitFor(/It was fetched: \d+ kB/);
  expect(tab.complaints).toEqual([]);
});
