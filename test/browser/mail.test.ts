/**
 * Mail and transfers on real pages: a mail to a tab that is closed is there when it is opened again, read and answered;
 * files go to a node by being dropped on it.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pattern } from "../fixtures/content.ts";
import { type Lab, type Node, openLab } from "../system/processes.ts";
import { drop, sha256 } from "./files.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

let lab: Lab;
let node: Node;
let tabs: Tabs;

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up({ args: ["--cores", "1"] });
  tabs = await openTabs();
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const TEXT = "Hello,\nhere it is. <b onclick=alert(1)>Not HTML</b> & so on.";
const SIZE_BYTES = 300_000;
/** A picture of 512 × 512 pixels. */
const PNG: string = join(import.meta.dirname, "../../browser/public/icon-512.png");

/** The readers of the mail that was sent last, with its state for each. */
async function readers(tab: Tab): Promise<string[]> {
  return await tab.page.locator("#sent-rows > li").first().locator(".readers li").allInnerTexts();
}

function button(tab: Tab, name: string): ReturnType<Tab["page"]["locator"]> {
  return tab.page.locator("#mail-place").getByRole("button", { name, exact: true });
}

test("a mail to a tab that is closed waits for it; opened again it reads and answers, and the sender is told", async () => {
  const here = await tabs.open(node.invite, { apart: true });
  const there = await tabs.open(node.invite, { apart: true, phone: true, width: 390, height: 844 });
  const [sender, reader] = [await here.name(), await there.name()];
  await here.page.locator("#view-mail").click();
  await expect.poll(() => here.page.locator("#mail-list .empty").innerText()).toMatch(/^Mail is for whoever/);
  await button(here, "Write").click();
  const to = here.page.locator("#compose-to");
  await to.fill(reader.slice(0, 4));
  await expect.poll(() => here.page.locator("#compose-choices li b").allInnerTexts()).toContain(reader);
  await there.page.goto("about:blank");

  // By the keyboard alone. A name that nobody has is reported where it is typed.
  await to.fill("nobody-is-called-so");
  await button(here, "Send").click();
  expect(await here.page.locator("#compose .trouble").innerText()).toMatch(/^Nobody here is called/);
  await to.fill(reader);
  await to.press("Enter");
  await here.page.locator("#compose-subject").fill("The file");
  await here.page.locator("#compose-text").fill(TEXT);
  await drop(here, [{ name: "large.bin", sizeBytes: SIZE_BYTES, seed: 5 }], "#compose");
  await expect.poll(() => here.page.locator("#compose .attachments li").innerText()).toContain("300 kB");
  await here.page.locator("#compose-text").press("Control+Enter");
  await expect.poll(() => here.page.locator("#mail-said").innerText()).toMatch(/it waits for them in the swarm/);
  await button(here, "Sent").click();
  await expect.poll(() => readers(here)).toEqual([expect.stringMatching(new RegExp(`^${reader}\\s+○ waiting$`))]);

  await there.page.goto(node.invite);
  const tab = there.page.locator("#tab-mail");
  await expect.poll(() => tab.getAttribute("aria-label")).toBe("Mail, 1 unread");
  expect(await there.page.title()).toBe("(1) Starfish");
  await tab.click();
  const row = there.page.locator("#mail-rows .mail");
  await expect.poll(() => row.getAttribute("data-state")).toBe("unread");
  expect((await row.innerText()).split(/\s*\n\s*/)).toEqual([sender, expect.any(String), "The file", "1 file, 300 kB"]);
  await expect.poll(() => readers(here)).toEqual([expect.stringContaining("◐ delivered")]);
  await row.getByRole("button").click();
  await expect.poll(() => there.page.locator("#mail-open .text").innerText()).toBe(TEXT);
  await expect.poll(() => readers(here)).toEqual([expect.stringContaining("● read")]);
  await expect.poll(() => tab.getAttribute("aria-label")).toBe("Mail");

  const download = there.page.waitForEvent("download");
  await there.page.getByRole("button", { name: "Download large.bin" }).click();
  const file = await download;
  expect(sha256(await readFile(await file.path()))).toBe(sha256(pattern(SIZE_BYTES, 5)));
  await there.page.getByRole("button", { name: "Save large.bin to Files" }).click();
  await there.page.getByRole("button", { name: "Save", exact: true }).click();
  await expect
    .poll(async () => sha256((await lab.sh(node, "cat /large.bin")).stdoutBytes))
    .toBe(sha256(pattern(SIZE_BYTES, 5)));
  expect(await there.page.locator("#mail-place").evaluate((place) => place.scrollWidth <= place.clientWidth)).toBe(
    true,
  );

  await button(there, "Answer").click();
  await there.page.locator("#compose-text").pressSequentially("Thanks!");
  await button(there, "Send").click();
  await button(here, "Inbox").click();
  await here.page.locator("#mail-rows .mail button").click();
  await expect
    .poll(() => here.page.locator("#mail-open .text").innerText())
    .toMatch(/^Thanks!\s+\S+ wrote on .*:\n> Hello,\n/);
  expect(await here.page.locator("#mail-open h3").innerText()).toBe("Re: The file");
  await button(here, "Delete").click();
  await button(here, "Delete it").click();
  await expect.poll(() => here.page.locator("#mail-rows .mail").count()).toBe(0);
  expect([...here.complaints, ...there.complaints]).toEqual([]);
  await here.close();
  await there.close();
});

/** Drops a file, as if it had been dragged onto the middle of a node's mark in the picture. */
async function dropOnNode(tab: Tab, name: string, sizeBytes: number): Promise<string> {
  return await tab.page.evaluate(
    ([node, bytes]) => {
      const labels = [...document.querySelectorAll("#swarm-nodes .node")];
      const mark = labels.find((one) => one.querySelector(".label")?.textContent === node)?.querySelector(".shape");
      const box = mark?.getBoundingClientRect();
      if (!mark || !box) return `There is no ${node} in the picture`;
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes).fill(7)], "film.mkv"));
      const at = { clientX: box.left + box.width / 2 + 9, clientY: box.top + box.height / 2 };
      const picture = document.querySelector("#picture");
      const event = (type: string): DragEvent =>
        new DragEvent(type, { ...at, dataTransfer: data, bubbles: true, cancelable: true });
      picture?.dispatchEvent(event("dragover"));
      const sign = document.querySelector("#swarm-drop")?.textContent ?? "";
      picture?.dispatchEvent(event("drop"));
      return sign;
    },
    [name, sizeBytes] as const,
  );
}

test("a file dropped on a node of the picture is offered there, comes when it is accepted, and is refused when it is not", async () => {
  const here = await tabs.open(node.invite, { apart: true });
  const there = await tabs.open(node.invite, { apart: true, width: 390, height: 844 });
  const [sender, receiver] = [await here.name(), await there.name()];
  await expect.poll(() => here.page.locator("#swarm-nodes").textContent()).toContain(receiver);
  expect(await dropOnNode(here, receiver, SIZE_BYTES)).toBe(`Drop to send to ${receiver}`);
  const under = here.page.locator("#sends");
  await expect.poll(() => under.innerText()).toContain(`Sending film.mkv to ${receiver}`);

  // The question appears over the page in every view, and in full in the view of mail.
  const card = there.page.locator("#cards .card");
  await expect.poll(() => card.innerText()).toContain("It wants to send you film.mkv (300 kB).");
  await card.getByRole("button", { name: "Look at it" }).click();
  const offer = there.page.locator("#mail-offers > li");
  await expect.poll(() => offer.innerText()).toContain(`wants to send you film.mkv, 300 kB.`);
  expect(await offer.innerText()).toContain(sender);
  await offer.getByRole("button", { name: "Accept" }).click();
  await expect.poll(() => here.page.locator("#swarm-said").innerText()).toBe(`${receiver} has film.mkv.`);
  expect(await under.locator("li").count()).toBe(0);
  expect(await card.count()).toBe(0);
  await button(there, "Files").click();
  const item = there.page.locator("#received-rows > li");
  await expect.poll(() => item.innerText()).toContain(sender);
  await item.getByRole("button", { name: /^Open/ }).click();
  const download = there.page.waitForEvent("download");
  await item.getByRole("button", { name: "Download film.mkv" }).click();
  const bytes = await readFile(await (await download).path());
  expect(bytes.equals(Buffer.alloc(SIZE_BYTES, 7))).toBe(true);

  // By the keyboard: the table, then the panel of the node. A refusal is shown, and stays until it is dismissed.
  await here.page.locator("#show-table").click();
  await here.page.locator("#rows").getByRole("button", { name: receiver }).press("Enter");
  const chooser = here.page.waitForEvent("filechooser");
  await here.page.locator("#node-send").press("Enter");
  await (await chooser).setFiles({ name: "other.txt", mimeType: "text/plain", buffer: Buffer.from("hello") });
  await offer.getByRole("button", { name: "Refuse" }).click();
  await expect.poll(() => under.locator(".failed").innerText()).toMatch(/other\.txt\s[^]*(want|refuse)/);
  await item.getByRole("button", { name: /^Delete/ }).click();
  await item.getByRole("button", { name: "Delete it" }).click();
  await expect.poll(() => item.count()).toBe(0);

  // A person's picture, which the tab has made small, is beside the name; a broken one is not shown, and told of.
  await lab.sh(node, `put ${PNG} /icon.png`);
  expect((await here.run("me name anna && me --picture /icon.png")).output).toMatch(/You have a picture now \(\d/);
  const face = there.page.locator("#rows [data-face]").filter({ hasText: sender });
  const shown = (): Promise<string> => face.evaluate((row) => getComputedStyle(row, "::before").backgroundImage);
  await expect.poll(shown).toMatch(/^url\("blob:/);
  const broken = join(lab.folder, "broken.png");
  await writeFile(broken, (await readFile(PNG.replace("512", "192"))).fill(99, 24, 33));
  expect(await lab.sh(node, `me name ben && me --picture ${broken}`)).toMatchObject({ status: 0 });
  await there.page.locator("#tab-terminal").click();
  await there.waitFor(/The picture of ben is broken/);
  expect([...here.complaints, ...there.complaints]).toEqual([]);
});
