/**
 * The requests by which nodes run tasks on each other. A task's module and large payloads are sent in pieces before it
 * (put) and after it (get), so that every message is small enough to be forwarded by a third member.
 */
import * as v from "valibot";
import { bytesOf, integerOf, linesOf, type Schema } from "../base/codec.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { SandboxProgram } from "../ports/sandbox.ts";
import { FUEL_MAX, MESSAGE_CHARS_MAX, MODULE_BYTES_MAX, PAYLOAD_BYTES_MAX } from "../sandbox/limits.ts";
import { programSchema } from "../sandbox/program.ts";
import { TASK_FAULTS } from "../sandbox/types.ts";
import { PIECE_BYTES_MAX } from "./limits.ts";

export const CPU_PROTOCOL = "/starfish/cpu/1.0.0";

/** A memory of 65,536 pages. A lender gives less (limits.ts), but an asker may not know that. */
const WASM_MEMORY_BYTES_MAX: number = 2 ** 32;
/** Longer than any task may run or wait. */
const DAY_MS = 86_400_000;

/** The size of a module or an input that is put. */
const PUT_BYTES_MAX: number = Math.max(MODULE_BYTES_MAX, PAYLOAD_BYTES_MAX);

/** Bytes in the message, or the name and size of bytes that are sent in pieces. */
export type Payload = { readonly bytes: Uint8Array } | { readonly blob: string; readonly size: number };

export interface RunRequest {
  readonly op: "run";
  readonly job: string;
  /** SHA-256 of the module's bytes, in hex; also the name under which it is put. */
  readonly module: string;
  readonly memoryBytesMax: number;
  readonly fuelMax: number;
  readonly timeMsMax: number;
  /** ABI 1 if absent. */
  readonly program?: SandboxProgram | undefined;
  readonly input: Payload;
}
/** Pieces come in order. The first has `at` 0 and starts the blob anew. */
export interface PutRequest {
  readonly op: "put";
  readonly blob: string;
  readonly size: number;
  readonly at: number;
  readonly bytes: Uint8Array;
}
interface GetRequest {
  readonly op: "get";
  readonly blob: string;
  readonly at: number;
}
export type CpuRequest = RunRequest | PutRequest | GetRequest;

export type RunReply =
  | {
      readonly is: "done";
      readonly output: Payload;
      readonly fuelUsed: number;
      readonly runMs: number;
      readonly waitMs: number;
    }
  /** Put these first, then ask again. */
  | { readonly is: "need"; readonly blobs: readonly string[] }
  /** The task's own fault, the same wherever it runs. Faults of the node are errors of the request. */
  | { readonly is: "failed"; readonly code: ErrorCode; readonly message: string };

const blobName: Schema<string> = v.pipe(v.string(), v.regex(/^[0-9a-z/]{1,80}$/));
const payload: Schema<Payload> = v.union([
  v.strictObject({ bytes: bytesOf(0, PIECE_BYTES_MAX) }),
  v.strictObject({ blob: blobName, size: integerOf(0, PAYLOAD_BYTES_MAX) }),
]);

export const cpuRequest: Schema<CpuRequest> = v.variant("op", [
  v.strictObject({
    op: v.literal("run"),
    job: v.pipe(v.string(), v.regex(/^[0-9a-z]{1,32}$/)),
    module: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    memoryBytesMax: integerOf(0, WASM_MEMORY_BYTES_MAX),
    fuelMax: integerOf(1, FUEL_MAX),
    timeMsMax: integerOf(1, DAY_MS),
    program: v.optional(programSchema),
    input: payload,
  }),
  v.strictObject({
    op: v.literal("put"),
    blob: blobName,
    size: integerOf(0, PUT_BYTES_MAX),
    at: integerOf(0, PUT_BYTES_MAX),
    bytes: bytesOf(0, PIECE_BYTES_MAX),
  }),
  v.strictObject({ op: v.literal("get"), blob: blobName, at: integerOf(0, PAYLOAD_BYTES_MAX) }),
]);

const duration: Schema<number> = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(DAY_MS));
export const runReply: Schema<RunReply> = v.variant("is", [
  v.strictObject({
    is: v.literal("done"),
    output: payload,
    fuelUsed: integerOf(0, FUEL_MAX),
    runMs: duration,
    waitMs: duration,
  }),
  v.strictObject({ is: v.literal("need"), blobs: v.pipe(v.array(blobName), v.minLength(1), v.maxLength(2)) }),
  v.strictObject({ is: v.literal("failed"), code: v.picklist(TASK_FAULTS), message: linesOf(MESSAGE_CHARS_MAX) }),
]);
export const putReply: Schema<null> = v.null();
export const getReply: Schema<Uint8Array> = bytesOf(0, PIECE_BYTES_MAX);

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { cpuRequest, runReply, putReply, getReply };
