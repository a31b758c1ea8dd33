/**
 * The name of what a task computes. Two tasks with the same key have the same result, and use the same fuel, on any
 * device. The time limit is not part of it: it decides whether there is a result, never which one.
 */
import type { Bytes } from "../base/bytes.ts";
import { toHex } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { TaskLimits } from "./types.ts";
import { REWRITER_VERSION } from "./wasm/prepare.ts";

export interface TaskIdentity {
  /** SHA-256 of the module's bytes, in hex. */
  readonly module: string;
  /** How the module is run: everything besides the input that its kind needs, as data. */
  readonly program: unknown;
  readonly input: Bytes;
  readonly limits: Pick<TaskLimits, "fuelMax" | "memoryBytesMax">;
}

/** 64 hex digits. */
export function taskKey(crypto: Pick<Crypto, "sha256">, { module, program, input, limits }: TaskIdentity): string {
  const { fuelMax, memoryBytesMax } = limits;
  const input256 = crypto.sha256(input);
  return toHex(crypto.sha256(encode([REWRITER_VERSION, module, program, input256, fuelMax, memoryBytesMax])));
}
