/** Pipes of the shell in virtual time: stages run at once, end early and are cancelled, and nothing is left behind. */
import { beforeEach, expect, test } from "vitest";
import { collector, ShellBench } from "../../test/sim/shell-bench.ts";
import { memoryHost } from "../../test/fixtures/host.ts";
import { sleep } from "../ports/clock.ts";
import { createShell, type Shell } from "./shell.ts";
import type { Io } from "./types.ts";

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
});

const never: Io["stdin"] = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };

function start(shell: Shell, line: string, signal = new AbortController().signal) {
  const [stdout, stderr] = [collector(), collector()];
  const status = shell.run(line, { stdin: never, stdout, stderr, terminal: {} }, { signal });
  return { status, stdout, stderr };
}

/** Waits until a line that was started runs. */
function runs(): Promise<unknown> {
  return bench.world.settle(sleep(bench.computer("first").clock, 20), { withinMs: 1_000 });
}

function open(): Shell {
  return createShell(bench.computer("first"), memoryHost(new Map()));
}

test("stages run at once, and one whose reader has gone ends", async () => {
  const shell = open();
  const begun = bench.world.nowMs;
  const { status } = start(shell, "sleep 0.3 | sleep 0.3 | sleep 0.3");
  expect(await bench.world.settle(status, { withinMs: 1_000 })).toBe(0);
  expect(bench.world.nowMs - begun).toBeLessThan(350);
  const yes = start(shell, "yes | head -n 1; echo ${PIPESTATUS[@]}");
  await bench.world.settle(yes.status, { withinMs: 1_000 });
  expect(yes.stdout.text()).toBe("y\n141 0\n");
});

test("Ctrl-C ends what waits; Ctrl-Z makes it a job that fg takes up again", async () => {
  const shell = open();
  for (const line of ["sleep 100", "sleep 100 | cat", "(sleep 100); echo no", "read x"]) {
    const { status, stdout } = start(shell, line);
    await runs();
    const begun = bench.world.nowMs;
    expect(shell.signal("INT")).toBe(true);
    expect([line, await bench.world.settle(status, { withinMs: 100 })]).toEqual([line, 130]);
    expect(bench.world.nowMs - begun).toBeLessThan(100);
    expect(stdout.text()).toBe("");
  }
  const stopped = start(shell, "sleep 1 | cat; echo after");
  await runs();
  expect(shell.signal("TSTP")).toBe(true);
  await bench.world.settle(stopped.status, { withinMs: 100 });
  expect(stopped.stdout.text()).toBe("after\n");
  expect(stopped.stderr.text()).toMatch(/^\n\[1\]\+ {2}Stopped +sleep 1 \| cat\n$/);
  const resumed = start(shell, "jobs; fg; echo $?");
  await bench.world.settle(resumed.status, { withinMs: 3_000 });
  expect(resumed.stdout.text()).toMatch(/^\[1\]\+ {2}Stopped +sleep 1 \| cat\nsleep 1 \| cat\n0\n$/);
  const background = start(shell, "sleep 1 &");
  await bench.world.settle(background.status, { withinMs: 100 });
  expect(shell.takeReports()).toBe("");
  await bench.world.settle(start(shell, "sleep 2").status, { withinMs: 3_000 });
  expect(shell.takeReports()).toMatch(/^\[1\]\+ {2}Done +sleep 1\n$/);
});

test("a thousand pipelines, a hundred of them cancelled, leave nothing behind", async () => {
  const shell = open();
  const { session } = shell;
  await bench.world.settle(start(shell, "echo warm | cat").status, { withinMs: 1_000 });
  const before = [session.processCount, session.state.descriptors.numbers().join()];
  for (let i = 0; i < 1_000; i++) {
    const isCancelled = i % 10 === 0;
    const { status } = start(shell, isCancelled ? "sleep 100 | cat | cat" : "echo a | cat <(echo b) - | wc -c");
    if (isCancelled) {
      await runs();
      shell.signal("INT");
    }
    expect(await bench.world.settle(status, { withinMs: 1_000 })).toBe(isCancelled ? 130 : 0);
  }
  expect([session.processCount, session.state.descriptors.numbers().join()]).toEqual(before);
  expect(session.jobs.all).toEqual([]);
});

test("a fork bomb meets its bound, and is over", async () => {
  const shell = open();
  const { session } = shell;
  const before = session.processCount;
  const bomb = start(shell, ":(){ :|:& };:");
  expect(await bench.world.settle(bomb.status, { withinMs: 1_000 })).toBe(0);
  while (session.processCount > before) await runs();
  expect(bomb.stderr.text()).toContain("processes at once");
  const after = start(shell, "(echo still) | cat");
  expect(await bench.world.settle(after.status, { withinMs: 1_000 })).toBe(0);
  expect(after.stdout.text()).toBe("still\n");
});

test("PS1 of a start-up file is the prompt, the swarm's first and then the node's", async () => {
  const shell = open();
  const write = start(
    shell,
    "echo 'PS1=\"swarm \\\\w> \"; x=1' > /.starfishrc; echo 'x=$((x+1))' > /.starfishrc.first",
  );
  await bench.world.settle(write.status, { withinMs: 5_000 });
  const other = open();
  const io = { stdin: never, stdout: collector(), stderr: collector(), terminal: {} };
  await bench.world.settle(other.startUp(io, { signal: new AbortController().signal }), { withinMs: 5_000 });
  expect(await other.prompt("PS1")).toBe("swarm /> ");
  const shown = start(other, "echo $x");
  await bench.world.settle(shown.status, { withinMs: 100 });
  expect([shown.stdout.text(), io.stderr.text()]).toEqual(["2\n", ""]);
});
