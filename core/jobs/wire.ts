/** What nodes ask each other of results of a job's tasks: to give them, and to hold copies. Small messages, which members carry. */
import * as v from "valibot";
import { bytesOf, integerOf, type Schema, textOf } from "../base/codec.ts";
import { isContentCid } from "../disk/content/block.ts";
import { PAYLOAD_BYTES_MAX } from "../sandbox/limits.ts";
import { JOB_ID } from "./entries.ts";
import {
  ASKED_TASKS_BYTES_MAX,
  OUTPUT_INLINE_BYTES_MAX,
  OUTPUTS_PER_MESSAGE_MAX,
  TASKS_PER_JOB_MAX,
} from "./limits.ts";
import type { Output } from "./results.ts";

export const RESULTS_PROTOCOL = "/starfish/results/1.0.0";

export type TaskOutput = readonly [task: number, output: Output];

export type ResultsRequest =
  /** Outputs of these tasks (packed intervals), as many as one message takes. */
  | { readonly op: "get"; readonly job: string; readonly tasks: Uint8Array }
  | { readonly op: "hold"; readonly job: string; readonly results: readonly TaskOutput[] };

const taskSchema: Schema<number> = integerOf(0, TASKS_PER_JOB_MAX);
const jobSchema: Schema<string> = v.pipe(v.string(), v.regex(JOB_ID), v.maxLength(16));
const outputSchema: Schema<Output> = v.union([
  bytesOf(0, OUTPUT_INLINE_BYTES_MAX),
  v.strictObject({
    cid: v.pipe(textOf(64), v.check(isContentCid, "no CID of a content")),
    sizeBytes: integerOf(0, PAYLOAD_BYTES_MAX),
  }),
]);

/** Outputs of the first of those that were asked for: those that are here, and as many as one message takes. */
export const outputsSchema: Schema<readonly TaskOutput[]> = v.pipe(
  v.array(v.tuple([taskSchema, outputSchema])),
  v.maxLength(OUTPUTS_PER_MESSAGE_MAX),
);
export const requestSchema: Schema<ResultsRequest> = v.variant("op", [
  v.strictObject({ op: v.literal("get"), job: jobSchema, tasks: bytesOf(0, ASKED_TASKS_BYTES_MAX) }),
  v.strictObject({
    op: v.literal("hold"),
    job: jobSchema,
    results: outputsSchema,
  }),
]);
/** How many of those that were sent are held now, from the first on. */
export const heldSchema: Schema<number> = integerOf(0, OUTPUTS_PER_MESSAGE_MAX);

/** What a result counts for in a message, besides its bytes. */
const FRAME_BYTES = 12;

export function sizeOnWire(output: Output): number {
  return FRAME_BYTES + (output instanceof Uint8Array ? output.length : output.cid.length + 32);
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { requestSchema, outputsSchema, heldSchema };
