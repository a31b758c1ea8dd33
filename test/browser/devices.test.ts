/** A second device: Chromium in a network of its own, joined by a cable (veth) with that of the node. */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumPath } from "../../tools/chromium.ts";
import { eventually, openLab, type Lab, type Node } from "../system/processes.ts";
import { openSites, type Sites } from "../system/sites.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

let lab: Lab;
let sites: Sites;
let tabs: Tabs;

beforeAll(async () => {
  lab = await openLab();
  sites = await openSites(2);
  tabs = await openTabs({
    executablePath: await chromiumWithin(sites.enter(1)),
    // A person would click through the browser's warning, but the service worker would still be refused.
    args: ["--ignore-certificate-errors"],
  });
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await sites?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

/** Writes a program that runs Chromium in the other network, and returns its path. */
async function chromiumWithin(command: readonly string[]): Promise<string> {
  const path = join(lab.folder, "chromium");
  const words = [...command, chromiumPath()].map((word) => `'${word}'`).join(" ");
  await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

async function protectionWords(tab: Tab): Promise<string> {
  return await tab.page.locator("#facts .protection").innerText();
}

/**
 * Computes, writes to the memory and stores a file, and checks that the node sees each. Then it checks the link that
 * the tab would give to others.
 */
async function takesPart(tab: Tab, node: Node): Promise<void> {
  const primes = await tab.run("map primes --range 0..200000");
  expect(primes).toMatchObject({ ok: true, output: expect.stringContaining("17984") });
  expect((await tab.run("mem set from-afar hello")).ok).toBe(true);
  await eventually(
    "the node has what the tab has set",
    async () => (await lab.sh(node, "mem get from-afar")).stdout,
    (stdout) => stdout === "hello\n",
  );
  // Large enough to be coded: the erasure code's workers hash.
  await lab.sh(node, "put - /large", { stdin: new Uint8Array(600_000).fill(7) });
  const copied = await tab.run("cat /large | put - /copy");
  expect(copied).toMatchObject({ ok: true });
  const { stdoutBytes } = await lab.sh(node, "cat /copy");
  expect(stdoutBytes.equals(Buffer.alloc(600_000, 7))).toBe(true);
  const { output } = await tab.run("invite --json");
  expect(output.replaceAll("\n", "")).toContain(`"${node.url}#v2.`);
}

test("over plain http it joins, computes and stores, and says once that it came unprotected", async () => {
  const node = await lab.up({ within: sites.enter(0), args: ["--host", "0.0.0.0"] });
  expect(node.url).toMatch(/^http:\/\/10\.77\.0\.1:\d+\/$/);
  expect(node.invite.length).toBeLessThanOrEqual(250);
  const tab = await tabs.open(node.invite, { apart: true });
  expect(await tab.page.evaluate(() => [isSecureContext, typeof crypto.subtle, typeof navigator.locks])).toEqual([
    false,
    "undefined",
    "undefined",
  ]);
  expect(await tab.page.locator("#notice").innerText()).toMatch(/came unprotected.*stores nothing.*--tls self/s);
  await tab.page.getByRole("button", { name: "Close" }).click();
  expect(await protectionWords(tab)).toBe("unprotected (http)");
  await takesPart(tab, node);
  expect(await tab.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([]);
  expect(await tab.page.evaluate(() => JSON.stringify(localStorage))).not.toContain("v2.");

  // The panel copies without the clipboard API, which this page lacks.
  await tab.page.getByRole("button", { name: "Invite", exact: true }).click();
  await tab.page.locator("#invite-code svg").waitFor();
  await tab.page.getByRole("button", { name: "Copy the link" }).click();
  await expect.poll(() => tab.page.locator("#invite-note").innerText()).toBe("Copied.");

  await tab.page.reload();
  await tab.waitFor(/You are \S+\./);
  expect(await tab.page.locator("#notice").isHidden()).toBe(true);
  expect(await protectionWords(tab)).toBe("unprotected (http)");
  expect(tab.complaints).toEqual([]);
  await tab.close();
  await node.process.end();
});

test("over --tls-cert and --tls-key the link names what the certificate is for, and the tab is protected", async () => {
  const { cert, private: key } = await generate([{ name: "commonName", value: "10.77.0.1" }], {
    keyType: "ec",
    curve: "P-256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "10.77.0.1" }] }],
  });
  const [certFile, keyFile] = [join(lab.folder, "cert.pem"), join(lab.folder, "key.pem")];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key);
  const args = ["--host", "0.0.0.0", "--tls-cert", certFile, "--tls-key", keyFile];
  const node = await lab.up({ within: sites.enter(0), args });
  expect(node.url).toMatch(/^https:\/\/10\.77\.0\.1:\d+\/$/);
  const tab = await tabs.open(node.invite, { apart: true });
  expect(await tab.page.evaluate(() => isSecureContext)).toBe(true);
  expect(await protectionWords(tab)).toBe("by https");
  await takesPart(tab, node);
  expect(tab.complaints).toEqual([]);
  await tab.close();
  await node.process.end();
});

test("over --tls self it is protected, as the node is again after a restart, and nodes join by the same link", async () => {
  const options = { within: sites.enter(0), args: ["--host", "0.0.0.0", "--tls", "self"] };
  const node = await lab.up(options);
  expect(node.url).toMatch(/^https:\/\/10\.77\.0\.1:\d+\/$/);
  expect(node.invite.length).toBeLessThanOrEqual(250);
  const [, fingerprint = ""] = await node.process.output(/fingerprint ((?:[\dA-F]{2}:){31}[\dA-F]{2})/);
  const tab = await tabs.open(node.invite, { apart: true });
  expect(await tab.page.evaluate(() => isSecureContext)).toBe(true);
  expect(await protectionWords(tab)).toBe("by https");
  expect(await tab.page.locator("#notice").isHidden()).toBe(true);
  await takesPart(tab, node);
  expect((await tab.run("peers")).output).toMatch(/direct,\s+websocket/);
  expect(tab.complaints).toEqual([]);
  await tab.close();

  const second = await lab.up({ within: sites.enter(1), args: ["--join", node.invite] });
  await eventually(
    "both nodes are members",
    async () => (await lab.sh(second, "peers")).stdout,
    (stdout) => /2 members|3 members/.test(stdout),
  );
  await node.process.end();
  const again = await lab.up({ ...options, data: node.data });
  expect((await again.process.output(/fingerprint (\S+)\./))[1]).toBe(fingerprint);
});
