/**
 * Mail between real processes: its reader is killed before it is sent, its sender and half of the others after, and the
 * reader starts again and has it byte for byte. Meanwhile the memory and the stores of all others are searched for its
 * content.
 */
import { createCipheriv, createHash } from "node:crypto";
import { createReadStream, globSync } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

const isLong: boolean = process.env["LONG"] !== undefined;
const MIB: number = 1024 * 1024;
const FILE_BYTES: number = isLong ? 1024 * MIB : 3 * MIB;
const OTHERS = isLong ? 6 : 2;
const TEST_MS: number = isLong ? 1_800_000 : 120_000;
/** Time for nodes to hear of each other: eight nodes on two cores suspect each other for a while. */
const WAIT_MS = 60_000;
/** The bytes that are searched at once. Pieces overlap by more than the length of any secret. */
const LOOK_BYTES: number = 16 * MIB;
const OVERLAP_BYTES = 256;
/**
 * 400 MB. A node takes 262 MiB to store a file of any size (test/system/files-memory.test.ts); here it seals besides,
 * and repairs what the killed ones held.
 */
const RSS_MIB_MAX = 381;

const SUBJECT = "plover subject 7081";
const LINE = "the plover line of the letter 93412\n";
const TEXT: string = LINE.repeat(Math.ceil(1_024 / LINE.length));
const FILE = "plover-name-5523.bin";
/** A text that all nodes get. Finding it proves that the search works. */
const MARKER = "marker that everybody sees 60914";

/** Writes bytes that can't be compressed, and returns their hash and some of them. */
async function writeFile(path: string): Promise<{ readonly hash: string; readonly part: Buffer }> {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 2), Buffer.alloc(16));
  const hash = createHash("sha256");
  const zeros = Buffer.alloc(MIB);
  let part = Buffer.alloc(0);
  await using file = await open(path, "w");
  for (let at = 0; at < FILE_BYTES; at += MIB) {
    const bytes = cipher.update(zeros);
    if (at === 2 * MIB) part = Buffer.from(bytes.subarray(5_000, 5_032));
    hash.update(bytes);
    await file.write(bytes);
  }
  return { hash: hash.digest("hex"), part };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Which of these secrets are in the memory of that process. */
async function inMemory({ process: { child } }: Node, secrets: readonly Buffer[]): Promise<Set<Buffer>> {
  const found = new Set<Buffer>();
  const maps = await readFile(`/proc/${child.pid}/maps`, "utf8");
  await using memory = await open(`/proc/${child.pid}/mem`, "r");
  const buffer = Buffer.alloc(LOOK_BYTES);
  for (const [, from = "", to = "", rest = ""] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw(.*)$/gm)) {
    if (rest.includes("[v")) continue;
    const end = Number.parseInt(to, 16);
    for (let at = Number.parseInt(from, 16); at < end; at += LOOK_BYTES - OVERLAP_BYTES) {
      const { bytesRead } = await memory
        .read(buffer, 0, Math.min(LOOK_BYTES, end - at), at)
        // The process has given this memory back meanwhile.
        .catch(() => ({ bytesRead: 0 }));
      const seen = buffer.subarray(0, bytesRead);
      for (const secret of secrets) if (seen.includes(secret)) found.add(secret);
    }
  }
  return found;
}

/** Which of these secrets are in the node's data directory. */
async function inStores({ data }: Node, secrets: readonly Buffer[]): Promise<Set<Buffer>> {
  const found = new Set<Buffer>();
  for (const path of globSync(`${data}/**/*`)) {
    if (!(await stat(path)).isFile()) continue;
    const bytes = await readFile(path);
    for (const secret of secrets) if (bytes.includes(secret)) found.add(secret);
  }
  return found;
}

async function peakMib({ process: { child } }: Node): Promise<number> {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${child.pid}/status`, "utf8")) ?? [];
  return Number(kib ?? 0) / 1024;
}

async function swarm(lab: Lab): Promise<{ anna: Node; ben: Node; others: Node[] }> {
  const args = (name: string): string[] => ["--name", name, "--cores", "0", "--storage", isLong ? "4G" : "200M"];
  const first = await lab.up({ args: args("c0") });
  const names = ["anna", "ben", ...Array.from({ length: OTHERS - 1 }, (_, i) => `c${i + 1}`)];
  const joined = await Promise.all(names.map((name) => lab.up({ args: [...args(name), "--join", first.invite] })));
  const [anna, ben, ...others] = joined;
  if (anna === undefined || ben === undefined) throw new Error("All have joined");
  const count = async (): Promise<number> => ((await lab.shJson(anna, "peers --json")) as unknown[]).length;
  await eventually("all see each other", count, (members) => members === OTHERS + 2, WAIT_MS);
  return { anna, ben, others: [first, ...others] };
}

test.runIf(process.platform === "linux")(
  "mail waits for a killed reader, sealed, though its sender and half of the others are killed",
  { timeout: TEST_MS },
  async () => {
    await using lab = await openLab();
    const file = await writeFile(join(lab.folder, FILE));
    const { anna, ben, others } = await swarm(lab);
    await lab.sh(anna, `mem set marker '${MARKER}'`);
    // Each node has published its key by now, or will in a moment.
    await eventually(
      "anna knows ben's key",
      () => lab.sh(anna, "mail ben -m first --no-wait"),
      ({ status }) => status === 0,
      WAIT_MS,
    );
    await ben.process.end("SIGKILL");
    const line = `mail ben ./${FILE} -m - -s '${SUBJECT}'`;
    const sent = await lab.sh(anna, line, { cwd: lab.folder, stdin: TEXT, timeoutMs: TEST_MS / 2 });
    expect(sent).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining("Sent to ben") });

    const secrets = [SUBJECT, LINE.trim(), FILE].map((text) => Buffer.from(text));
    const marker = Buffer.from(MARKER);
    const wanted = [...secrets, file.part];
    for (const other of others) {
      const memory = await inMemory(other, [...wanted, marker]);
      expect([...memory].map(String), "in the memory of another").toEqual([MARKER]);
      expect([...(await inStores(other, wanted))].map(String), "in the store of another").toEqual([]);
    }
    const peaksMib = { sender: await peakMib(anna), reader: 0 };

    await anna.process.end("SIGKILL");
    const dying = others.slice(1, 1 + Math.floor(OTHERS / 2));
    await Promise.all(dying.map((other) => other.process.end("SIGKILL")));
    const [first] = others;
    const again = await lab.up({ data: ben.data, args: ["--cores", "0", "--join", first?.invite ?? ""] });
    type Row = { readonly n: number; readonly state: string; readonly subject: string };
    const inbox = async (): Promise<Row[]> => (await lab.shJson(again, "mail --json")) as Row[];
    const rows = await eventually(
      "the mail is here",
      inbox,
      (all) => all.some(({ state, subject }) => state === "unread" && subject === SUBJECT),
      WAIT_MS,
    );
    const { n } = rows.find(({ subject }) => subject === SUBJECT) ?? { n: 0 };
    expect(await lab.shJson(again, `mail read ${n} --json`)).toMatchObject({
      fromName: "anna",
      text: TEXT,
      files: [{ name: FILE, sizeBytes: FILE_BYTES }],
    });
    const saved = await lab.sh(again, `mail save ${n} /host/saved`, { cwd: lab.folder, timeoutMs: TEST_MS / 2 });
    expect(saved).toMatchObject({ status: 0, stderr: "" });
    expect(await hashOf(join(lab.folder, "saved", FILE))).toBe(file.hash);
    peaksMib.reader = await peakMib(again);
    console.log(`for a file of ${FILE_BYTES / MIB} MiB the nodes have taken, in MiB: ${JSON.stringify(peaksMib)}`);
    expect(Math.max(...Object.values(peaksMib))).toBeLessThan(RSS_MIB_MAX);
  },
);
