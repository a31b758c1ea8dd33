/** Sets of files on this machine, with which tests check that the swarm returns every file byte for byte. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect } from "vitest";
import { type Lab, type Node, eventually } from "./processes.ts";

const KIB = 1024;
const MIB: number = 1024 * KIB;
/** All of a set comes back in this time, on two busy cores. */
const READ_MS = 300_000;
/** The most paths in one line of the shell. */
const LINE_PATHS = 50;

/** By path within the folder: the SHA-256 of what is in it. */
export type Digests = ReadonlyMap<string, string>;

export interface FileSet {
  /** Its name here, and below the root of the swarm's tree. */
  readonly name: string;
  readonly digests: Digests;
  readonly bytes: number;
}

/**
 * `count` lengths, the largest of which is `bytesMax`: every edge at which content is cut differently, few large ones
 * and many small ones.
 */
export function mixedSizes(count: number, bytesMax: number, bytesInAll: number): number[] {
  const edges = [0, 1, 4 * KIB, 4 * KIB + 1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 512 * KIB, MIB + 7, bytesMax];
  const left = bytesInAll - edges.reduce((sum, bytes) => sum + bytes, 0);
  const others = count - edges.length;
  // The weights fall exponentially, so that most of the bytes are in few of the files.
  const weights = Array.from({ length: others }, (_, i) => 3 ** ((-12 * i) / others));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return [...edges, ...weights.map((weight) => Math.min(bytesMax, Math.floor((left * weight) / all)))];
}

/** Writes files of random bytes into the folder `name` of the lab. */
export async function writeFileSet(lab: Lab, name: string, sizes: readonly number[]): Promise<FileSet> {
  const folder = join(lab.folder, name);
  await mkdir(join(folder, "deeper"), { recursive: true });
  const digests = new Map<string, string>();
  for (const [i, bytes] of sizes.entries()) {
    const path = i % 3 === 0 ? `deeper/${i}-ünïcode ${bytes}.bin` : `${i}.bin`;
    const content = randomBytes(bytes);
    digests.set(path, digestOf(content));
    await writeFile(join(folder, path), content);
  }
  return { name, digests, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
}

/** Puts a set into the swarm, and waits until it is safe. Returns what the command prints. */
export async function putFileSet(lab: Lab, node: Node, set: FileSet): Promise<string> {
  const { status, stdout, stderr } = await lab.sh(node, `put ${set.name} /`, { timeoutMs: READ_MS });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

/** Reads a set back through a node, all of it, and compares. */
export async function expectFileSet(lab: Lab, node: Node, set: FileSet): Promise<void> {
  expect(await readBack(lab, node, `/${set.name}`)).toEqual(set.digests);
}

/** Reads all files in a directory of the swarm through a node. */
export async function readBack(lab: Lab, node: Node, path: string): Promise<Digests> {
  const back = await mkdtemp(join(lab.folder, "back-"));
  const { status, stderr } = await lab.sh(node, `get ${path} ${back}`, { timeoutMs: READ_MS });
  expect([status, stderr]).toEqual([0, ""]);
  const digests = await digestsOf(back);
  await rm(back, { recursive: true });
  return digests;
}

export function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Waits until this node sees that each file of a set survives the loss of any `survivesAny` devices. */
export async function expectSafe(
  lab: Lab,
  node: Node,
  set: FileSet,
  survivesAny: number,
  timeoutMs: number,
): Promise<void> {
  let left = [...set.digests.keys()];
  // Each look asks every node about every file. To look further after the first weak file would slow down the repair
  // that is waited for.
  const weak = async (): Promise<string[]> => {
    for (let isStrong = true; isStrong && left.length > 0;) {
      const paths = left.slice(0, LINE_PATHS);
      const line = paths.map((path) => `stat --json '/${set.name}/${path}'`).join(";");
      const { stdout } = await lab.sh(node, line);
      const stats = stdout.trimEnd().split("\n").map(survivalOf);
      const still = paths.filter((_, i) => (stats[i] ?? -1) < survivesAny);
      left = [...left.slice(LINE_PATHS), ...still];
      isStrong = still.length === 0;
    }
    return left;
  };
  await eventually(`all survives any ${survivesAny}`, weak, (paths) => paths.length === 0, timeoutMs);
}

function survivalOf(json: string): number {
  return (JSON.parse(json) as { content: { survivesAny: number } }).content.survivesAny;
}

/** Bytes of all files in a folder. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const path of await filesIn(folder)) bytes += (await stat(path)).size;
  return bytes;
}

async function digestsOf(folder: string): Promise<Digests> {
  const digests = new Map<string, string>();
  for (const path of await filesIn(folder)) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    digests.set(relative(folder, path), hash.digest("hex"));
  }
  return digests;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
