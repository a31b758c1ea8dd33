/** One node in a process of its own, like `starfish up`; it does what the runner's messages say. Needs --expose-gc. */
import "../../node/small-heap.ts";
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { utf8 } from "../../core/base/bytes.ts";
import type { Computer } from "../../core/computer.ts";
import type { ContentRef } from "../../core/disk/types.ts";
import { inviteLink } from "../../core/net/identity/invite-link.ts";
import { startNode } from "../../node/index.ts";
import { serveCommands } from "../commands.ts";
import type { BlockNode } from "./block-node.ts";
import { contentOf, type Got, sourceOf, timedRead } from "./content.ts";
import { PlainNode } from "./stream.ts";

/** More than all that is put into one node. */
const STORAGE_BYTES = 8_000_000_000;
const DIRECTORIES = 100;
const FILE_BYTES = 1_024;
const LOOK_MS = 50;

let computer: Computer | undefined;
let plain: PlainNode | undefined;
let other: BlockNode | undefined;

export interface Put {
  readonly ref: ContentRef;
  /** SHA-256 over the same bytes, right before. */
  readonly sha256Ms: number;
  readonly putMs: number;
  /** After that, until it is safe. */
  readonly safeMs: number;
}

const commands = {
  /** Founds a swarm or joins one; returns the link by which others join. */
  async open(directory: string, join: string | undefined): Promise<string> {
    const options = join === undefined ? {} : { join };
    const node = await startNode({ dataDir: directory, storageBytes: STORAGE_BYTES, ...options });
    computer = node.computer;
    return inviteLink(computer);
  },

  /** Resolves when that many members are awake and all of them are linked to this node by TCP. */
  async meet(members: number): Promise<void> {
    const { net } = running();
    const isMet = (): boolean => {
      const awake = net.members().filter(({ status, isSelf }) => status === "awake" && !isSelf);
      const linked = net.links().filter((link) => link.path.transport === "tcp");
      return (
        awake.length === members - 1 && awake.every(({ record }) => linked.some((link) => link.peer === record.peer))
      );
    };
    await until(isMet);
  },

  /** Resolves when this node believes that many members awake. */
  awake: (members: number): Promise<void> =>
    until(
      () =>
        running()
          .net.members()
          .filter(({ status }) => status === "awake").length === members,
    ),

  async put(sizeBytes: number, seed: number): Promise<Put> {
    const bytes = contentOf(sizeBytes, seed);
    const sha256Ms = await timed(async () => hash("sha256", bytes));
    const begin = performance.now();
    const { ref, safe } = await running().storage.put(sourceOf(bytes), {});
    const putMs = performance.now() - begin;
    return { ref, sha256Ms, putMs, safeMs: await timed(() => safe) };
  },

  /** Resolves when it has heard of the content. */
  async knows(ref: ContentRef): Promise<void> {
    const { storage } = running();
    const isKnown = (): Promise<boolean> =>
      storage.stat(ref).then(
        () => true,
        () => false,
      );
    while (!(await isKnown())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  },

  get: (ref: ContentRef, seed: number): Promise<Got> => timedRead(running().storage.read(ref), ref.sizeBytes, seed),

  /** Prepares the receiver of a plain stream; returns its address. */
  async receive(bytes: number): Promise<string> {
    plain ??= await PlainNode.open();
    await plain.receive(bytes);
    return plain.address;
  },

  async send(address: string, bytes: number): Promise<number> {
    plain ??= await PlainNode.open();
    return plain.send(address, bytes);
  },

  /** Opens another system's node, linked to the one at the address; returns its own address. */
  async openOther(name: string, address: string | undefined): Promise<string> {
    // Its packages are there only where bench/disk is installed.
    const { open } = (await import(`./others/${name}.ts`)) as { open: () => Promise<BlockNode> };
    other = await open();
    if (address !== undefined) await other.link(address);
    return other.address;
  },

  async putOther(sizeBytes: number, seed: number): Promise<string> {
    assert.ok(other, "not open");
    return other.put(contentOf(sizeBytes, seed));
  },

  async getOther(cid: string, sizeBytes: number, seed: number): Promise<Got> {
    assert.ok(other, "not open");
    return timedRead(other.get(cid), sizeBytes, seed);
  },

  /**
   * Writes files of 1 KiB, one after the other; returns milliseconds until the last one is written, and until all are
   * safe.
   */
  async writeFiles(begin: number, end: number): Promise<{ readonly ms: number; readonly safeMs: number }> {
    const { files } = running();
    let last: Promise<void> = Promise.resolve();
    const ms = await timed(async () => {
      for (let i = begin; i < end; i++) last = (await files.write(pathOf(i), sourceOf(fileOf(i)))).safe;
    });
    return { ms, safeMs: await timed(() => last) };
  },

  /** Reads them all; returns milliseconds. Fails if the bytes differ. */
  async readFiles(begin: number, end: number): Promise<number> {
    const read: Uint8Array[][] = [];
    const ms = await timed(async () => {
      for (let i = begin; i < end; i++) read.push(await Array.fromAsync(running().files.read(pathOf(i))));
    });
    for (const [i, pieces] of read.entries()) assert.ok(Buffer.concat(pieces).equals(fileOf(begin + i)));
    return ms;
  },

  /** Resolves when it knows all files with lower numbers. */
  holdsFiles: (end: number): Promise<void> =>
    until(() => {
      const { files } = running();
      for (let i = end - 1; i >= 0; i--) if (files.stat(pathOf(i)) === undefined) return false;
      return true;
    }),

  async memory(): Promise<{ readonly heapBytes: number; readonly rssBytes: number }> {
    assert.ok(globalThis.gc, "run with --expose-gc");
    globalThis.gc();
    globalThis.gc();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { heapBytes: heapUsed + external, rssBytes: rss };
  },

  async close(): Promise<void> {
    await computer?.[Symbol.asyncDispose]();
  },
};

export type Commands = typeof commands;

function running(): Computer {
  assert.ok(computer, "not open");
  return computer;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function pathOf(i: number): string {
  return `/some/directory/${i % DIRECTORIES}/file-${i}`;
}

function fileOf(i: number): Uint8Array {
  return Buffer.alloc(FILE_BYTES, utf8(`file ${i} `));
}

serveCommands(commands);
