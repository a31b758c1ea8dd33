/** One module of WASI's public suite as a command of a shell: in Node and in a tab. */
import { concat } from "../../core/base/bytes.ts";
import { realClock } from "../../core/platform/clock.ts";
import { realRandom } from "../../core/platform/random.ts";
import type { Computer } from "../../core/computer.ts";
import { decodeText } from "../../core/shell/language/bytes.ts";
import { Descriptor } from "../../core/shell/language/descriptor.ts";
import { quoteIfNeeded } from "../../core/shell/language/quoting.ts";
import { Namespace } from "../../core/shell/namespace/namespace.ts";
import { TemporaryTree } from "../../core/shell/namespace/temporary/tree.ts";
import type { ProgramPlatform } from "../../core/shell/programs/session.ts";
import { openSession } from "../../core/shell/shell.ts";
import type { Host } from "../../core/shell/types.ts";
import type { WasiCase } from "./wasi-suite.ts";

export interface WasiOutcome {
  readonly isPassed: boolean;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const TIME_MS_MAX = 20_000;

export async function runWasiCase(one: Omit<WasiCase, "suite">, programs: ProgramPlatform): Promise<WasiOutcome> {
  const [tree, bin] = [new TemporaryTree(realClock), new TemporaryTree(realClock)];
  for (const [path, content] of Object.entries(one.files ?? {})) {
    if (content === null) await tree.makeDirectory(path);
    else await tree.write(path, only(content));
  }
  await bin.write("/program", only(one.module), { mode: 0o755 });
  await bin.setMode("/program", 0o755);
  const names = new Namespace([
    { path: "/", tree },
    { path: "/bin", tree: bin },
  ]);
  const computer = { clock: realClock, random: realRandom } as unknown as Computer;
  const session = openSession(
    { computer, host: { programs } as unknown as Host, table: new Map(), names },
    { name: "sh", isInteractive: false, environment: new Map(), cwd: "/" },
  );
  const [stdout, stderr] = [collect(), collect()];
  await session.state.descriptors.set(0, new Descriptor({ read: () => Promise.resolve(undefined) }));
  await session.state.descriptors.set(1, stdout.descriptor);
  await session.state.descriptors.set(2, stderr.descriptor);
  // The suite's programs see just the environment that it names.
  const names_ = ["IFS", "PATH", "SHLVL", "PWD", "OLDPWD", "_"].map((name) => `unset ${name}`).join("; ");
  const exports = Object.entries(one.environment).map(([name, value]) => `export ${name}=${quoteIfNeeded(value)}; `);
  const line = `${names_}; ${exports.join("")}/bin/program ${one.args.map(quoteIfNeeded).join(" ")}`;
  const { status } = await session.run(line, { signal: AbortSignal.timeout(TIME_MS_MAX) });
  await session.end(status);
  const got = { status, stdout: stdout.text(), stderr: stderr.text() };
  const isPassed =
    status === one.exitCode &&
    (one.stdout === undefined || got.stdout === one.stdout) &&
    (one.stderr === undefined || got.stderr === one.stderr);
  return { isPassed, ...got };
}

function collect(): { descriptor: Descriptor; text(): string } {
  const parts: Uint8Array[] = [];
  return {
    descriptor: new Descriptor({
      write: (bytes) => {
        parts.push(Uint8Array.from(bytes));
        return Promise.resolve();
      },
    }),
    text: () => decodeText(concat(parts)),
  };
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
