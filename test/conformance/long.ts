/** How much of the fuzzer runs: little in `npm test`, all of it with LONG=1 in Node. */
const environment: Readonly<Record<string, string | undefined>> =
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};

export const longRun: { readonly lines: number; readonly seed: number } = {
  lines: environment["LONG"] === "1" ? 10_000 : 300,
  seed: Number(environment["SEED"] ?? 1),
};
