/**
 * Runs a corpus of shell cases, such as Oils' (oils-for-unix/oils, spec/*.test.sh, Apache-2.0), against the shell's
 * language and utilities, and says for each file how many of the cases give the same as bash.
 *
 *     node test/conformance/run.ts CASES.json [FILE,…] [--failures] [--host] [--no-programs]
 *
 * CASES.json is `{file: [{name, code, status, stdout?, needsHost?}]}`; cases that need a host are left out unless
 * --host is given. Programs (sed, od, awk …) are those of a build, as users have them (`npm run build`); --no-programs
 * leaves them out. The corpus is not part of the project.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { nodeProgramPlatform } from "../../node/program-platform.ts";
import { runCase, type Case, type Outcome } from "./case.ts";

const { values, positionals } = parseArgs({
  options: {
    failures: { type: "boolean", default: false },
    host: { type: "boolean", default: false },
    "no-programs": { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const [path, only] = positionals;
if (path === undefined) {
  process.stderr.write(
    "usage: node test/conformance/run.ts CASES.json [FILE,…] [--failures] [--host] [--no-programs]\n",
  );
  process.exit(64);
}
const corpus = JSON.parse(readFileSync(path, "utf8")) as Record<string, readonly (Case & { needsHost?: boolean })[]>;
const wanted = only === undefined ? Object.keys(corpus) : only.split(",");
const programs = values["no-programs"] ? {} : { programs: nodeProgramPlatform };
let passed = 0;
let total = 0;
for (const file of wanted) {
  const cases = (corpus[file] ?? []).filter(({ needsHost }) => values.host || needsHost !== true);
  let own = 0;
  for (const [i, one] of cases.entries()) {
    const outcome = await runCase(one, programs);
    if (outcome.isPassed) own++;
    else if (values.failures) process.stdout.write(report(file, i, one, outcome));
  }
  passed += own;
  total += cases.length;
  process.stdout.write(`${file.padEnd(24)} ${String(own).padStart(4)} of ${String(cases.length).padStart(4)}\n`);
}
process.stdout.write(`${passed} of ${total} cases, ${((100 * passed) / total).toFixed(1)}%\n`);
process.exit(0);

function report(file: string, index: number, one: Case, { status, stdout, stderr }: Outcome): string {
  return `--- ${file} ${index}: ${one.name}\n${one.code}\n--- wanted (${one.status})\n${one.stdout ?? ""}\n--- got (${status})\n${stdout}\n--- stderr\n${stderr}\n`;
}
