/**
 * The whole test command, after tools/setup.mjs: house rules, then the suites, one group after the other so that real
 * processes and tabs do not compete with simulations for the cores. Ends with the line `N passed, N failed`, where each
 * rule counts as one, and exits with 1 if anything failed or a suite ran no test.
 *
 *     node tools/test.ts [--long] [--checks] [GROUP …]       groups: unit sim chromium system browser
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const CHECKS: readonly { name: string; command: readonly string[] }[] = [
  { name: "types of core (no platform)", command: ["tsc", "-p", "core"] },
  { name: "types", command: ["tsc", "-p", "."] },
  // What it compares with is installed by those who run it alone.
  ...["bench/memory", "bench/disk"]
    .filter((bench) => existsSync(`${bench}/node_modules`))
    .map((bench) => ({ name: `types of ${bench}`, command: ["tsc", "-p", bench] })),
  { name: "lint", command: ["oxlint", "--deny-warnings"] },
  { name: "format", command: ["oxfmt", "--list-different", "."] },
  { name: "dead exports and dependencies", command: ["knip"] },
];
const SELF_CONTAINED: ReadonlySet<string> = new Set(["unit", "sim"]);
const GROUPS: readonly (readonly string[])[] = [["unit", "sim"], ["chromium"], ["system"], ["browser"]];

interface Tally {
  passed: number;
  failed: number;
}

const { values, positionals } = parseArgs({
  options: { long: { type: "boolean", default: false }, checks: { type: "boolean", default: false } },
  allowPositionals: true,
});
const tally: Tally = { passed: 0, failed: 0 };
if (positionals.length === 0) for (const check of CHECKS) add(runCheck(check.name, check.command));
if (!values.checks) {
  for (const group of GROUPS) {
    const projects = group.filter((project) => positionals.length === 0 || positionals.includes(project));
    if (projects.length > 0) add(runSuites(projects));
  }
}
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed\n`);
process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);

function add(result: Tally): void {
  tally.passed += result.passed;
  tally.failed += result.failed;
}

function runCheck(name: string, command: readonly string[]): Tally {
  const [program = "", ...args] = command;
  const result = spawnSync(join("node_modules", ".bin", program), args, { encoding: "utf8" });
  const passed = result.status === 0;
  process.stdout.write(`${passed ? "ok  " : "FAIL"} ${name}\n`);
  if (!passed) process.stdout.write(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}\n`);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1 };
}

/** One vitest run. A run that crashes, or in which no test ran, counts as a failure of its own. */
function runSuites(projects: readonly string[]): Tally {
  const folder = mkdtempSync(join(tmpdir(), "starfish-test-"));
  const report = join(folder, "report.json");
  try {
    const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    for (const project of projects) args.push("--project", project);
    // What has no processes and tabs of its own takes all cores; by itself vitest leaves one free.
    if (projects.every((project) => SELF_CONTAINED.has(project)))
      args.push("--maxWorkers", `${availableParallelism()}`);
    const result = spawnSync(join("node_modules", ".bin", "vitest"), args, {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...(values.long ? { LONG: "1" } : {}) },
    });
    const counts = existsSync(report) ? parseReport(readFileSync(report, "utf8")) : { passed: 0, failed: 0 };
    const hidden = (result.status !== 0 && counts.failed === 0) || counts.passed + counts.failed === 0;
    return hidden ? { passed: counts.passed, failed: counts.failed + 1 } : counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A skipped test is a failed one: nothing is left out in silence. */
function parseReport(json: string): Tally {
  const report = JSON.parse(json) as { numPassedTests: number; numTotalTests: number };
  return { passed: report.numPassedTests, failed: report.numTotalTests - report.numPassedTests };
}
