/**
 * Runs a script as a task: calls its function for each input in the task's bytes, and reduces the outputs to one if the
 * script has a reduction.
 */
import { concat, utf8 } from "../../base/bytes.ts";
import type { ErrorCode } from "../../base/errors.ts";
import type { InputForm, SandboxOutcome, SandboxProgram } from "../../ports/sandbox.ts";
import { PAYLOAD_BYTES_MAX, VALUES_MAX } from "../limits.ts";
import { failure, type Meter } from "../wasm/meter.ts";

/** The result of a script's function. */
export type Answer =
  /** A line of JSON, or a text as it is. */
  | { readonly is: "json" | "text"; readonly text: string }
  | { readonly is: "nothing" }
  | { readonly is: "failed"; readonly code: ErrorCode; readonly message: string };

/** A script in its engine. Each call finds the state that loading left. */
export interface Script {
  call(form: InputForm, input: string): Answer;
  /** Reduces several values, each a line of JSON, to one, from the first to the last. */
  fold(values: readonly string[]): Answer;
}

/** Bytes before the first of two outputs: its length, little-endian. */
const LENGTH_BYTES = 4;

export function runScript(script: Script, program: SandboxProgram, input: Uint8Array, meter: Meter): SandboxOutcome {
  const { form = "lines" } = program;
  if (program.entry === "reduce") return reduceTwo(script, input, meter);
  const inputs = inputsOf(form, decoded(input));
  if (inputs.length > VALUES_MAX) {
    return failure("too-large", `The task has ${inputs.length} inputs, the most is ${VALUES_MAX}`);
  }
  const outputs: string[] = [];
  let length = 0;
  for (const [i, one] of inputs.entries()) {
    const answer = script.call(form, one);
    if (answer.is === "failed") {
      const where = inputs.length === 1 ? "" : `Input ${i + 1} of ${inputs.length}: `;
      return failure(answer.code, `${where}${answer.message}`);
    }
    if (answer.is === "nothing") continue;
    const output = program.reduce !== undefined && answer.is === "text" ? JSON.stringify(answer.text) : answer.text;
    length += output.length;
    if (length > PAYLOAD_BYTES_MAX) return tooLarge();
    outputs.push(output);
  }
  if (program.reduce !== undefined) return ended(folded(script, outputs), meter);
  return bytesOf(outputs, form === "text" ? "" : "\n", meter);
}

/** Two outputs of this script, each a line of JSON or nothing. */
function reduceTwo(script: Script, input: Uint8Array, meter: Meter): SandboxOutcome {
  if (input.length < LENGTH_BYTES) return failure("task-failed", "The input holds no two outputs");
  const first = new DataView(input.buffer, input.byteOffset).getUint32(0, true);
  if (first > input.length - LENGTH_BYTES) return failure("task-failed", "The input holds no two outputs");
  const rest = input.subarray(LENGTH_BYTES);
  const values = [rest.subarray(0, first), rest.subarray(first)].map((bytes) => decoded(bytes).trim());
  return ended(
    folded(
      script,
      values.filter((value) => value !== ""),
    ),
    meter,
  );
}

function folded(script: Script, values: readonly string[]): Answer {
  const [first] = values;
  if (first === undefined) return { is: "nothing" };
  return values.length === 1 ? { is: "json", text: first } : script.fold(values);
}

function ended(answer: Answer, meter: Meter): SandboxOutcome {
  if (answer.is === "failed") return failure(answer.code, answer.message);
  return answer.is === "nothing" ? meter.done(new Uint8Array()) : bytesOf([answer.text], "\n", meter);
}

function bytesOf(outputs: readonly string[], end: string, meter: Meter): SandboxOutcome {
  const output = concat(outputs.map((output) => utf8(output + end)));
  return output.length > PAYLOAD_BYTES_MAX ? tooLarge() : meter.done(output);
}

function tooLarge(): SandboxOutcome {
  return failure("too-large", `The task's output has more than ${PAYLOAD_BYTES_MAX} bytes`);
}

function inputsOf(form: InputForm, text: string): string[] {
  if (form === "text") return [text];
  if (text === "") return [];
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  return form === "values" || form === "numbers" ? lines.filter((line) => line.trim() !== "") : lines;
}

/** Bytes that are not UTF-8 become U+FFFD, as everywhere. */
function decoded(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
