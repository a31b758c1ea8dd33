/**
 * The key of what a whole job computes: two jobs of one key have the same result, whichever nodes run them. The key
 * does not include the job's title, its nodes and the time limit of its tasks: these may decide whether there is a
 * result, but not which. Contents, also those written into the spec itself, are included by their CIDs.
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
