/** Transfers between real processes: over links that are cut and nodes that are killed; pipes; many files; memory. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isLong } from "../sim/seeds.ts";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";
import { openSites } from "./sites.ts";

/** So large that a transfer takes some seconds, and there is time to interrupt it. */
const BYTES: number = isLong ? 1_000_000_000 : 100_000_000;
/** The number of cuts. Both ends notice each only after half a minute; breaks.sim.test.ts has hundreds of them. */
const CUTS: number = isLong ? 2 : 0;
/** Time limit of a transfer on two busy cores. */
const DONE_MS: number = isLong ? 900_000 : 90_000;
const GROWTH_BYTES_MAX = 100_000_000;

interface Transfers {
  readonly transfers: readonly { readonly title: string; readonly state: string; readonly doneBytes: number }[];
}

async function randomFile(path: string, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "w");
  const block = new Uint8Array(1_000_000);
  for (let at = 0; at < bytes; at += block.length) {
    for (let i = 0; i < block.length; i += 65_536) crypto.getRandomValues(block.subarray(i, i + 65_536));
    const part = block.subarray(0, Math.min(block.length, bytes - at));
    hash.update(part);
    await file.write(part);
  }
  await file.close();
  return hash.digest("hex");
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

async function doneBytes(lab: Lab, node: Node, title: string): Promise<number> {
  const { transfers } = (await lab.shJson(node, "receive --list --json")) as Transfers;
  return transfers.find((one) => one.title === title)?.doneBytes ?? 0;
}

async function came(lab: Lab, node: Node, title: string, bytes: number): Promise<void> {
  await eventually(
    `${bytes} bytes came`,
    () => doneBytes(lab, node, title),
    (done) => done >= bytes,
    DONE_MS,
  );
}

async function sees(lab: Lab, node: Node, count: number): Promise<void> {
  const ask = async (): Promise<number> => ((await lab.shJson(node, "peers --json")) as unknown[]).length;
  await eventually(`it sees ${count} nodes`, ask, (seen) => seen === count, 60_000);
}

/** The most memory that a process has had. */
async function memoryOf({ process: { child } }: Node): Promise<{ readonly peak: number }> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  const of = (name: string): number => 1_024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
  return { peak: of("VmHWM") };
}

test("a transfer outlives cuts of its link and the end of either process", { timeout: 2 * DONE_MS }, async () => {
  await using sites = await openSites(2);
  await using lab = await openLab();
  const up = (site: number, name: string, more: readonly string[]): Promise<Node> =>
    lab.up({
      within: sites.enter(site),
      data: join(lab.folder, name),
      args: ["--host", sites.address(site), "--cores", "0", "--storage", "4G", "--name", name, ...more],
    });
  let to = await up(0, "receiver", []);
  let from = await up(1, "sender", ["--join", to.invite]);
  await sees(lab, from, 2);
  await sees(lab, to, 2);
  expect(await lab.sh(to, "receive --allow sender")).toMatchObject({ status: 0 });
  const sha256 = await randomFile(join(lab.folder, "big"), BYTES);
  const before = new Map<Node, number>();
  const look = async (node: Node): Promise<void> => void before.set(node, (await memoryOf(node)).peak);
  await look(from);
  await look(to);
  const grown = async (node: Node): Promise<void> => {
    const { peak } = await memoryOf(node);
    const growth = peak - (before.get(node) ?? 0);
    console.log(`${node === to ? "The receiver" : "The sender"} has grown by ${(growth / 1e6).toFixed(0)} MB`);
    expect(growth).toBeLessThan(GROWTH_BYTES_MAX);
  };

  const send = (): ReturnType<Lab["starfish"]> =>
    lab.starfish(["sh", "--data", from.data, "-c", "send receiver big --json"], { cwd: lab.folder });
  let sending = send();
  await came(lab, to, "big", BYTES / 20);
  for (let i = 0; i < CUTS; i++) {
    await sites.cut([0]);
    const { transfers } = (await lab.shJson(to, "receive --list --json")) as Transfers;
    const done = transfers[0]?.doneBytes ?? 0;
    await sees(lab, to, 1);
    await sites.heal();
    await came(lab, to, "big", done + 2_000_000);
  }
  await grown(to);
  await to.process.end("SIGKILL");
  to = await up(0, "receiver", ["--port", new URL(to.url).port]);
  await look(to);
  await eventually(
    "it goes on",
    () => doneBytes(lab, to, "big"),
    (done) => done > 0,
    DONE_MS,
  );
  await grown(from);
  const there = await doneBytes(lab, to, "big");
  if (there < BYTES) {
    await from.process.end("SIGKILL");
    await sending.finished;
    from = await up(1, "sender", []);
    await sees(lab, from, 2);
    await look(from);
    sending = send();
  }
  const { status, stdout, stderr } = await sending.finished;
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: "" });
  await grown(from);
  await grown(to);
  const told = JSON.parse(stdout) as { bytes: number; resumedBytes: number };
  console.log(`Of ${BYTES} bytes ${told.resumedBytes} were there before the sender came back`);
  expect(told.bytes).toBe(BYTES);
  if (there < BYTES) expect(told.resumedBytes).toBeGreaterThanOrEqual(Math.min(there, BYTES - 262_144) - 262_144);
  expect(await lab.sh(to, "cp /inbox/sender/big /host/got", { timeoutMs: DONE_MS, cwd: lab.folder })).toMatchObject({
    status: 0,
    stderr: "",
  });
  expect(await hashOf(join(lab.folder, "got"))).toBe(sha256);
});

test("a directory of many small files, and a pipe between two shells", { timeout: 2 * DONE_MS }, async () => {
  await using lab = await openLab();
  const to = await lab.up({ args: ["--cores", "0", "--name", "receiver"] });
  const from = await lab.up({ args: ["--cores", "0", "--name", "sender", "--join", to.invite] });
  await sees(lab, from, 2);
  const count = isLong ? 10_000 : 500;
  await mkdir(join(lab.folder, "many"));
  const names = Array.from({ length: count }, (_, i) => (i % 100 === 0 ? `-odd \u00fc\n${i}` : `file ${i}`));
  for (const name of names) await writeFile(join(lab.folder, "many", name), name);
  await mkdir(join(lab.folder, "got"));
  const receiving = lab.sh(to, "receive --from sender -o got", { cwd: lab.folder, timeoutMs: DONE_MS });
  const sent = await lab.sh(from, "send receiver many", { cwd: lab.folder, timeoutMs: DONE_MS });
  expect(sent).toMatchObject({ status: 0, stderr: "" });
  expect(await receiving).toMatchObject({ status: 0, stderr: "" });
  for (const name of names) expect(await readFile(join(lab.folder, "got/many", name), "utf8")).toBe(name);

  const bytes = Buffer.alloc(5_000_000, "a pipe between two shells\n");
  const reading = lab.sh(to, "receive --from sender | cat", { timeoutMs: DONE_MS });
  expect(await lab.sh(from, "send receiver -", { stdin: bytes, timeoutMs: DONE_MS })).toMatchObject({ status: 0 });
  const read = await reading;
  expect(read.status).toBe(0);
  expect(Buffer.compare(read.stdoutBytes, bytes)).toBe(0);
});
