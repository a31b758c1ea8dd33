/** One case: a script in a session of its own, over files in memory, with the utilities that every shell has. */
import { concat } from "../../core/base/bytes.ts";
import type { Computer } from "../../core/computer.ts";
import { realClock } from "../../core/platform/clock.ts";
import { realRandom } from "../../core/platform/random.ts";
import { help } from "../../core/shell/commands/help.ts";
import { decodeText } from "../../core/shell/language/bytes.ts";
import { Descriptor } from "../../core/shell/language/descriptor.ts";
import type { ShellSession } from "../../core/shell/language/session.ts";
import { binTree } from "../../core/shell/namespace/bin/tree.ts";
import { devTree } from "../../core/shell/namespace/dev/tree.ts";
import { Namespace } from "../../core/shell/namespace/namespace.ts";
import { TemporaryTree } from "../../core/shell/namespace/temporary/tree.ts";
import { openSession } from "../../core/shell/shell.ts";
import type { Command, Host } from "../../core/shell/types.ts";
import { utilities } from "../../core/shell/utilities/index.ts";
import { fixtures } from "./fixtures.ts";

export interface Case {
  readonly name: string;
  readonly code: string;
  readonly status: number;
  /** The expected output; if it is absent, the output is not compared. */
  readonly stdout?: string;
}

export interface Outcome {
  readonly isPassed: boolean;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CaseOptions {
  readonly timeMs?: number;
  /** Where programs come from and run, if there are any. */
  readonly programs?: Host["programs"];
}

/** A case that takes longer has failed, ms. */
const TIME_MS_MAX = 5_000;
/** The output of an endless case is cut here. */
const OUTPUT_BYTES_MAX = 1_000_000;
const HOME = "/home/user";

const table: ReadonlyMap<string, Command> = new Map(
  [...utilities, help(() => utilities), ...fixtures].map((command) => [command.name, command]),
);

export async function runCase(one: Case, { timeMs = TIME_MS_MAX, programs }: CaseOptions = {}): Promise<Outcome> {
  const tree = new TemporaryTree(realClock);
  for (const path of ["/tmp", "/home", HOME, "/work", "/work/_tmp", "/usr", "/usr/bin"]) await tree.makeDirectory(path);
  // Utilities and /dev ask no more than this of a computer that is alone.
  const net = { members: () => [], onMember: () => () => {} };
  const devices = { questions: () => [], answers: () => new Map(), onChange: () => () => {} };
  const cpu = { jobs: () => [], running: () => [], cancel: () => false };
  const jobs = { list: () => [], state: () => undefined };
  const computer = { clock: realClock, random: realRandom, cpu, jobs, net, devices } as unknown as Computer;
  const names = new Namespace([
    { path: "/", tree },
    { path: "/bin", tree: binTree({ commands: () => table.values() }) },
    { path: "/dev", tree: devTree({ ...computer, terminal: {}, descriptors: () => session.state.descriptors }) },
  ]);
  const environment = new Map([
    ["HOME", HOME],
    ["TMP", "/tmp"],
    ["SH", "bash"],
    ["PATH", "/bin:/usr/bin"],
    ["REPO_ROOT", "/work"],
  ]);
  const session: ShellSession = openSession(
    { computer, host: (programs === undefined ? {} : { programs }) as Host, table, names },
    { name: "bash", isInteractive: false, environment, cwd: "/work" },
  );
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeMs);
  const [stdout, stderr] = [sink(stop), sink(stop)];
  await session.state.descriptors.set(0, new Descriptor({ read: () => Promise.resolve(undefined) }));
  await session.state.descriptors.set(1, stdout.descriptor);
  await session.state.descriptors.set(2, stderr.descriptor);
  try {
    const run = session.run(one.code, { signal: stop.signal });
    const result = await run;
    const status = await session.end(result.status);
    const shown = stdout.text();
    return {
      isPassed: status === one.status && (one.stdout === undefined || shown === one.stdout),
      status,
      stdout: shown,
      stderr: stderr.text(),
    };
  } finally {
    clearTimeout(timer);
  }
}

function sink(stop: AbortController): { descriptor: Descriptor; text(): string } {
  const parts: Uint8Array[] = [];
  let length = 0;
  const write = (bytes: Uint8Array): Promise<void> => {
    length += bytes.length;
    if (length > OUTPUT_BYTES_MAX) stop.abort();
    else parts.push(Uint8Array.from(bytes));
    return Promise.resolve();
  };
  return { descriptor: new Descriptor({ write }), text: () => decodeText(concat(parts)) };
}
