/**
 * A job, written down: what is run, over which inputs, how results are combined, and within which limits. It is the
 * job's entry in the map `proc`, so that any node can run and finish the job. It has no code of the node that wrote it:
 * how inputs are cut and results are combined is data here, and programs are named by their contents.
 *
 * What members write is read through these schemas: each field is bounded by itself, and by the fields that it depends
 * on.
 */
import * as v from "valibot";
import { bytesOf, encode, integerOf, lineOf, type Schema, textOf } from "../base/codec.ts";
import { isContentCid } from "../disk/content/block.ts";
import type { ContentRef } from "../disk/types.ts";
import type { PeerId } from "../ports/network.ts";
import type { InputForm, ProgramKind } from "../ports/sandbox.ts";
import { isScript } from "../sandbox/languages/engines.ts";
import {
  FUEL_MAX,
  MEMORY_BYTES_MAX,
  MODULE_BYTES_MAX,
  PAGE_BYTES,
  PAYLOAD_BYTES_MAX,
  PROGRAM_BYTES_MAX,
  TIME_MS_MAX,
} from "../sandbox/limits.ts";
import {
  ARGUMENT_CHARS_MAX,
  ARGUMENTS_MAX,
  FILE_LIST_BYTES_MAX,
  GRAPH_NEEDS_BYTES_MAX,
  GRAPH_PROGRAMS_MAX,
  GRAPH_TASKS_MAX,
  INLINE_BYTES_MAX,
  LIST_BYTES_MAX,
  NODES_NAMED_MAX,
  NUMBER_MAX,
  PIECE_OF_FILE_BYTES_MIN,
  RUNS_MAX,
  SPEC_BYTES_MAX,
  TASKS_PER_JOB_MAX,
  TITLE_CHARS_MAX,
} from "./limits.ts";

/** Bytes by name or, if they are few, the bytes themselves: these need no disk. */
export type Content = ContentRef | { readonly bytes: Uint8Array };

/** How the module is run (ports/sandbox.ts). For a script, `module` is the engine. */
export interface Program {
  readonly kind: ProgramKind;
  readonly module: Content;
  readonly source?: Content | undefined;
  /** For a script: the text of a function that makes one value of two, to reduce the results within a task. */
  readonly reduce?: Content | undefined;
  /** For a script: the part of a task's input that its function gets. */
  readonly form?: InputForm | undefined;
  readonly args?: readonly string[] | undefined;
  /** "reduce": the export of that name instead of `run`; for a script, its `reduce`. */
  readonly entry?: "run" | "reduce" | undefined;
}

/** Where the inputs come from; `count` is the number of tasks, which are numbered from 0. */
export type Inputs =
  /** Whole numbers in [lo, hi), cut in `count` ranges of nearly equal length; a task gets the text "LO HI". */
  | { readonly from: "range"; readonly lo: number; readonly hi: number; readonly count: number }
  /** Task i gets bytes [end(i - 1), end(i)) of `bytes`; `ends` has each end in 6 bytes, little-endian (inputs.ts). */
  | { readonly from: "list"; readonly bytes: Content; readonly ends: Content; readonly count: number }
  /**
   * The same as a list, and before its own input each task gets the results of those tasks that `needs` names for it
   * (graph-table.ts).
   */
  | {
      readonly from: "graph";
      readonly bytes: Content;
      readonly ends: Content;
      readonly needs: Content;
      readonly count: number;
      /** Programs that tasks name besides the job's, which is number 0; these count from 1. */
      readonly programs?: readonly Program[] | undefined;
      /** The most tasks that there may be in all, if tasks may return further ones (graph.ts). */
      readonly tasksMax?: number | undefined;
    }
  /**
   * Files that `list` names (inputs.ts). Each is a task or, with `piece`, several tasks: pieces of `bytes` each, which
   * end at line ends if `at` says so.
   */
  | {
      readonly from: "files";
      readonly list: Content;
      readonly count: number;
      readonly piece?: { readonly bytes: number; readonly at: "byte" | "line" } | undefined;
    };

/** What is done with the tasks' outputs, which are always taken in the order of the tasks. */
export type Combine =
  /** They are kept unchanged, as a list (in the form of inputs.ts). */
  | { readonly how: "none" }
  /** One after the other. */
  | { readonly how: "concat" }
  /** Whole numbers as text, one a line; the result is their sum. */
  | { readonly how: "sum" }
  /** Lines "NUMBER KEY". The result has each key once, with the sum of its numbers, the largest first. */
  | { readonly how: "merge" }
  /** The lines of all, in the order of their bytes. */
  | { readonly how: "sort" }
  /**
   * A task makes one output of two neighbouring ones: in a balanced tree, in order, count - 1 times. Its input is the
   * first one's length in 4 bytes, little-endian, then both.
   */
  | { readonly how: "reduce"; readonly program: Program };

interface JobLimits {
  /** Fuel of each task (docs/tasks.md); LIMITS_DEFAULT's if absent. */
  readonly fuel?: number | undefined;
  readonly memoryBytesMax: number;
  /** Wall-clock time of each task, after which its worker is ended. */
  readonly timeMsMax: number;
}

export interface JobSpec {
  /** For people: "primes". */
  readonly title: string;
  readonly program: Program;
  readonly inputs: Inputs;
  readonly combine: Combine;
  readonly limits: JobLimits;
  /** Each task is run on `runs` devices, and a result counts if `agree` of them give it. */
  readonly verify?: { readonly runs: number; readonly agree: number } | undefined;
  /** The only nodes that may run tasks; all that lend cores if absent. */
  readonly on?: readonly PeerId[] | undefined;
  /**
   * If any member states a result of the same work, or of one of its tasks, from the last day, it is believed and not
   * computed again.
   */
  readonly reuse?: boolean | undefined;
  /** Tasks that fail are left out of the result, and named. Without it the first failure ends the job. */
  readonly keepGoing?: boolean | undefined;
}

/** Length of a PeerId in text. */
const PEER_CHARS = 52;

export const peerSchema: Schema<PeerId> = v.pipe(v.string(), v.regex(/^[1-9A-HJ-NP-Za-km-z]+$/), v.length(PEER_CHARS));

export function contentSchemaOf(bytesMax: number): Schema<Content> {
  return v.union([
    v.strictObject({ bytes: bytesOf(0, INLINE_BYTES_MAX) }),
    v.strictObject({
      cid: v.pipe(textOf(64), v.check(isContentCid, "no CID of a content")),
      sizeBytes: integerOf(0, bytesMax),
    }),
  ]);
}

export function contentBytes(content: Content): number {
  return "bytes" in content ? content.bytes.length : content.sizeBytes;
}

const programSchema: Schema<Program> = v.pipe(
  v.strictObject({
    kind: v.picklist(["bytes", "command", "javascript", "python"]),
    module: contentSchemaOf(MODULE_BYTES_MAX),
    source: v.optional(contentSchemaOf(PROGRAM_BYTES_MAX)),
    reduce: v.optional(contentSchemaOf(PROGRAM_BYTES_MAX)),
    form: v.optional(v.picklist(["lines", "values", "numbers", "text"])),
    args: v.optional(v.pipe(v.array(textOf(ARGUMENT_CHARS_MAX)), v.maxLength(ARGUMENTS_MAX))),
    entry: v.optional(v.picklist(["run", "reduce"])),
  }),
  v.check(({ kind, entry }) => entry !== "reduce" || kind !== "command", "a command has one entry"),
  v.check(({ kind, args }) => args === undefined || kind === "command", "only a command has arguments"),
  v.check(
    ({ kind, reduce, form }) => isScript(kind) || (reduce ?? form) === undefined,
    "only scripts have a reduction and a form",
  ),
  v.check(({ kind, source }) => (source !== undefined) === isScript(kind), "scripts have a source, and only they do"),
);

const countSchema: Schema<number> = integerOf(1, TASKS_PER_JOB_MAX);
const ENDS_ENTRY_BYTES = 6;

const inputsSchema: Schema<Inputs> = v.variant("from", [
  v.pipe(
    v.strictObject({
      from: v.literal("range"),
      lo: integerOf(0, NUMBER_MAX),
      hi: integerOf(0, NUMBER_MAX),
      count: countSchema,
    }),
    v.check(({ lo, hi, count }) => hi - lo >= count, "more tasks than numbers"),
  ),
  v.pipe(
    v.strictObject({
      from: v.literal("list"),
      bytes: contentSchemaOf(LIST_BYTES_MAX),
      ends: contentSchemaOf(LIST_BYTES_MAX),
      count: countSchema,
    }),
    v.check(
      ({ ends, count }) => contentBytes(ends) === count * ENDS_ENTRY_BYTES,
      "the number of ends differs from that of tasks",
    ),
  ),
  v.pipe(
    v.strictObject({
      from: v.literal("graph"),
      bytes: contentSchemaOf(LIST_BYTES_MAX),
      ends: contentSchemaOf(LIST_BYTES_MAX),
      needs: contentSchemaOf(GRAPH_NEEDS_BYTES_MAX),
      count: integerOf(1, GRAPH_TASKS_MAX),
      programs: v.optional(v.pipe(v.array(programSchema), v.maxLength(GRAPH_PROGRAMS_MAX))),
      tasksMax: v.optional(integerOf(1, GRAPH_TASKS_MAX)),
    }),
    v.check(({ count, tasksMax = count }) => tasksMax >= count, "tasksMax is below the number of tasks"),
    v.check(
      ({ ends, count }) => contentBytes(ends) === count * ENDS_ENTRY_BYTES,
      "the number of ends differs from that of tasks",
    ),
  ),
  v.strictObject({
    from: v.literal("files"),
    list: contentSchemaOf(FILE_LIST_BYTES_MAX),
    count: countSchema,
    piece: v.optional(
      v.strictObject({
        bytes: integerOf(PIECE_OF_FILE_BYTES_MIN, PAYLOAD_BYTES_MAX / 2),
        at: v.picklist(["byte", "line"]),
      }),
    ),
  }),
]);

const combineSchema: Schema<Combine> = v.variant("how", [
  v.strictObject({ how: v.literal("none") }),
  v.strictObject({ how: v.literal("concat") }),
  v.strictObject({ how: v.literal("sum") }),
  v.strictObject({ how: v.literal("merge") }),
  v.strictObject({ how: v.literal("sort") }),
  v.strictObject({ how: v.literal("reduce"), program: programSchema }),
]);

export const specSchema: Schema<JobSpec> = v.pipe(
  v.strictObject({
    title: lineOf(TITLE_CHARS_MAX),
    program: programSchema,
    inputs: inputsSchema,
    combine: combineSchema,
    limits: v.strictObject({
      fuel: v.optional(integerOf(1, FUEL_MAX)),
      memoryBytesMax: integerOf(PAGE_BYTES, MEMORY_BYTES_MAX),
      timeMsMax: integerOf(1, TIME_MS_MAX),
    }),
    verify: v.optional(
      v.pipe(
        v.strictObject({ runs: integerOf(2, RUNS_MAX), agree: integerOf(2, RUNS_MAX) }),
        // Otherwise two different results could both have enough that agree.
        v.check(({ runs, agree }) => agree <= runs && agree * 2 > runs, "agree must be more than half of runs"),
      ),
    ),
    on: v.optional(v.pipe(v.array(peerSchema), v.minLength(1), v.maxLength(NODES_NAMED_MAX))),
    keepGoing: v.optional(v.boolean()),
    reuse: v.optional(v.boolean()),
  }),
  // A reduction adds count - 1 tasks; together they stay within the bound.
  v.check(
    ({ inputs, combine }) => combine.how !== "reduce" || inputs.count * 2 - 1 <= TASKS_PER_JOB_MAX,
    "more tasks and reductions than a job may have",
  ),
  // If one of the results is missing, there is no result at all.
  v.check(({ combine, keepGoing }) => combine.how !== "reduce" || keepGoing !== true, "a reduction needs every result"),
  // With `keepGoing`, tasks that need a failed task would never begin. And a graph itself says how results are
  // combined.
  v.check(
    ({ inputs, combine, keepGoing }) => inputs.from !== "graph" || (combine.how !== "reduce" && keepGoing !== true),
    "a graph needs every result, and is not reduced",
  ),
  v.check((spec) => encode(spec).length <= SPEC_BYTES_MAX, `more than ${SPEC_BYTES_MAX} bytes`),
);

/** Tasks and reductions together, at the job's beginning: a graph may grow. */
export function taskCount({ inputs, combine }: JobSpec): number {
  return combine.how === "reduce" ? inputs.count * 2 - 1 : inputs.count;
}

/** Numbers below this name a task or reduction that is there, or may come. */
export function taskSpan(spec: JobSpec): number {
  const { inputs } = spec;
  return inputs.from === "graph" ? (inputs.tasksMax ?? inputs.count) : taskCount(spec);
}

/** Programs that its tasks may name: the job's, and a graph's further ones. */
export function programsOf({ program, inputs }: JobSpec): Program[] {
  return inputs.from === "graph" ? [program, ...(inputs.programs ?? [])] : [program];
}

/** All contents that a job needs. */
export function contentsOf(spec: JobSpec): ContentRef[] {
  const { inputs, combine } = spec;
  const programs = programsOf(spec);
  if (combine.how === "reduce") programs.push(combine.program);
  const all: (Content | undefined)[] = programs.flatMap(({ module, source, reduce }) => [module, source, reduce]);
  if (inputs.from === "list" || inputs.from === "graph") all.push(inputs.bytes, inputs.ends);
  if (inputs.from === "graph") all.push(inputs.needs);
  if (inputs.from === "files") all.push(inputs.list);
  return all.filter((content) => content !== undefined).filter((content) => "cid" in content);
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { specSchema };
