/**
 * The entries of the maps about jobs. `proc` is kept on disk: `j/ID` is a job, `c/ID` its cancellation, `r/ID` its
 * outcome, each written once; `v/ID/NODE` says that a node has found the same outcome of a verified job. `work` is in
 * RAM: in `ID/NODE` each node that takes part in a job says what it does. Only that node writes it, about once a
 * second, and it expires like a lease. Any member can write into the maps, so all entries are read through these
 * schemas. Pure.
 */
import * as v from "valibot";
import { bytesOf, check, encode, integerOf, lineOf, momentOf, type Schema } from "../base/codec.ts";
import { isStarfishError } from "../base/errors.ts";
import type { PeerId } from "../ports/network.ts";
import { TASK_FAULTS, type TaskFault } from "../sandbox/types.ts";
import type { Commitment } from "./ballot.ts";
import { type Intervals, pack, subtract, union, unpack } from "./intervals.ts";
import {
  COMMIT_TASKS_BYTES_MAX,
  COMMITS_MAX,
  DISPUTE_TASKS_BYTES_MAX,
  DISPUTES_MAX,
  FAILURE_CHARS_MAX,
  FUEL_TOLD_MAX,
  FAILURES_TOLD_MAX,
  GRAPH_TASKS_MAX,
  INTERVALS_BYTES_MAX,
  LIST_BYTES_MAX,
  NODES_NAMED_MAX,
  TASKS_PER_JOB_MAX,
  WHO_PARTS,
} from "./limits.ts";
import { type Content, contentSchemaOf, type JobSpec, peerSchema, specSchema } from "./spec.ts";
import type { FailedTask, JobOutcome, JobShares, NamedNode } from "./types.ts";

export interface JobEntry {
  readonly by: PeerId;
  readonly atMs: number;
  readonly spec: JobSpec;
}

interface CancelEntry {
  readonly by: PeerId;
  readonly atMs: number;
}

/** What a node says about its part in a job. */
export interface WorkEntry {
  /** Tasks that it runs now, and those that it will run next. */
  readonly claimed: Intervals;
  /** Tasks whose results it holds: its own, and copies of others'. */
  readonly held: Intervals;
  /** Of these, copies of results of other nodes. */
  readonly copies: Intervals;
  /** All tasks that failed on it, and some of them with the reason. */
  readonly failed: Intervals;
  readonly failures: readonly { readonly task: number; readonly code: TaskFault; readonly message: string }[];
  /** Increases while the node puts the results together. */
  readonly combined: number;
  /** For a verified job. An entry with votes is signed. */
  readonly votes?: Votes | undefined;
}

/** What a node says about its answers to a verified job's tasks (ballot.ts). */
export interface Votes {
  readonly commitments: readonly Commitment[];
  /** Tasks for which it has seen that enough devices agree with its answer. */
  readonly agreed: Intervals;
  /** Nodes that have given other answers to some of these. */
  readonly disputes: readonly Dispute[];
}

export interface Dispute {
  readonly peer: PeerId;
  readonly tasks: Intervals;
}

/** A node's signed statement that it has found the same outcome of a verified job. */
export interface Confirmation {
  readonly by: PeerId;
  readonly hash: Uint8Array;
  readonly signature: Uint8Array;
}

export const JOB_ID: RegExp = /^[0-9a-f]{16}$/;

const HASH_BYTES = 32;
const SIGNATURE_BYTES = 64;

const jobSchema: Schema<JobEntry> = v.strictObject({ by: peerSchema, atMs: momentOf(), spec: specSchema });
const cancelSchema: Schema<CancelEntry> = v.strictObject({ by: peerSchema, atMs: momentOf() });

const taskSchema: Schema<number> = integerOf(0, TASKS_PER_JOB_MAX - 1);
const resultSchema: Schema<Content> = contentSchemaOf(LIST_BYTES_MAX);
const failureSchema: Schema<FailedTask> = v.strictObject({
  task: taskSchema,
  by: peerSchema,
  // "malformed": what it gave can't be combined, or are no tasks.
  code: v.picklist([...TASK_FAULTS, "malformed"]),
  message: lineOf(FAILURE_CHARS_MAX),
});
const sharesSchema: Schema<JobShares> = v.strictObject({
  nodes: v.pipe(
    v.array(v.strictObject({ peer: peerSchema, tasks: integerOf(1, TASKS_PER_JOB_MAX) })),
    v.maxLength(NODES_NAMED_MAX),
  ),
  parts: bytesOf(0, WHO_PARTS),
  again: integerOf(0, TASKS_PER_JOB_MAX),
});
const namedSchema: Schema<readonly NamedNode[]> = v.pipe(
  v.array(v.strictObject({ peer: peerSchema, task: taskSchema })),
  v.maxLength(DISPUTES_MAX),
);
const outcomeSchema: Schema<Exclude<JobOutcome, { is: "cancelled" }>> = v.variant("is", [
  v.strictObject({
    is: v.literal("done"),
    result: resultSchema,
    ends: v.optional(resultSchema),
    by: peerSchema,
    finishedAtMs: momentOf(),
    failed: integerOf(0, TASKS_PER_JOB_MAX),
    tasks: v.optional(integerOf(1, GRAPH_TASKS_MAX)),
    shares: v.optional(sharesSchema),
    fuelUsed: v.optional(integerOf(0, FUEL_TOLD_MAX)),
    named: v.optional(namedSchema),
  }),
  v.strictObject({
    is: v.literal("failed"),
    failure: failureSchema,
    finishedAtMs: momentOf(),
    named: v.optional(namedSchema),
  }),
]);
const confirmationSchema: Schema<Confirmation> = v.strictObject({
  by: peerSchema,
  hash: bytesOf(HASH_BYTES),
  signature: bytesOf(SIGNATURE_BYTES),
});

type Work = readonly [
  claimed: Uint8Array,
  ran: Uint8Array,
  copies: Uint8Array,
  failed: Uint8Array,
  failures: readonly (readonly [task: number, code: TaskFault, message: string])[],
  combined: number,
  votes: readonly [VotesWire, signature: Uint8Array] | null,
];
type VotesWire = readonly [
  commitments: readonly (readonly [tasks: Uint8Array, hash: Uint8Array])[],
  agreed: Uint8Array,
  disputes: readonly (readonly [peer: PeerId, tasks: Uint8Array])[],
];
const votesSchema: Schema<VotesWire> = v.tuple([
  v.pipe(v.array(v.tuple([bytesOf(0, COMMIT_TASKS_BYTES_MAX), bytesOf(HASH_BYTES)])), v.maxLength(COMMITS_MAX)),
  bytesOf(0, INTERVALS_BYTES_MAX),
  v.pipe(v.array(v.tuple([peerSchema, bytesOf(0, DISPUTE_TASKS_BYTES_MAX)])), v.maxLength(DISPUTES_MAX)),
]);
const workSchema: Schema<Work> = v.tuple([
  bytesOf(0, INTERVALS_BYTES_MAX),
  bytesOf(0, INTERVALS_BYTES_MAX),
  bytesOf(0, INTERVALS_BYTES_MAX),
  bytesOf(0, INTERVALS_BYTES_MAX),
  v.pipe(
    v.array(v.tuple([taskSchema, v.picklist(TASK_FAULTS), lineOf(FAILURE_CHARS_MAX)])),
    v.maxLength(FAILURES_TOLD_MAX),
  ),
  integerOf(0, TASKS_PER_JOB_MAX),
  v.nullable(v.tuple([votesSchema, bytesOf(SIGNATURE_BYTES)])),
]);

/** The value of an entry; undefined if it is impossible. */
function read<T>(schema: Schema<T>, value: unknown): T | undefined {
  try {
    return check(schema, value);
  } catch (error) {
    if (isStarfishError(error, "malformed")) return undefined;
    throw error;
  }
}

export function readJob(value: unknown): JobEntry | undefined {
  return read(jobSchema, value);
}

export function readCancel(value: unknown): CancelEntry | undefined {
  return read(cancelSchema, value);
}

export function readOutcome(value: unknown): Exclude<JobOutcome, { is: "cancelled" }> | undefined {
  return read(outcomeSchema, value);
}

export function readConfirmation(value: unknown): Confirmation | undefined {
  return read(confirmationSchema, value);
}

/**
 * Checks whether a node has signed a statement. Undefined for jobs that are not verified, whose entries are not signed.
 */
export type HasSigned = ((statement: Uint8Array, signature: Uint8Array) => boolean) | undefined;

/** @param total the number of the job's tasks; task numbers are below it */
export function readWork(value: unknown, total: number, hasSigned?: HasSigned): WorkEntry | undefined {
  const said = read(workSchema, value);
  if (said === undefined) return undefined;
  const [claimed, ran, copied, failed, failures, combined, signed] = said;
  // Anybody could have written an entry of a verified job that is not signed.
  if (hasSigned !== undefined && (signed === null || !hasSigned(statementOf(said, signed[0]), signed[1])))
    return undefined;
  try {
    const copies = unpack(copied, total);
    return {
      claimed: unpack(claimed, total),
      held: union(unpack(ran, total), copies),
      copies,
      failed: unpack(failed, total),
      failures: failures.map(([task, code, message]) => ({ task, code, message })),
      combined,
      votes: hasSigned === undefined || signed === null ? undefined : readVotes(signed[0], total),
    };
  } catch (error) {
    if (isStarfishError(error, "malformed")) return undefined;
    throw error;
  }
}

function readVotes([commitments, agreed, disputes]: VotesWire, total: number): Votes {
  return {
    commitments: commitments.map(([tasks, hash]) => ({ tasks: unpack(tasks, total), hash })),
    agreed: unpack(agreed, total),
    disputes: disputes.map(([peer, tasks]) => ({ peer, tasks: unpack(tasks, total) })),
  };
}

/** The part of an entry that is signed: everything but the signature. */
export function statementOf(work: readonly unknown[], votes: unknown): Uint8Array {
  return encode([...work.slice(0, -1), votes]);
}

/** @param sign signs an entry that has votes */
export function writeWork(entry: WorkEntry, sign?: (statement: Uint8Array) => Uint8Array): Work {
  const { claimed, held, copies, failed, failures, combined, votes } = entry;
  const work = (signed: Work[6]): Work => [
    pack(claimed, INTERVALS_BYTES_MAX),
    pack(subtract(held, copies), INTERVALS_BYTES_MAX),
    pack(copies, INTERVALS_BYTES_MAX),
    pack(failed, INTERVALS_BYTES_MAX),
    failures.slice(0, FAILURES_TOLD_MAX).map(({ task, code, message }) => [task, code, message]),
    combined,
    signed,
  ];
  if (votes === undefined || sign === undefined) return work(null);
  const wire: VotesWire = [
    votes.commitments.map(({ tasks, hash }) => [pack(tasks, COMMIT_TASKS_BYTES_MAX), hash]),
    pack(votes.agreed, INTERVALS_BYTES_MAX),
    votes.disputes.map(({ peer, tasks }) => [peer, pack(tasks, DISPUTE_TASKS_BYTES_MAX)]),
  ];
  return work([wire, sign(statementOf(work(null), wire))]);
}

/** In the form that the map takes: without fields whose value is undefined. */
export function writable(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(writable);
  const said = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(said.map(([key, inner]) => [key, writable(inner)]));
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = {
  jobSchema,
  cancelSchema,
  outcomeSchema,
  confirmationSchema,
  workSchema,
};
