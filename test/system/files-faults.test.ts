/** Faults of the disk in real processes: a clear error where something can't be done, and nothing lost. */
import { mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectFileSet, mixedSizes, putFileSet, writeFileSet } from "./file-set.ts";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

const MIB: number = 1024 * 1024;
const TEST_MS = 900_000;

interface Use {
  readonly usedBytes: number;
  readonly shards: number;
  readonly damaged: number;
  readonly repaired: number;
}

async function use(lab: Lab, node: Node): Promise<Use> {
  return (await lab.shJson(node, "df --json")) as Use;
}

async function sees(lab: Lab, node: Node, count: number): Promise<void> {
  const ask = async (): Promise<number> => ((await lab.shJson(node, "peers --json")) as unknown[]).length;
  await eventually(`${node.data} sees ${count} nodes`, ask, (seen) => seen === count, 60_000);
}

async function joinAll(lab: Lab, first: Node, args: readonly (readonly string[])[]): Promise<Node[]> {
  const nodes = await Promise.all(
    args.map((each) => lab.up({ args: ["--cores", "0", "--join", first.invite, ...each] })),
  );
  await Promise.all([first, ...nodes].map((node) => sees(lab, node, nodes.length + 1)));
  return nodes;
}

test(
  "a node that is killed in the middle of a put has stored the old file or nothing, after its restart too",
  async () => {
    await using lab = await openLab();
    const first = await lab.up({ args: ["--cores", "0"] });
    const [putter] = await joinAll(lab, first, [[]]);
    if (putter === undefined) throw new Error("It is up");
    expect(await lab.sh(putter, "put - /old", { stdin: "as it was" })).toMatchObject({ status: 0, stderr: "" });
    const puts = ["/old", "/new"].map((path) => {
      const put = lab.starfish(["sh", "--data", putter.data, "-c", `put - ${path}`], { keepStdin: true });
      // The put has read all of this but no end, so it is under way until it is killed.
      put.child.stdin?.write(Buffer.alloc(8 * MIB, path));
      return put;
    });
    const placed = (): Promise<Use> => use(lab, first);
    await eventually("shards of both are placed", placed, ({ usedBytes }) => usedBytes > 8 * MIB, 60_000);
    await putter.process.end("SIGKILL");
    for (const put of puts) expect((await put.finished).status).not.toBe(0);
    const again = await lab.up({ data: putter.data, args: ["--cores", "0"] });
    for (const node of [first, again]) {
      expect(await lab.sh(node, "cat /old; ls --json /")).toMatchObject({ status: 0, stderr: "" });
      expect((await lab.sh(node, "cat /old")).stdout).toBe("as it was");
      expect(await lab.sh(node, "cat /new")).toMatchObject({ status: 1, stdout: "" });
    }
    expect(await lab.sh(again, "put - /new", { stdin: "now it is there" })).toMatchObject({ status: 0, stderr: "" });
    expect((await lab.sh(first, "cat /new")).stdout).toBe("now it is there");
  },
  TEST_MS,
);

test(
  "shards that are flipped, cut short or removed under a running node are found when they are read, and made good; restarted, it has them",
  async () => {
    await using lab = await openLab();
    const first = await lab.up({ args: ["--cores", "0"] });
    const [other] = await joinAll(lab, first, [[]]);
    if (other === undefined) throw new Error("It is up");
    const set = await writeFileSet(lab, "set", mixedSizes(12, MIB, 4 * MIB));
    await putFileSet(lab, first, set);
    const whole = await use(lab, first);
    await damage(join(first.data, "shards"));
    for (const node of [first, other]) await expectFileSet(lab, node, set);
    const mended = (): Promise<Use> => use(lab, first);
    const isMended = ({ damaged, repaired, usedBytes, shards }: Use): boolean =>
      damaged > 2 && repaired === damaged && usedBytes === whole.usedBytes && shards === whole.shards;
    const { damaged } = await eventually("what was found damaged is there again", mended, isMended, 60_000);
    // The files that were read are sound now; nobody has read the others yet.
    await expectFileSet(lab, first, set);
    expect((await use(lab, first)).damaged).toBe(damaged);
    await first.process.end("SIGTERM");
    const again = await lab.up({ data: first.data, args: ["--cores", "0"] });
    await expectFileSet(lab, again, set);
    expect(await use(lab, again)).toMatchObject({ shards: whole.shards, damaged: 0 });
  },
  TEST_MS,
);

test(
  "a node that is killed soon after it has met the first other finds it again, though nobody finds it",
  async () => {
    await using lab = await openLab();
    const first = await lab.up({ args: ["--cores", "0"] });
    const [other] = await joinAll(lab, first, [[]]);
    if (other === undefined) throw new Error("It is up");
    expect(await lab.sh(first, "put - /before", { stdin: "as it was" })).toMatchObject({ status: 0, stderr: "" });
    await first.process.end("SIGKILL");
    // It starts on other ports than before.
    const again = await lab.up({ data: first.data, args: ["--cores", "0"] });
    expect(await lab.sh(again, "put - /after", { stdin: "it is back" })).toMatchObject({ status: 0, stderr: "" });
    const there = (): Promise<{ readonly stdout: string }> => lab.sh(other, "cat /after");
    await eventually("the other has it", there, ({ stdout }) => stdout === "it is back", 60_000);
    expect((await lab.sh(again, "cat /before")).stdout).toBe("as it was");
  },
  TEST_MS,
);

/** Flips a byte of one shard, cuts the next short, empties the one after it, and so on. */
async function damage(shards: string): Promise<void> {
  const entries = await readdir(shards, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  for (const [i, file] of files.entries()) {
    const handle = await open(join(file.parentPath, file.name), "r+");
    const { size } = await handle.stat();
    if (i % 3 === 0) {
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
      await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, size - 1);
    } else await handle.truncate(i % 3 === 1 ? size - 1 : 0);
    await handle.close();
  }
}

test(
  "a device whose quota is used up is passed over; where all are full a put says so, and all that was there stays",
  async () => {
    await using lab = await openLab();
    const first = await lab.up({ args: ["--cores", "0", "--storage", "24M"] });
    const others = await joinAll(lab, first, [
      ["--storage", "24M"],
      ["--storage", "24M"],
      ["--storage", "3M"],
    ]);
    const set = await writeFileSet(lab, "set", mixedSizes(14, 3 * MIB, 12 * MIB));
    expect(await putFileSet(lab, first, set)).toMatch(/survives the loss of any 2 of \d nodes; all on this computer/);

    const huge = await lab.sh(first, "put - /huge", { stdin: Buffer.alloc(16 * MIB, "x") });
    expect(huge).toMatchObject({ status: 1, stdout: "" });
    expect(huge.stderr).toMatch(/^put: .*used up/);
    expect(await lab.sh(first, "cat /huge")).toMatchObject({ status: 1, stdout: "" });
    const uses = async (): Promise<number[]> =>
      Promise.all([first, ...others].map(async (node) => (await use(lab, node)).usedBytes));
    await eventually("nothing of it stays", uses, (all) => all.every((bytes) => bytes < 16 * MIB));
    expect(await lab.sh(first, "put - /small", { stdin: "there is room for this" })).toMatchObject({ status: 0 });
    await Promise.all(others.slice(1).map((node) => node.process.end("SIGKILL")));
    for (const node of [first, ...others.slice(0, 1)]) {
      await expectFileSet(lab, node, set);
      expect((await lab.sh(node, "cat /small")).stdout).toBe("there is room for this");
    }
  },
  TEST_MS,
);

/** A data directory on a disk of `mib` MiB, which only processes see that are started `within` it. */
async function smallDisk(lab: Lab, mib: number): Promise<{ data: string; within: string[] }> {
  const data = join(lab.folder, "small-disk");
  await mkdir(data);
  const script = `mount -t tmpfs -o size=${mib}m tmpfs "$0" && exec "$@"`;
  const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  return { data, within: ["unshare", ...asRoot, "--mount", "sh", "-c", script, data] };
}

/** The command prefix that runs something where that process runs. */
function beside(pid: number | undefined): string[] {
  return ["nsenter", "--target", `${pid}`, "--preserve-credentials", "--mount"];
}

test(
  "a disk that is full is told of in words, and what was there stays",
  async () => {
    await using lab = await openLab();
    const { data, within } = await smallDisk(lab, 28);
    const node = await lab.up({ data, within, args: ["--cores", "0", "--storage", "1G"] });
    const inside = beside(node.process.child.pid);
    const sh = async (
      line: string,
      stdin: string | Uint8Array = "",
    ): Promise<{ status: number | null; stdout: string; stderr: string }> =>
      lab.starfish(["sh", "--data", data, "-c", line], { stdin, within: inside }).finished;
    const kept = Buffer.alloc(4 * MIB, "kept ");
    expect(await sh("put - /kept", kept)).toMatchObject({ status: 0, stderr: "" });
    const huge = await sh("put - /huge", Buffer.alloc(32 * MIB, "too much"));
    expect(huge).toMatchObject({ status: 1, stdout: "" });
    expect(huge.stderr).toMatch(/^put: .*The disk is full/);
    expect(await sh("cat /huge")).toMatchObject({ status: 1, stdout: "" });
    expect(await sh("cat /kept")).toMatchObject({ status: 0, stdout: kept.toString() });
    expect(await sh("put - /after", "there is room again")).toMatchObject({ status: 0, stderr: "" });
    expect(await sh("cat /after")).toMatchObject({ status: 0, stdout: "there is room again" });
  },
  TEST_MS,
);

test(
  "what a node on a full disk calls failed nobody reads; it starts again, says why it takes nothing in, and goes on when there is room",
  async () => {
    await using lab = await openLab();
    const { data, within } = await smallDisk(lab, 24);
    // This process keeps the disk while the node is restarted on it.
    const keeper = lab.starfish(["version"], { within: [...within, "sh", "-c", "echo mounted; exec sleep 600"] });
    await keeper.output(/mounted/);
    const inside = beside(keeper.child.pid);
    const node = await lab.up({ data, within: inside, args: ["--cores", "0", "--storage", "1M"] });
    const other = await lab.up({ args: ["--cores", "0", "--join", node.invite, "--storage", "100M"] });
    await sees(lab, other, 2);
    type Outcome = { readonly status: number | null; readonly stdout: string; readonly stderr: string };
    const sh = (line: string, stdin: string | Uint8Array = ""): Promise<Outcome> =>
      lab.starfish(["sh", "--data", data, "-c", line], { stdin, within: inside }).finished;
    expect(await sh("put - /before", "as it was")).toMatchObject({ status: 0, stderr: "" });
    const fill = async (name: string): Promise<void> => {
      const script = 'cat /dev/zero > "$0" 2>/dev/null; true';
      await lab.starfish(["version"], { within: [...inside, "sh", "-c", script, join(data, name)] }).finished;
    };
    await fill("fill");
    // Each file is as its put's status says: either it can be read everywhere and is kept here, or it failed and is
    // nowhere.
    for (let i = 0; i < 4; i++) {
      const small = await sh(`put - /small-${i}`, "small");
      const large = await sh(`put - /large-${i}`, Buffer.alloc(MIB, "large"));
      for (const [name, { status, stderr }] of [
        [`/small-${i}`, small],
        [`/large-${i}`, large],
      ] as const) {
        if (status !== 0) expect(stderr).toContain("The disk is full");
        expect([name, (await lab.sh(other, `cat ${name}`)).status]).toEqual([name, status]);
      }
      await fill(`fill-${i}`);
    }
    expect((await sh("put - /refused", "x")).stderr).toContain("The disk is full: free some space");
    expect((await lab.sh(other, "cat /refused")).stderr).toContain("/refused: No such file");
    await node.process.end("SIGKILL");
    await fill("fill-again");
    const again = await lab.up({ data, within: inside, args: ["--cores", "0", "--storage", "1M"] });
    expect(again.process.stderr).toContain("store.full");
    expect(again.process.stderr).toContain("The disk is full: free some space");
    expect(await sh("cat /before")).toMatchObject({ status: 0, stdout: "as it was" });
    expect(await sh("put - /refused", "x")).toMatchObject({ status: 1, stdout: "" });
    await lab.starfish(["version"], { within: [...inside, "sh", "-c", 'rm "$0"/fill*', data] }).finished;
    expect(await sh("put - /after", "there is room again")).toMatchObject({ status: 0, stderr: "" });
    expect(await sh("cat /after")).toMatchObject({ status: 0, stdout: "there is room again" });
    // It came back at an address that nobody knows, so it was the one to find the other.
    const there = (): Promise<Outcome> => lab.sh(other, "cat /after");
    await eventually("the other has it", there, ({ stdout }) => stdout === "there is room again", 60_000);
  },
  TEST_MS,
);
