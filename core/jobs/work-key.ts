/**
 * The name of what a whole job computes: two jobs of one key have the same result, whoever runs them and wherever. What they
 * are called, on which nodes they run and how long a task may take is not in it: that says whether there is a result, never
 * which. Contents are named by their CIDs, and so is what is written into the spec itself.
 */
import { toHex } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import type { Crypto } from "../ports/crypto.ts";
import { LIMITS_DEFAULT } from "../sandbox/limits.ts";
import { REWRITER_VERSION } from "../sandbox/wasm/prepare.ts";
import { writable } from "./entries.ts";
import type { JobSpec } from "./spec.ts";

/** 64 hex digits. */
export function workKeyOf(crypto: Pick<Crypto, "sha256">, { program, inputs, combine, limits }: JobSpec): string {
  const { fuel = LIMITS_DEFAULT.fuelMax, memoryBytesMax } = limits;
  const work = [REWRITER_VERSION, program, inputs, combine, fuel, memoryBytesMax];
  return toHex(crypto.sha256(encode(writable(work))));
}
