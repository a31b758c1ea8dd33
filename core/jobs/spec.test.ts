import { describe, expect, test } from "vitest";
import { check, decode, encode } from "../base/codec.ts";
import { isStarfishError } from "../base/errors.ts";
import { MEMORY_BYTES_MAX } from "../sandbox/limits.ts";
import { GRAPH_PROGRAMS_MAX, GRAPH_TASKS_MAX, SPEC_BYTES_MAX, TASKS_PER_JOB_MAX } from "./limits.ts";
import { contentsOf, type JobSpec, specSchema, taskCount, taskSpan } from "./spec.ts";

const CID = `bafkrei${"a".repeat(52)}`;
const MODULE = { cid: CID, sizeBytes: 10_000 };
const OTHER = { kind: "bytes", module: { cid: CID, sizeBytes: 3 } };
const GRAPH = { from: "graph", bytes: MODULE, ends: { cid: CID, sizeBytes: 60 }, needs: MODULE, count: 10 };
const REDUCE = { how: "reduce", program: { kind: "bytes", module: { bytes: Uint8Array.of(1) }, entry: "reduce" } };

function spec(more: Partial<Record<keyof JobSpec, unknown>> = {}): Record<string, unknown> {
  return {
    title: "primes",
    program: { kind: "bytes", module: MODULE },
    inputs: { from: "range", lo: 0, hi: 100, count: 10 },
    combine: { how: "sum" },
    limits: { memoryBytesMax: 65_536, timeMsMax: 1_000 },
    ...more,
  };
}

function refusal(value: unknown): string {
  try {
    check(specSchema, value);
    return "none";
  } catch (error) {
    if (isStarfishError(error, "malformed")) return error.message;
    throw error;
  }
}

describe("a job that is written down", () => {
  test("comes back as it was", () => {
    const whole = spec({ combine: REDUCE, verify: { runs: 3, agree: 2 }, keepGoing: false });
    expect(decode(specSchema, encode(whole))).toEqual(whole);
    expect(taskCount(check(specSchema, whole))).toBe(19);
    expect(contentsOf(check(specSchema, whole))).toEqual([MODULE]);
  });

  test("may be a graph of several programs that grows", () => {
    const whole = spec({ inputs: { ...GRAPH, programs: [OTHER, OTHER], tasksMax: 30 } });
    expect(decode(specSchema, encode(whole))).toEqual(whole);
    const read = check(specSchema, whole);
    expect([taskCount(read), taskSpan(read)]).toEqual([10, 30]);
    expect(contentsOf(read)).toContainEqual(OTHER.module);
    expect(taskSpan(check(specSchema, spec({ inputs: GRAPH })))).toBe(10);
  });

  test.each<[string, unknown, RegExp]>([
    ["a graph that shrinks", { inputs: { ...GRAPH, tasksMax: 9 } }, /below the number of tasks/],
    ["a graph that grows too far", { inputs: { ...GRAPH, tasksMax: GRAPH_TASKS_MAX + 1 } }, /tasksMax/],
    [
      "too many programs",
      { inputs: { ...GRAPH, programs: Array.from({ length: GRAPH_PROGRAMS_MAX + 1 }, () => OTHER) } },
      /programs/,
    ],
    [
      "a program that is none",
      { inputs: { ...GRAPH, programs: [{ kind: "python", module: MODULE }] } },
      /scripts have a source/,
    ],
    ["more tasks than numbers", { inputs: { from: "range", lo: 0, hi: 9, count: 10 } }, /more tasks than numbers/],
    ["too many tasks", { inputs: { from: "range", lo: 0, hi: 2 ** 50, count: TASKS_PER_JOB_MAX + 1 } }, /inputs.count/],
    [
      "a list with another number of ends",
      { inputs: { from: "list", bytes: MODULE, ends: { cid: CID, sizeBytes: 59 }, count: 10 } },
      /number of ends differs/,
    ],
    ["two results that both agree", { verify: { runs: 4, agree: 2 } }, /more than half/],
    ["more agreement than runs", { verify: { runs: 2, agree: 3 } }, /more than half/],
    [
      "reductions beyond the bound",
      {
        inputs: { from: "range", lo: 0, hi: 2 ** 30, count: TASKS_PER_JOB_MAX },
        combine: { how: "reduce", program: { kind: "bytes", module: MODULE } },
      },
      /more tasks and reductions/,
    ],
    ["a source for a module", { program: { kind: "bytes", module: MODULE, source: MODULE } }, /scripts have a source/],
    ["a script without its source", { program: { kind: "javascript", module: MODULE } }, /scripts have a source/],
    ["an entry of a command", { program: { kind: "command", module: MODULE, entry: "reduce" } }, /one entry/],
    ["a reduction without all results", { combine: REDUCE, keepGoing: true }, /every result/],
    ["more memory than is lent", { limits: { memoryBytesMax: MEMORY_BYTES_MAX + 1, timeMsMax: 1 } }, /memoryBytesMax/],
    ["a field that nobody knows", { more: 1 }, /more/],
    ["a node that is none", { on: ["somebody"] }, /on/],
    [
      "more bytes than an entry has",
      { program: { kind: "command", module: MODULE, args: Array.from({ length: 20 }, () => "x".repeat(4_096)) } },
      new RegExp(`more than ${SPEC_BYTES_MAX} bytes`),
    ],
  ])("is refused with %s", (_, more, why) => {
    expect(refusal(spec(more as Partial<Record<keyof JobSpec, unknown>>))).toMatch(why);
  });
});
