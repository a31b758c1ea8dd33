import { StarfishError } from "../../base/errors.ts";

/** Returns `count`; throws "too-large" if it is more than `max`. */
export function bounded(count: number, max: number, what: string): number {
  if (count <= max) return count;
  throw new StarfishError("too-large", `The module has ${count} ${what}, the most is ${max}`);
}
