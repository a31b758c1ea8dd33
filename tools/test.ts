/**
 * The whole test command, after tools/setup.mjs: house rules, then the suites, one group after the other so that real
 * processes and tabs do not compete with simulations for the cores. At its end it prints once more what failed, and the
 * line `N passed, N failed`, where each rule counts as one; exits with 1 if anything failed or a suite ran no test.
 *
 *     node tools/test.ts [--long] [--checks] [GROUP …]       groups: unit sim chromium system browser
 */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs, promisify } from "node:util";

const CHECKS: readonly { name: string; command: readonly string[] }[] = [
  { name: "types of core (no platform)", command: ["tsc", "-p", "core"] },
  { name: "types", command: ["tsc", "-p", "."] },
  // The systems that a benchmark compares with are installed only by people who run it.
  ...["bench/memory", "bench/disk", "bench/database"]
    .filter((bench) => existsSync(`${bench}/node_modules`))
    .map((bench) => ({ name: `types of ${bench}`, command: ["tsc", "-p", bench] })),
  { name: "lint", command: ["oxlint", "--deny-warnings"] },
  { name: "format", command: ["oxfmt", "--list-different", "."] },
  { name: "dead exports and dependencies", command: ["knip"] },
];
/** The most that a check may print: many thousand complaints. */
const CHECK_OUTPUT_BYTES_MAX: number = 64 * 1024 * 1024;
const SELF_CONTAINED: ReadonlySet<string> = new Set(["unit", "sim", "chromium"]);
const GROUPS: readonly (readonly string[])[] = [["unit", "sim"], ["chromium"], ["system"], ["browser"]];

interface Tally {
  passed: number;
  /** One or more lines for each failure. */
  failed: readonly string[];
}

/** The fields of vitest's JSON report that are read. */
interface Report {
  testResults: readonly {
    name: string;
    message: string;
    assertionResults: readonly { fullName: string; status: string; failureMessages: readonly string[] }[];
  }[];
}

const { values, positionals } = parseArgs({
  options: { long: { type: "boolean", default: false }, checks: { type: "boolean", default: false } },
  allowPositionals: true,
});
const results: Tally[] = positionals.length === 0 ? await runChecks() : [];
if (!values.checks) {
  for (const group of GROUPS) {
    const projects = group.filter((project) => positionals.length === 0 || positionals.includes(project));
    if (projects.length > 0) results.push(runSuites(projects));
  }
}
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.flatMap((result) => result.failed);
for (const failure of failed) process.stdout.write(`FAIL ${failure}\n`);
process.stdout.write(`${passed} passed, ${failed.length} failed\n`);
process.exit(failed.length === 0 && passed > 0 ? 0 : 1);

/** One for each core at a time. */
async function runChecks(): Promise<Tally[]> {
  const left = CHECKS.values();
  const some = async (): Promise<Tally[]> => {
    const tallies: Tally[] = [];
    for (const { name, command } of left) tallies.push(await runCheck(name, command));
    return tallies;
  };
  return (await Promise.all(Array.from({ length: availableParallelism() }, some))).flat();
}

async function runCheck(name: string, [program = "", ...args]: readonly string[]): Promise<Tally> {
  try {
    await promisify(execFile)(join("node_modules", ".bin", program), args, { maxBuffer: CHECK_OUTPUT_BYTES_MAX });
    process.stdout.write(`ok   ${name}\n`);
    return { passed: 1, failed: [] };
  } catch (error) {
    const { stdout = "", stderr = "", message = "" } = error as { stdout?: string; stderr?: string; message?: string };
    process.stdout.write(`FAIL ${name}\n${stdout}${stderr}${message}\n`);
    return { passed: 0, failed: [name] };
  }
}

/** One vitest run. A run that crashes, or in which no test ran, counts as a failure of its own. */
function runSuites(projects: readonly string[]): Tally {
  const folder = mkdtempSync(join(tmpdir(), "starfish-test-"));
  const report = join(folder, "report.json");
  try {
    const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    for (const project of projects) args.push("--project", project);
    // Suites without processes and tabs of their own use all cores; vitest alone would leave one free. In Node.js one
    // file more runs, since some wait for sockets.
    if (projects.every((project) => SELF_CONTAINED.has(project)))
      args.push("--maxWorkers", `${availableParallelism() + (projects.includes("chromium") ? 0 : 1)}`);
    const result = spawnSync(join("node_modules", ".bin", "vitest"), args, {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...(values.long ? { LONG: "1" } : {}) },
    });
    const tally = existsSync(report) ? parseReport(readFileSync(report, "utf8")) : { passed: 0, failed: [] };
    const hidden = (result.status !== 0 && tally.failed.length === 0) || tally.passed + tally.failed.length === 0;
    if (!hidden) return tally;
    const ending = result.signal ?? result.status;
    const failure = `${projects.join(", ")}: vitest ended with ${ending}, though no test failed, after ${tally.passed}`;
    return { passed: tally.passed, failed: [failure] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A skipped test counts as a failed one: no test is left out silently. */
function parseReport(json: string): Tally {
  const tally = { passed: 0, failed: [] as string[] };
  for (const { name, message, assertionResults } of (JSON.parse(json) as Report).testResults) {
    const file = relative(process.cwd(), name);
    // A file that could not even be loaded has no tests.
    if (assertionResults.length === 0) tally.failed.push(`${file}: ${message}`);
    for (const { fullName, status, failureMessages } of assertionResults) {
      if (status === "passed") tally.passed++;
      else tally.failed.push([`${file}: ${fullName} (${status})`, ...failureMessages.map(withoutStack)].join("\n"));
    }
  }
  return tally;
}

function withoutStack(message: string): string {
  return message.replace(/^ +at .*\n?/gm, "").trimEnd();
}
