/**
 * Plays files of sqllogictest (https://github.com/gregrahn/sqllogictest, a checkout of which is given) on the shared
 * database: each file's statements on one node, its queries on that and on a second one. Prints passed and failed for
 * each file and the kinds of failures, and exits with 1 if any failed.
 *
 *     node test/sqllogictest/run.ts CHECKOUT [--verbose] [FILE[:COUNT]…]
 *
 * Without FILE it plays the files that spread.txt lists. FILE:COUNT stands for the first COUNT records of the file.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openPair } from "./pair.ts";
import { type Failure, play } from "./play.ts";
import { recordsOf } from "./records.ts";

/** The number of examples that are shown of each kind of failure. */
const EXAMPLES = 2;

const { values, positionals } = parseArgs({
  options: { verbose: { type: "boolean", default: false } },
  allowPositionals: true,
});
const [checkout, ...named] = positionals;
if (checkout === undefined) throw new Error("node test/sqllogictest/run.ts CHECKOUT [--verbose] [FILE[:COUNT]…]");
const files = named.length > 0 ? named : await spread();

const kinds = new Map<string, { file: string; failure: Failure }[]>();
let passed = 0;
let failed = 0;
for (const name of files) {
  const [file = "", most = Infinity] = name.split(":");
  const records = recordsOf(await readFile(join(checkout, file), "utf8")).slice(0, Number(most));
  const began = performance.now();
  await using pair = openPair();
  const { failures } = await play(records, pair);
  passed += records.length - failures.length;
  failed += failures.length;
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`${file}: ${records.length - failures.length} passed, ${failures.length} failed, ${seconds} s`);
  for (const failure of failures) {
    const those = kinds.get(failure.kind) ?? [];
    those.push({ file, failure });
    kinds.set(failure.kind, those);
  }
}
console.log(`${files.length} files: ${passed} passed, ${failed} failed`);
for (const [kind, those] of [...kinds].sort(([, x], [, y]) => y.length - x.length)) {
  console.log(`\n${those.length} ${kind}`);
  for (const { file, failure } of values.verbose ? those : those.slice(0, EXAMPLES)) {
    console.log(
      `  ${file}:${failure.line}: ${failure.message}\n    ${failure.sql.replaceAll("\n", " ").slice(0, 300)}`,
    );
  }
}
process.exitCode = failed === 0 ? 0 : 1;

async function spread(): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, "spread.txt"), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}
