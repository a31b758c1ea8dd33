/**
 * The package as other people get it: packed, installed into an empty folder, and run under the Node of this machine.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { examplesIn } from "../fixtures/examples.ts";
import { eventually, openLab, ROOT } from "./processes.ts";

/** An installation fetches what npm's cache lacks. */
const INSTALL_MS = 300_000;

/** Without the project's own binaries: the Node of the machine, which may be an old one. */
const PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter);
const env = { ...process.env, PATH };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-package-"));
  // The set-up of the tests has already built the page and the tasks.
  execFileSync("npm", ["run", "--silent", "build:lib"], { cwd: ROOT });
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const [archive = ""] = execFileSync("npm", pack, { cwd: ROOT, encoding: "utf8" }).trim().split("\n").slice(-1);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", join(folder, archive)];
  execFileSync("npm", install, { cwd: folder, env, stdio: "pipe" });
}, INSTALL_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  ["an empty folder that it was installed into", () => join(folder, "node_modules/.bin/starfish")],
  ["a checkout", () => join(ROOT, "bin/starfish.mjs")],
])("starfish works from %s", async (_, program) => {
  await using lab = await openLab({ program: [program()], env });
  expect(await lab.starfish(["--version"]).finished).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^starfish \d/),
  });
  const node = await lab.up();
  expect(await (await fetch(node.url)).text()).toContain("<!doctype html>");
  expect(await lab.sh(node, "map primes --range 0..100000")).toMatchObject({ status: 0, stdout: "9592\n" });
  expect(await lab.sh(node, "nope")).toMatchObject({ status: 127 });
  // When the launcher is killed outright, the node ends too: its directory is free again.
  await node.process.end("SIGKILL");
  const isLocked = async (): Promise<boolean> => (await readdir(node.data)).some((name) => name.startsWith("lock."));
  await eventually("the directory is free", isLocked, (locked) => !locked);
  const again = await lab.up({ data: node.data });
  expect(await again.process.end("SIGTERM")).toMatchObject({ status: 0 });
});

test("a program that has installed it shares the memory, as the documentation shows", async () => {
  const [example = ""] = await examplesIn("memory.md");
  await writeFile(join(folder, "memory.mjs"), example);
  await using lab = await openLab();
  const node = await lab.up({ args: ["--cores", "0"] });
  await lab.sh(node, "mem set greeting/before 1");
  await using programs = await openLab({ program: [process.execPath] });
  const program = programs.starfish([join(folder, "memory.mjs"), node.invite]);
  await program.output(/^there is: greeting\/program \{ pid: \d+, text: 'hello' \}$/m);
  expect(await lab.shJson(node, "mem get greeting/program --json")).toEqual({ pid: program.child.pid, text: "hello" });
  await program.output(/greeting\/before 1$/m);
  await lab.sh(node, "mem set greeting/shell 'hello back'");
  await program.output(/^changed: greeting\/shell hello back$/m);
  expect(await program.end("SIGINT")).toMatchObject({ status: 0, stderr: "" });
  await node.process.output(/ left$/m);
});

test("TypeScript knows what it has installed", async () => {
  const program = `
    import { openComputer, startNode, type Computer } from "starfish";
    import { openComputer as open } from "/starfish.js";
    await using node = await startNode({ dataDir: "./node" });
    const keys: number = node.computer.memory.count("greeting/");
    // @ts-expect-error: a count is no text.
    const text: string = node.computer.memory.count("greeting/");
    const computers: Computer[] = [await openComputer({ dataDir: "./other", invite: "" }), await open({ invite: "" })];
    for (const { sql } of computers) for await (const { n } of sql<{ n: number }>\`SELECT 1 AS n\`) n.toFixed();
    // @ts-expect-error: only pages have no directory.
    await openComputer();
  `;
  const [, declared = ""] =
    /^```ts\n(declare module .*?)^```$/ms.exec(await readFile(join(ROOT, "docs/apps.md"), "utf8")) ?? [];
  await writeFile(join(folder, "page.d.ts"), declared);
  await writeFile(join(folder, "program.mts"), program);
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "esnext"];
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const { status, stdout } = spawnSync(tsc, [...options, "program.mts", "page.d.ts"], {
    cwd: folder,
    encoding: "utf8",
  });
  expect([stdout, status]).toEqual(["", 0]);
});
