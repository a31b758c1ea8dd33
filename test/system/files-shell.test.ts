/**
 * Files from a terminal, over real processes: the state that Ctrl-C leaves, the files that a get replaces, and the
 * examples as people paste them.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileCommands } from "../../core/shell/commands/files.ts";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

const MIB: number = 1024 * 1024;
const INTERRUPTED = 130;

async function usedBytes(lab: Lab, node: Node): Promise<number> {
  return ((await lab.shJson(node, "df --json")) as { usedBytes: number }).usedBytes;
}

test(
  "Ctrl-C in the middle of a put leaves nothing, in the middle of a get what was there",
  { timeout: 600_000 },
  async () => {
    await using lab = await openLab();
    const node = await lab.up({ args: ["--cores", "0"] });
    const content = randomBytes(48 * MIB);
    await writeFile(join(lab.folder, "content"), content);
    expect(await lab.sh(node, "put content /ünï/", { timeoutMs: 120_000 })).toMatchObject({ status: 0, stderr: "" });
    const before = await usedBytes(lab, node);

    const put = lab.starfish(["sh", "--data", node.data, "-c", "put - /half"], { keepStdin: true });
    put.child.stdin?.write(randomBytes(8 * MIB));
    const used = (): Promise<number> => usedBytes(lab, node);
    await eventually("some of it is stored", used, (bytes) => bytes > before + 4 * MIB);
    expect(await put.end("SIGINT")).toMatchObject({ status: INTERRUPTED, stdout: "" });
    expect(await lab.sh(node, "stat /half")).toMatchObject({ status: 1, stdout: "" });
    await eventually("nothing of it is stored", used, (bytes) => bytes === before);

    await writeFile(join(lab.folder, "target"), "as it was");
    const files = await readdir(lab.folder);
    const get = lab.starfish(["sh", "--data", node.data, "-c", "get /ünï/content target"]);
    const isGrowing = async (): Promise<boolean> => (await readdir(lab.folder)).some((name) => name.endsWith(".part"));
    while (!(await isGrowing()) && get.child.exitCode === null) await new Promise(setImmediate);
    expect(await get.end("SIGINT")).toMatchObject({ status: INTERRUPTED, stdout: "" });
    expect(await readFile(join(lab.folder, "target"), "utf8")).toBe("as it was");
    expect(await readdir(lab.folder)).toEqual(files);
    expect(await lab.sh(node, "get /ünï/content target")).toMatchObject({ status: 0, stderr: "" });
    expect((await readFile(join(lab.folder, "target"))).equals(content)).toBe(true);
  },
);

test("the examples of all commands for files work, pasted in a row", async () => {
  await using lab = await openLab();
  const node = await lab.up({ args: ["--cores", "0"] });
  const lines = fileCommands.flatMap(({ help }) => help.split("\n").filter((line) => /^ {2}\S/.test(line)));
  expect(lines.length).toBeGreaterThanOrEqual(fileCommands.length);
  const all = lines.map((line) => line.trim()).join(" && ");
  expect(await lab.sh(node, all)).toMatchObject({ status: 0, stderr: "" });
});

test("one file that can't be read does not keep the others from coming, and nobody waits for a pipe", async () => {
  await using lab = await openLab();
  const node = await lab.up({ args: ["--cores", "0"] });
  const at = (name: string): string => join(lab.folder, "of", name);
  await mkdir(at("below"), { recursive: true });
  execFileSync("mkfifo", [join(lab.folder, "pipe")]);
  for (const byte of [0xe8, 0xe9]) await writeFile(Buffer.concat([Buffer.from(at("caf")), Buffer.of(byte)]), "x");
  const longest = "n".repeat(255);
  for (const name of [longest, "a\\b", "below/z"]) await writeFile(at(name), name);
  const { status, stdout, stderr } = await lab.sh(node, "put of pipe /dev/zero nowhere /proc/version /to/");
  expect([status, stdout]).toEqual([1, expect.stringMatching(/^4 files, /)]);
  expect(stderr.trimEnd().split("\n").sort()).toEqual([
    "put: /dev/zero is no file: give it as standard input, with '-'",
    "put: 5 files of these are missing or not whole, as named above",
    "put: of/caf\\xe8: its name is no UTF-8, and so has no place here",
    "put: of/caf\\xe9: its name is no UTF-8, and so has no place here",
    "put: pipe is no file: give it as standard input, with '-'",
    "put: there is no nowhere here",
  ]);
  expect((await lab.sh(node, "cat /to/version")).stdout).toBe(await readFile("/proc/version", "utf8"));
  expect(await lab.sh(node, "get /to/of back")).toMatchObject({ status: 0, stderr: "" });
  for (const name of [longest, "a\\b", "below/z"]) {
    expect(await readFile(join(lab.folder, "back", name), "utf8")).toBe(name);
  }
});
