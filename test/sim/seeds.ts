/**
 * The seeds with which a simulation is run: a few in `npm test`, many in `npm run test:long`, or the one of `SEED=…`,
 * which repeats a failure.
 *
 * A test without seeds would disappear silently, so that throws. A test that is too long for `npm test` says so where
 * it is defined: `test.each(longSeeds(5))(…)`.
 */
export const isLong: boolean = process.env["LONG"] !== undefined;

export function seeds(few: number, many: number): number[] {
  atLeastOne(few);
  atLeastOne(many);
  const only = process.env["SEED"];
  if (only === undefined) return Array.from({ length: isLong ? many : few }, (_, i) => i + 1);
  if (!/^\d+$/.test(only)) throw new RangeError(`SEED has to be a whole number, not '${only}'`);
  return [Number(only)];
}

/** For tests of the long run only; in `npm test` there are none. */
export function longSeeds(many: number): number[] {
  atLeastOne(many);
  return isLong ? seeds(many, many) : [];
}

function atLeastOne(count: number): void {
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`A test needs at least one seed, not ${count}`);
}
