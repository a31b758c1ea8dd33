/**
 * The stored form of the graph that a job begins with (spec.ts): for each task what it needs, which program runs it,
 * and whether it may return tasks. Loaded with the first graph.
 */
import * as v from "valibot";
import { check, decode, encode, integerOf, type Schema } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import { Graph, type GraphRow } from "./graph.ts";
import { readWhole, writeContent, writeList } from "./inputs.ts";
import { GRAPH_NEEDS_BYTES_MAX, GRAPH_NEEDS_MAX, GRAPH_PROGRAMS_MAX, GRAPH_TASKS_MAX } from "./limits.ts";
import type { Content, Inputs } from "./spec.ts";
import type { GraphOptions, GraphTask } from "./types.ts";

type GraphInputs = Extract<Inputs, { from: "graph" }>;
type Row = readonly [needs: readonly number[], program: number, grows: boolean];

const rowsSchema: Schema<readonly Row[]> = v.pipe(
  v.array(
    v.tuple([
      v.pipe(v.array(integerOf(0, GRAPH_TASKS_MAX - 1)), v.maxLength(GRAPH_NEEDS_MAX)),
      integerOf(0, GRAPH_PROGRAMS_MAX),
      v.boolean(),
    ]),
  ),
  v.maxLength(GRAPH_TASKS_MAX),
  v.check((rows) => rows.reduce((sum, [needs]) => sum + needs.length, 0) <= GRAPH_NEEDS_MAX, "too many needs"),
  v.check(
    (rows) => rows.every(([needs], task) => needs.every((need) => need < task)),
    "a task needs one that follows it",
  ),
);

/** Rejects with "lost", "malformed", "cancelled". */
export async function readGraph(
  contents: Contents,
  { needs, ...inputs }: GraphInputs,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Graph> {
  return graphOf(await readWhole(contents, needs, GRAPH_NEEDS_BYTES_MAX, options), inputs);
}

/** Throws "malformed" if it is not a graph of that many tasks and programs. */
export function graphOf(
  bytes: Uint8Array,
  { count, programs = [], tasksMax }: Pick<GraphInputs, "count" | "programs" | "tasksMax">,
): Graph {
  const rows = decode(rowsSchema, bytes).map(([needs, program, grows]): GraphRow => ({ needs, program, grows }));
  if (rows.length !== count) throw malformed("whose number of tasks differs from the job's");
  if (rows.some(({ program }) => program > programs.length)) throw malformed("with a task whose program is missing");
  if (tasksMax === undefined && rows.some(({ grows }) => grows))
    throw malformed("with tasks that add others, which its job does not allow");
  return new Graph(rows, tasksMax, 1 + programs.length);
}

function malformed(what: string): StarfishError {
  return new StarfishError("malformed", `A graph ${what}`);
}

/**
 * Rejects with "malformed" if a task needs one that does not come before it, and with "too-large" if there are too
 * many.
 */
export async function writeGraph(
  contents: Contents,
  tasks: readonly GraphTask[],
  { programs, tasksMax, signal }: GraphOptions & { readonly signal?: AbortSignal | undefined },
): Promise<{ readonly inputs: Inputs; readonly contents: readonly Content[]; readonly safe: Promise<void> }> {
  const places = new Map(tasks.map((task, place) => [task, place]));
  const rows = tasks.map(({ needs = [], program = 0, grows = false }): Row => {
    return [needs.map((need) => places.get(need) ?? tasks.length), program, grows];
  });
  if (tasks.length > GRAPH_TASKS_MAX || rows.flatMap(([needs]) => needs).length > GRAPH_NEEDS_MAX) {
    throw new StarfishError("too-large", `A graph has ${GRAPH_TASKS_MAX} tasks and ${GRAPH_NEEDS_MAX} needs at most`);
  }
  const most = rows.some(([, , grows]) => grows) ? (tasksMax ?? GRAPH_TASKS_MAX) : undefined;
  const more = { ...(programs && { programs }), ...(most !== undefined && { tasksMax: most }) };
  const encoded = encode(check(rowsSchema, rows));
  // Reports what is wrong before anything is stored.
  graphOf(encoded, { count: tasks.length, ...more });
  const own = tasks.map(({ input }) => input ?? new Uint8Array());
  const { bytes, ends, count, safe } = await writeList(contents, own, { signal });
  const named = await writeContent(contents, encoded, { signal });
  const inputs = { from: "graph", bytes, ends, needs: named.content, count, ...more } as const;
  const all = Promise.all([safe, named.safe]).then(() => {});
  return { inputs, contents: [bytes, ends, named.content], safe: all };
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { rowsSchema };
