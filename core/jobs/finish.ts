/**
 * Puts a job's results together, and waits until the whole result is safe before the job counts as done. Until then
 * each result is on two nodes; from then on the disk keeps the whole.
 */
import { equal } from "../base/bytes.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import { type Clock, withDeadline } from "../ports/clock.ts";
import { concatenated, merged, OutputError, sorted, summed } from "./combine.ts";
import { writeContent, writeList } from "./inputs.ts";
import { SAFE_WITHIN_MS } from "./limits.ts";
import type { Combine, Content } from "./spec.ts";
import type { FailedTask, JobOutcome } from "./types.ts";

export type FinishedOutcome = Exclude<JobOutcome, { is: "cancelled" }>;

export interface CombineOptions {
  readonly contents: Pick<Contents, "put">;
  readonly clock: Clock;
  readonly outputs: AsyncIterable<readonly [task: number, output: Uint8Array, fuelUsed: number]>;
  /** Called with the number of results taken, and the fuel of the last. */
  readonly progress: (tasks: number, fuelUsed: number) => void;
  readonly signal: AbortSignal;
}

export type Combined =
  | { readonly is: "done"; readonly result: Content; readonly ends?: Content }
  | { readonly is: "failed"; readonly failure: Omit<FailedTask, "by"> };

/** Rejects with "lost" if a result is out of reach now, "full", "cancelled". */
export async function combine(how: Combine, options: CombineOptions): Promise<Combined> {
  const { contents, signal } = options;
  const outputs = counted(options);
  try {
    if (how.how === "none") {
      const { bytes, ends, safe } = await writeList(contents, concatenated(outputs), { signal });
      await settled(safe, options);
      return { is: "done", result: bytes, ends };
    }
    const { content, safe } = await writeContent(contents, combined(how, outputs), { signal });
    await settled(safe, options);
    return { is: "done", result: content };
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    const { task, code, message } = error;
    return { is: "failed", failure: { task, code, message } };
  }
}

type Outputs = AsyncIterable<readonly [task: number, output: Uint8Array]>;

function combined({ how }: Combine, outputs: Outputs): AsyncIterable<Uint8Array> {
  if (how === "sum") return summed(outputs);
  if (how === "merge") return merged(outputs);
  if (how === "sort") return sorted(outputs);
  // A reduction leaves one output.
  return concatenated(outputs);
}

async function* counted({
  outputs,
  progress,
}: CombineOptions): AsyncGenerator<readonly [number, Uint8Array], void, undefined> {
  let count = 0;
  for await (const [task, output, fuelUsed] of outputs) {
    progress(++count, fuelUsed);
    yield [task, output];
  }
}

/**
 * Contents that store nothing, but compare what would be stored with what has been stored, in the same order. So
 * another node's result is checked without being kept twice. A put that differs rejects with "corrupt".
 */
export function checkingPut(contents: Contents, expected: readonly (Content | undefined)[]): Pick<Contents, "put"> {
  const left = expected.filter((content) => content !== undefined).filter((content) => "cid" in content);
  return {
    async put(source, { signal } = {}) {
      const ref = left.shift();
      if (ref === undefined) throw differs();
      const parts = contents.read(ref, { signal })[Symbol.asyncIterator]();
      let there: Uint8Array = new Uint8Array();
      for await (const bytes of source) {
        for (let at = 0; at < bytes.length;) {
          if (there.length === 0) {
            const next = await parts.next();
            if (next.done === true) throw differs();
            there = next.value;
          }
          const length = Math.min(there.length, bytes.length - at);
          if (!equal(there.subarray(0, length), bytes.subarray(at, at + length))) throw differs();
          there = there.subarray(length);
          at += length;
        }
      }
      while (there.length === 0) {
        const next = await parts.next();
        if (next.done === true) return { ref, safe: Promise.resolve() };
        there = next.value;
      }
      throw differs();
    },
  };
}

function differs(): StarfishError {
  return new StarfishError("corrupt", "The result differs");
}

/**
 * Waits for a while until the content is safe. If it is not by then, it is readable all the same, and the disk goes on
 * placing it.
 */
async function settled(safe: Promise<void>, { clock, signal }: CombineOptions): Promise<void> {
  try {
    await withDeadline(clock, SAFE_WITHIN_MS, "It", () => safe, { signal });
  } catch (error) {
    if (signal.aborted || !isStarfishError(error)) throw error;
  }
}
