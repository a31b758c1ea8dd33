/**
 * Decides which values a map accepts: those that come back as they were given, on every node and after a restart.
 * Others are refused when they are set, because they would change silently. Pure.
 */
import { DEPTH_MAX } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import { VALUE_BYTES_MAX } from "./limits.ts";

/** Integers of CBOR have 64 bits and a sign of their own. */
const BIGINT_MAX: bigint = 2n ** 64n - 1n;

/** Throws "malformed", and "too-large" if it has more parts than a value has bytes. */
export function checkValue(value: unknown): void {
  new Walk().visit(value, 0);
}

class Walk {
  #parts = 0;

  visit(value: unknown, depth: number): void {
    // The two bounds also stop values that contain themselves, or contain one part thousands of times.
    if (depth > DEPTH_MAX) throw malformed(`it is nested more than ${DEPTH_MAX} levels deep`);
    if (++this.#parts > VALUE_BYTES_MAX) throw new StarfishError("too-large", "A value has at most 64 KiB");
    if (typeof value === "string") checkText(value);
    else if (typeof value === "bigint") checkBigInt(value);
    else if (typeof value === "object" && value !== null) this.#inside(value, depth + 1);
  }

  #inside(value: object, depth: number): void {
    if (value instanceof Uint8Array) return;
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        if (!(i in value)) throw malformed("a list has a gap");
        this.visit(value[i], depth);
      }
      return;
    }
    if (!isPlain(value)) throw malformed(`a ${kindOf(value)} would come back as something else`);
    for (const [key, inner] of Object.entries(value)) {
      checkText(key);
      this.visit(inner, depth);
    }
  }
}

function checkText(text: string): void {
  if (!text.isWellFormed()) throw malformed("text with half a surrogate pair would change");
}

function checkBigInt(value: bigint): void {
  if (value > BIGINT_MAX || value < -BIGINT_MAX - 1n) throw malformed("a BigInt has at most 64 bits");
  if (value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER) {
    throw malformed("a BigInt below 2^53 would come back as a number: give it as one");
  }
}

/** Including objects of other realms, such as another frame of the page. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: object): string {
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "class";
}

function malformed(why: string): StarfishError {
  return new StarfishError("malformed", `This can't be kept as a value: ${why}`);
}
