/**
 * Asks the bash of this machine what each snippet of snippets.ts gives, and writes recorded.json, which
 * recorded.test.ts holds our shell to:
 *
 *     node test/conformance/record.ts
 *
 * Each runs in an empty directory with little in its environment.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SNIPPETS } from "./snippets.ts";

interface Recorded {
  readonly name: string;
  readonly code: string;
  readonly status: number;
  readonly stdout: string;
}

const version = execFileSync("bash", ["-c", "echo $BASH_VERSION"], { encoding: "utf8" }).trim();
if (!version.startsWith("5.2.")) throw new Error(`bash 5.2 is asked, not ${version}`);

const recorded: Recorded[] = [];
for (const [group, codes] of Object.entries(SNIPPETS)) {
  for (const [i, code] of codes.entries()) {
    const cwd = mkdtempSync(join(tmpdir(), "record-"));
    const env = { PATH: "/usr/bin:/bin", HOME: "/home/user", LC_ALL: "C.UTF-8", TZ: "UTC" };
    const { status, stdout } = spawnSync("bash", ["-c", code], { cwd, env, input: "", timeout: 10_000 });
    rmSync(cwd, { recursive: true });
    if (status === null) throw new Error(`a signal ended bash at: ${code}`);
    recorded.push({ name: `${group} ${i}`, code, status, stdout: stdout.toString() });
  }
}
const file = join(import.meta.dirname, "recorded.json");
writeFileSync(file, `${JSON.stringify(recorded, undefined, 1)}\n`);
process.stdout.write(`${recorded.length} snippets, bash ${version}\n`);
