/** What a task may make a node read. */
import { expect, test } from "vitest";
import { MemoryContents } from "../../test/fixtures/contents.ts";
import { concat } from "../base/bytes.ts";
import { realCrypto } from "../platform/crypto.ts";
import { PAYLOAD_BYTES_MAX } from "../sandbox/limits.ts";
import { Executor, type ExecutorParts } from "./executor.ts";
import { Graph } from "./graph.ts";
import type { JobSpec } from "./spec.ts";

test("a task that needs the same large result thousands of times has none of it read", async () => {
  const contents = new MemoryContents((pieces) =>
    Promise.resolve(pieces.map((piece) => realCrypto.sha256(concat([piece])))),
  );
  const needs = Array.from({ length: 5_000 }, () => 0);
  const graph = new Graph([
    { needs: [], program: 0, grows: false },
    { needs, program: 0, grows: false },
  ]);
  const spec: JobSpec = {
    title: "large",
    program: { kind: "bytes", module: { bytes: Uint8Array.of(0) } },
    inputs: { from: "range", lo: 0, hi: 2, count: 2 },
    combine: { how: "concat" },
    limits: { memoryBytesMax: 2 ** 20, timeMsMax: 60_000 },
  };
  const large = { cid: "a content", sizeBytes: PAYLOAD_BYTES_MAX / 4 };
  let reads = 0;
  // Only the contents of this task's input are read.
  const parts = {
    contents,
    crypto: realCrypto,
    graph: () => graph,
    pool: { prepare: () => {} },
    modules: { add: () => new Promise(() => {}) },
    gatherer: {
      collect: async () => new Map([[0, { output: large, fuelUsed: 1 }]]),
      bytesOf: async () => {
        reads++;
        return new Uint8Array(1);
      },
    },
  } as unknown as ExecutorParts;
  const executor = new Executor({ id: "job", spec, by: "somebody", own: false }, parts);
  expect(await executor.run(1, 2, new AbortController().signal)).toMatchObject({ ok: false, code: "too-large" });
  expect(reads).toBe(0);
});
