/**
 * Which seeds a simulation is run with: a few in `npm test`, many in `npm run test:long`, or the one of `SEED=…`, by which
 * a failure is repeated.
 */
export function seeds(few: number, many: number): number[] {
  const only = process.env["SEED"];
  if (only !== undefined) return [Number(only)];
  return Array.from({ length: process.env["LONG"] === undefined ? few : many }, (_, i) => i + 1);
}
