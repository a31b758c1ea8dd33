/** Files from tab to tab: one asks, the other accepts, and what was sent is in its inbox or among its downloads. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab, type Lab } from "../system/processes.ts";
import { openTabs, type Tabs } from "./tabs.ts";

let lab: Lab;
let tabs: Tabs;

beforeAll(async () => {
  lab = await openLab();
  tabs = await openTabs();
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

test("a tab sends to another, which is asked, and finds it in /inbox or downloads it", async () => {
  const node = await lab.up();
  const bytes = new Uint8Array(2_000_000);
  for (let at = 0; at < bytes.length; at += 50_000) crypto.getRandomValues(bytes.subarray(at, at + 50_000));
  await lab.sh(node, "put - /large", { stdin: bytes });
  const from = await tabs.open(node.invite, { apart: true });
  const to = await tabs.open(node.invite, { apart: true });
  expect((await from.run("name alpha")).ok).toBe(true);
  expect((await to.run("name beta")).ok).toBe(true);
  await expect.poll(async () => (await from.run("peers")).output, { timeout: 30_000 }).toContain("beta");

  const sending = from.run("send beta /large");
  await to.waitFor(/alpha \(\w{6}\) wants to send you 1 file, 2\.00 MB: large/);
  const taken = await to.run("receive --from alpha");
  expect(taken).toMatchObject({ ok: true, output: expect.stringContaining("is in /inbox") });
  expect(await sending).toMatchObject({ ok: true, output: expect.stringContaining("has it: 1 file, 2.00 MB") });
  expect((await to.run("cmp /inbox/alpha/large /large && rm /inbox/alpha/large && echo same")).output).toContain(
    "same",
  );

  const download = to.page.waitForEvent("download");
  const receiving = to.run("receive -o saved");
  await to.waitFor(/waiting for somebody to send/);
  expect((await from.run("send beta /large")).ok).toBe(true);
  expect((await receiving).ok).toBe(true);
  const path = await (await download).path();
  const hash = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
  expect(hash(await readFile(path))).toBe(hash(bytes));
  expect([...from.complaints, ...to.complaints]).toEqual([]);
});
