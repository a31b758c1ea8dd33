/**
 * Tasks whose inputs are other tasks' results: a graph is one job, and runs as its inputs appear (CIEL, NSDI'11, with all
 * tasks known beforehand). A task names tasks of lower numbers alone, so no circle can be written down. Its input is their
 * results one after the other, then what it has of its own. The job's result is made of those that no other task needs.
 */
import * as v from "valibot";
import { decode, encode, integerOf, type Schema } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import { readWhole, writeContent, writeList } from "./inputs.ts";
import { add, type Intervals, NONE, numbersOf } from "./intervals.ts";
import { GRAPH_NEEDS_BYTES_MAX, GRAPH_NEEDS_MAX, GRAPH_TASKS_MAX } from "./limits.ts";
import type { Content, Inputs } from "./spec.ts";
import type { GraphTask } from "./types.ts";

interface Options {
  readonly signal?: AbortSignal | undefined;
}

type Needs = readonly (readonly number[])[];

const needsSchema: Schema<Needs> = v.pipe(
  v.array(v.pipe(v.array(integerOf(0, GRAPH_TASKS_MAX - 1)), v.maxLength(GRAPH_NEEDS_MAX))),
  v.maxLength(GRAPH_TASKS_MAX),
  v.check((all) => all.reduce((sum, needs) => sum + needs.length, 0) <= GRAPH_NEEDS_MAX, "too many needs"),
  v.check((all) => all.every((needs, task) => needs.every((need) => need < task)), "a task needs one that follows it"),
);

export class Graph {
  readonly #needs: Needs;
  /** Tasks that no other needs. */
  readonly ends: Intervals;

  /** Throws "malformed" for what is no graph of so many tasks. */
  constructor(bytes: Uint8Array, count: number) {
    this.#needs = decode(needsSchema, bytes);
    if (this.#needs.length !== count) throw new StarfishError("malformed", "A graph of another number of tasks");
    const needed = new Set(this.#needs.flat());
    let ends: Intervals = NONE;
    for (let task = 0; task < count; task++) if (!needed.has(task)) ends = add(ends, task);
    this.ends = ends;
  }

  needs(task: number): readonly number[] {
    return this.#needs[task] ?? [];
  }

  /** Tasks that can begin. */
  ready(done: Intervals): Intervals {
    const isDone = new Uint8Array(this.#needs.length);
    for (const task of numbersOf(done)) isDone[task] = 1;
    const ready: number[] = [];
    this.#needs.forEach((needs, task) => {
      if (!needs.every((need) => isDone[need] === 1)) return;
      if (ready.at(-1) === task) ready[ready.length - 1] = task + 1;
      else ready.push(task, task + 1);
    });
    return ready;
  }
}

/** Rejects with "lost", "malformed", "cancelled". */
export async function readGraph(
  contents: Contents,
  { needs, count }: Extract<Inputs, { from: "graph" }>,
  options: Options,
): Promise<Graph> {
  return new Graph(await readWhole(contents, needs, GRAPH_NEEDS_BYTES_MAX, options), count);
}

/** Rejects with "malformed" where a task needs one that does not come before it, "too-large" where there are too many. */
export async function writeGraph(
  contents: Contents,
  tasks: readonly GraphTask[],
  options: Options,
): Promise<{ readonly inputs: Inputs; readonly contents: readonly Content[]; readonly safe: Promise<void> }> {
  const places = new Map(tasks.map((task, place) => [task, place]));
  const needs = tasks.map((task) => (task.needs ?? []).map((need) => places.get(need) ?? tasks.length));
  if (tasks.length > GRAPH_TASKS_MAX || needs.flat().length > GRAPH_NEEDS_MAX) {
    throw new StarfishError("too-large", `A graph has ${GRAPH_TASKS_MAX} tasks and ${GRAPH_NEEDS_MAX} needs at most`);
  }
  const encoded = encode(needs);
  // Says what is wrong before anything is stored.
  void new Graph(encoded, tasks.length);
  const own = tasks.map(({ input }) => input ?? new Uint8Array());
  const { bytes, ends, count, safe } = await writeList(contents, own, options);
  const named = await writeContent(contents, encoded, options);
  const inputs = { from: "graph", bytes, ends, needs: named.content, count } as const;
  const all = Promise.all([safe, named.safe]).then(() => {});
  return { inputs, contents: [bytes, ends, named.content], safe: all };
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { needsSchema };
