/**
 * The requests by which nodes give each other results of a job's tasks, and ask each other to hold copies. The messages
 * are small, so that members can forward them.
 */
import * as v from "valibot";
import { bytesOf, integerOf, type Schema, textOf } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import { isContentCid } from "../disk/content/block.ts";
import { FUEL_MAX, PAYLOAD_BYTES_MAX } from "../sandbox/limits.ts";
import type { Opening } from "./ballot.ts";
import { JOB_ID } from "./entries.ts";
import { type Intervals, sizeOf, unpack } from "./intervals.ts";
import {
  ASKED_TASKS_BYTES_MAX,
  COMMIT_TASKS_BYTES_MAX,
  COMMIT_TASKS_MAX,
  COMMITS_MAX,
  DIGEST_BYTES,
  NONCE_BYTES,
  OUTPUT_INLINE_BYTES_MAX,
  OUTPUTS_PER_MESSAGE_MAX,
  SUMS_MAX,
  TASKS_PER_JOB_MAX,
} from "./limits.ts";
import type { Output } from "./results.ts";

export const RESULTS_PROTOCOL = "/starfish/results/2.0.0";

/** An output, and the fuel that its task has used. */
export type TaskOutput = readonly [task: number, output: Output, fuelUsed: number];

export type ResultsRequest =
  /** Outputs of these tasks (packed intervals), as many as one message takes. */
  | { readonly op: "get"; readonly job: string; readonly tasks: Uint8Array }
  | { readonly op: "hold"; readonly job: string; readonly results: readonly TaskOutput[] }
  /** For a verified job: the commitments to these tasks, opened; and the digests of agreed results. */
  | { readonly op: "open" | "sums"; readonly job: string; readonly tasks: Uint8Array };

export type OpeningWire = readonly [tasks: Uint8Array, nonce: Uint8Array, digests: Uint8Array];
export type SumsWire = readonly [tasks: Uint8Array, digests: Uint8Array];

const taskSchema: Schema<number> = integerOf(0, TASKS_PER_JOB_MAX);
const jobSchema: Schema<string> = v.pipe(v.string(), v.regex(JOB_ID), v.maxLength(16));
const outputSchema: Schema<Output> = v.union([
  bytesOf(0, OUTPUT_INLINE_BYTES_MAX),
  v.strictObject({
    cid: v.pipe(textOf(64), v.check(isContentCid, "no CID of a content")),
    sizeBytes: integerOf(0, PAYLOAD_BYTES_MAX),
  }),
]);

/** Outputs of the first of the tasks that were asked for: those that are here, as many as one message takes. */
export const outputsSchema: Schema<readonly TaskOutput[]> = v.pipe(
  v.array(v.tuple([taskSchema, outputSchema, integerOf(0, FUEL_MAX)])),
  v.maxLength(OUTPUTS_PER_MESSAGE_MAX),
);
export const requestSchema: Schema<ResultsRequest> = v.variant("op", [
  v.strictObject({ op: v.literal("get"), job: jobSchema, tasks: bytesOf(0, ASKED_TASKS_BYTES_MAX) }),
  v.strictObject({
    op: v.literal("hold"),
    job: jobSchema,
    results: outputsSchema,
  }),
  v.strictObject({ op: v.literal("open"), job: jobSchema, tasks: bytesOf(0, ASKED_TASKS_BYTES_MAX) }),
  v.strictObject({ op: v.literal("sums"), job: jobSchema, tasks: bytesOf(0, ASKED_TASKS_BYTES_MAX) }),
]);
/** How many of the results that were sent are held now, from the first on. */
export const heldSchema: Schema<number> = integerOf(0, OUTPUTS_PER_MESSAGE_MAX);

/** What a result costs in a message, besides its bytes. */
const FRAME_BYTES = 20;

export function sizeOnWire(output: Output): number {
  return FRAME_BYTES + (output instanceof Uint8Array ? output.length : output.cid.length + 32);
}

/** Some of the commitments of the node that was asked, opened. */
export const openingsSchema: Schema<readonly OpeningWire[]> = v.pipe(
  v.array(
    v.tuple([bytesOf(0, COMMIT_TASKS_BYTES_MAX), bytesOf(NONCE_BYTES), bytesOf(0, COMMIT_TASKS_MAX * DIGEST_BYTES)]),
  ),
  v.maxLength(COMMITS_MAX),
);
/** Digests of results, of the first of the tasks that were asked for. */
export const sumsSchema: Schema<SumsWire> = v.tuple([
  bytesOf(0, ASKED_TASKS_BYTES_MAX),
  bytesOf(0, SUMS_MAX * DIGEST_BYTES),
]);

/** Throws "malformed" if they contradict themselves, or the job's number of tasks. */
export function readOpenings(said: readonly OpeningWire[], total: number): Opening[] {
  return said.map(([packed, nonce, digests]) => ({ ...readSums([packed, digests], total), nonce }));
}

/** Throws "malformed". */
export function readSums(
  [packed, digests]: SumsWire,
  total: number,
): {
  readonly tasks: Intervals;
  readonly digests: Uint8Array;
} {
  const tasks = unpack(packed, total);
  if (sizeOf(tasks) * DIGEST_BYTES === digests.length) return { tasks, digests };
  throw new StarfishError("malformed", "The number of digests differs from that of tasks");
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = {
  requestSchema,
  outputsSchema,
  heldSchema,
  openingsSchema,
  sumsSchema,
};
