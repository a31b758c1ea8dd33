/**
 * Programs by other authors work on files of the tree, in a real tab and in Node, and give the same bytes as with
 * node:wasi.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeProgramPlatform } from "../../node/program-platform.ts";
import { programNamed } from "../../core/shell/programs/table.ts";
import { outputByNode } from "../conformance/wasi-node.ts";
import { largeProgram } from "../fixtures/large-program.ts";
import { type Lab, type Node, openLab } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

let lab: Lab;
let node: Node;
let tabs: Tabs;
let tab: Tab;

/** The input of the programs: 20,000 lines that are always the same. */
const DATA: Uint8Array = new TextEncoder().encode(
  Array.from({ length: 20_000 }, (_, i) => `${(i * 7919) % 20_011} line ${i} größe\n`).join(""),
);

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up();
  tabs = await openTabs();
  await put("/data.txt", DATA);
  await put("/python.wasm", largeProgram());
  expect((await lab.sh(node, "chmod +x /python.wasm")).status).toBe(0);
  tab = await tabs.open(node.invite, { apart: true });
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

async function put(path: string, stdin: Uint8Array): Promise<void> {
  const { status, stderr } = await lab.sh(node, `put - ${path}`, { stdin });
  expect([status, stderr]).toEqual([0, ""]);
}

async function module(name: string): Promise<Uint8Array> {
  const file = programNamed(name);
  if (file === undefined) throw new Error(`no program ${name}`);
  return await nodeProgramPlatform.load(file);
}

const PYTHON: string = [
  "import hashlib, json",
  'lines = open("/data.txt", encoding="utf-8").read().splitlines()',
  "lines.sort(key=lambda line: int(line.split()[0]))",
  "print(json.dumps(lines[:100], ensure_ascii=False))",
  "print(hashlib.sha256(chr(10).join(lines).encode()).hexdigest())",
].join("; ");

test.each([
  ["python", "/python.wasm", ["-c", PYTHON]],
  ["awk", "awk", ["{ sum += $1; last = $NF } END { print sum, last }", "/data.txt"]],
  ["sha256sum", "sha256sum", ["/data.txt"]],
])("%s gives the same bytes as elsewhere", async (name, command, args) => {
  const line = [command, ...args.map((word) => `'${word}'`)].join(" ");
  const bytes = name === "python" ? largeProgram() : await module(name);
  if (name === "python") expect(bytes.length).toBeGreaterThan(10_000_000);
  const wanted = await outputByNode(bytes, [name, ...args], { "/data.txt": DATA });
  expect(wanted.length).toBeGreaterThan(10);

  const here = await lab.sh(node, line);
  expect([here.status, here.stderr]).toEqual([0, ""]);
  expect(here.stdoutBytes.equals(wanted)).toBe(true);

  expect(await tab.run(`${line} > /from-tab-${name}`)).toEqual({ output: "", ok: true });
  const there = await lab.sh(node, `cat /from-tab-${name}`);
  expect(there.stdoutBytes.equals(wanted)).toBe(true);
  expect(tab.complaints).toEqual([]);
});
