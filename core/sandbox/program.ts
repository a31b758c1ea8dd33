/** Checks programs of tasks that come from other nodes: whether their fields fit together. */
import * as v from "valibot";
import { type Schema, textOf } from "../base/codec.ts";
import { utf8 } from "../base/bytes.ts";
import type { SandboxProgram } from "../ports/sandbox.ts";
import { isScript } from "./languages/engines.ts";
import { ARGUMENT_CHARS_MAX, ARGUMENTS_MAX, PROGRAM_BYTES_MAX } from "./limits.ts";

const scriptText: Schema<string> = textOf(PROGRAM_BYTES_MAX);

export const programSchema: Schema<SandboxProgram> = v.pipe(
  v.strictObject({
    kind: v.picklist(["bytes", "command", "javascript", "python"]),
    entry: v.optional(v.picklist(["run", "reduce"])),
    args: v.optional(v.pipe(v.array(textOf(ARGUMENT_CHARS_MAX)), v.maxLength(ARGUMENTS_MAX))),
    source: v.optional(scriptText),
    reduce: v.optional(scriptText),
    form: v.optional(v.picklist(["lines", "values", "numbers", "text"])),
  }),
  v.check(({ kind, args }) => args === undefined || kind === "command", "only a command has arguments"),
  v.check(({ kind, source }) => isScript(kind) === (source !== undefined), "a text where the kind has none, or none"),
  v.check(
    ({ kind, reduce, form }) => isScript(kind) || (reduce ?? form) === undefined,
    "only scripts have a reduction and a form",
  ),
  v.check(({ kind, entry }) => entry !== "reduce" || kind !== "command", "a command has one entry"),
  v.check((program) => sizeOf(program) <= PROGRAM_BYTES_MAX, `more than ${PROGRAM_BYTES_MAX} bytes`),
);

function sizeOf({ args = [], source = "", reduce = "" }: SandboxProgram): number {
  return [...args, source, reduce].reduce((sum, text) => sum + utf8(text).length, 0);
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { programSchema };
