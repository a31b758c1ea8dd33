/** A file far larger than the memory that a node may take passes through it, in and out, and comes back as it was. */
import { createCipheriv, createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, openLab } from "./processes.ts";

const MIB: number = 1024 * 1024;
const isLong: boolean = process.env["LONG"] !== undefined;
const FILE_BYTES: number = isLong ? 2048 * MIB : 128 * MIB;
/** 300 MB. */
const RSS_MIB_MAX = 286;
/** How often to look at the memory of a process that may end at any time, ms. */
const LOOK_MS = 100;
const TEST_MS: number = isLong ? 1_800_000 : 600_000;

/** Bytes that can't be compressed, the same every time. */
function* stream(bytes: number): Generator<Buffer> {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  for (let at = 0; at < bytes; at += MIB) yield cipher.update(zeros);
}

/** The most memory that a process has had so far. */
async function peakMib(pid: number | undefined): Promise<number> {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib ?? 0) / 1024;
}

test.runIf(process.platform === "linux")(
  "a file far larger than memory is put and got in bounded memory",
  { timeout: TEST_MS },
  async () => {
    await using lab = await openLab();
    const here = await lab.up({ args: ["--cores", "0", "--storage", "6G"] });
    const there = await lab.up({ args: ["--cores", "0", "--storage", "6G", "--join", here.invite] });
    const seen = async (): Promise<number> => ((await lab.shJson(here, "peers --json")) as unknown[]).length;
    await eventually("they see each other", seen, (count) => count === 2);

    const put = lab.starfish(["sh", "--data", here.data, "-c", "put - /huge"], { keepStdin: true });
    const hash = createHash("sha256");
    for (const chunk of stream(FILE_BYTES)) {
      hash.update(chunk);
      if (put.child.stdin?.write(chunk) === false) await once(put.child.stdin, "drain");
    }
    const peaks: Record<string, number> = { "put's sh": await peakMib(put.child.pid) };
    put.child.stdin?.end();
    expect(await put.finished).toMatchObject({ status: 0, stderr: "" });

    const get = lab.starfish(["sh", "--data", there.data, "-c", "get /huge back"]);
    const over = new AbortController();
    void get.finished.then(() => over.abort());
    while (!over.signal.aborted) {
      peaks["get's sh"] = Math.max(peaks["get's sh"] ?? 0, await peakMib(get.child.pid).catch(() => 0));
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    expect(await get.finished).toMatchObject({ status: 0, stderr: "" });
    const back = createHash("sha256");
    for await (const chunk of createReadStream(join(lab.folder, "back"))) back.update(chunk as Buffer);
    expect(back.digest("hex")).toBe(hash.digest("hex"));
    peaks["putting node"] = await peakMib(here.process.child.pid);
    peaks["getting node"] = await peakMib(there.process.child.pid);
    console.log(
      Object.entries(peaks)
        .map(([who, mib]) => `${who}: ${mib.toFixed(0)} MiB`)
        .join(", "),
    );
    for (const mib of Object.values(peaks)) expect(mib).toBeLessThan(RSS_MIB_MAX);
  },
);
