/**
 * The tasks that a task returns instead of a value, as text: `{"tasks": [{"input": "5", "needs": [0], "grows": true},
 * …]}`. Only the outputs of tasks that are declared to grow are looked at, so that no other task has to mind how its
 * output begins. Pure.
 */
import * as v from "valibot";
import { type Bytes, fromBase64Url, text, utf8 } from "../base/bytes.ts";
import { check, integerOf, type Schema, textOf } from "../base/codec.ts";
import { messageOf, StarfishError } from "../base/errors.ts";
import type { ReturnedTask } from "./graph.ts";
import {
  GRAPH_NEEDS_MAX,
  GRAPH_PROGRAMS_MAX,
  GRAPH_TASKS_MAX,
  RETURNED_BEGIN_BYTES,
  RETURNED_BYTES_MAX,
} from "./limits.ts";

interface Told {
  /** The task's own input, as text or as bytes in base64. */
  readonly input?: string | undefined;
  readonly base64?: string | undefined;
  /** Positions in the list, before its own. */
  readonly needs?: readonly number[] | undefined;
  /** Positions in what its parent needs. */
  readonly given?: readonly number[] | undefined;
  readonly program?: number | undefined;
  readonly grows?: boolean | undefined;
}

const placesSchema: Schema<readonly number[]> = v.pipe(
  v.array(integerOf(0, GRAPH_NEEDS_MAX - 1)),
  v.maxLength(GRAPH_NEEDS_MAX),
);
const taskSchema: Schema<Told> = v.pipe(
  v.strictObject({
    input: v.optional(textOf(RETURNED_BYTES_MAX)),
    base64: v.optional(v.pipe(textOf(RETURNED_BYTES_MAX), v.regex(/^[A-Za-z0-9+/_-]*={0,2}$/))),
    needs: v.optional(placesSchema),
    given: v.optional(placesSchema),
    program: v.optional(integerOf(0, GRAPH_PROGRAMS_MAX)),
    grows: v.optional(v.boolean()),
  }),
  v.check(({ input, base64 }) => input === undefined || base64 === undefined, "an input twice"),
);
const listSchema: Schema<{ readonly tasks: readonly Told[] }> = v.strictObject({
  tasks: v.pipe(
    v.array(taskSchema),
    v.minLength(1),
    v.maxLength(GRAPH_TASKS_MAX),
    v.check(
      (tasks) => tasks.every(({ needs = [] }, place) => needs.every((need) => need < place)),
      "a task needs one that does not come before it",
    ),
  ),
});

/**
 * The beginning of a list. A value that is an object and begins like this has to be written in another order, or inside
 * a list.
 */
const BEGIN = /^\s*\{\s*"tasks"\s*:/;

/** What the parent needs, and how many programs there are, which the tasks may name. */
export interface Parent {
  readonly needs: number;
  readonly programs: number;
}

/** The tasks that it returns; undefined for a value. Throws "malformed", "too-large". */
export function readReturned(output: Bytes, { needs, programs }: Parent): ReturnedTask[] | undefined {
  if (!isReturned(output)) return undefined;
  if (output.length > RETURNED_BYTES_MAX) {
    throw new StarfishError(
      "too-large",
      `It returns tasks of ${output.length} bytes, the most is ${RETURNED_BYTES_MAX}`,
    );
  }
  const { tasks } = check(listSchema, parsed(output));
  const all = tasks.map((told): ReturnedTask => {
    const { needs: own = [], given = [], program = 0, grows = false } = told;
    return { needs: own, given, program, grows, input: inputOf(told) };
  });
  if (all.some(({ given }) => given.some((place) => place >= needs)))
    throw malformed("given: not below the number of tasks that it needs itself");
  if (all.some(({ program }) => program >= programs)) throw malformed("program: not below the number of programs");
  return all;
}

/** Whether an output that begins with these bytes is a list. */
export function isReturned(begin: Bytes): boolean {
  return BEGIN.test(text(begin.subarray(0, RETURNED_BEGIN_BYTES)));
}

function parsed(output: Bytes): unknown {
  try {
    return JSON.parse(text(output));
  } catch (error) {
    throw malformed(messageOf(error));
  }
}

function inputOf({ input, base64 }: Told): Bytes {
  if (base64 === undefined) return utf8(input ?? "");
  try {
    return fromBase64Url(base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  } catch (error) {
    throw malformed(messageOf(error));
  }
}

function malformed(what: string): StarfishError {
  return new StarfishError("malformed", what);
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { listSchema };
