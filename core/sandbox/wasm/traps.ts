/**
 * The messages of engines when a module traps, translated to the words of the specification, so that all nodes say the
 * same.
 */

/** V8, SpiderMonkey and JavaScriptCore have different messages. */
const TRAPS: readonly (readonly [pattern: RegExp, trap: string])[] = [
  [/unreachable/i, "unreachable"],
  [/table index|undefined element|out.of.bounds.*table|table.*out.of.bounds/i, "undefined element of a table"],
  [/memory access|index out of bounds|out.of.bounds.*memory|memory.*out.of.bounds/i, "out of bounds memory access"],
  [/divi(de|sion) (by|result)? ?zero|division by zero|remainder by zero/i, "integer divide by zero"],
  [/divide result unrepresentable|integer overflow|result out of range/i, "integer overflow"],
  [/unrepresentable|invalid conversion|out of range|trunc/i, "invalid conversion to integer"],
  [/signature|null function|call to null|uninitialized|indirect/i, "indirect call to nothing, or of another type"],
  [/segment/i, "a segment out of bounds"],
];

export function trapOf(message: string): string {
  return TRAPS.find(([pattern]) => pattern.test(message))?.[1] ?? message;
}
