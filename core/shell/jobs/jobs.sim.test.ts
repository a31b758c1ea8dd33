/** Jobs of the swarm as people see them on every node: map --detach, ps, top, job, wait, kill, /proc/ID. */
import { beforeEach, describe, expect, test } from "vitest";
import { collector, moduleOf, ShellBench, TERMINAL } from "../../../test/sim/shell-bench.ts";
import { hostile } from "../../../test/fixtures/wasm.ts";
import { createShell } from "../shell.ts";
import { memoryHost } from "../../../test/fixtures/host.ts";

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
  await bench.company();
});

/** Submits a job on the first node, and returns its id. */
async function detached(line: string, stdin = ""): Promise<string> {
  const { stdout, status, stderr } = await bench.run(`${line} --detach`, { stdin });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stdout).toMatch(/^[0-9a-f]{16}\n$/);
  return stdout.trim();
}

/** Waits until a node knows the job. */
async function knownOn(name: string, id: string): Promise<void> {
  const { jobs } = bench.computer(name);
  await bench.world.runUntil(() => jobs.state(id) !== undefined, { withinMs: 10_000, what: `${name} knows the job` });
}

async function json(line: string, on: string): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse((await bench.run(line, { on })).stdout);
  return value as Record<string, unknown>;
}

const LONG = "map primes --range 0..100000 --chunks 400";

describe("map --detach", () => {
  test("gives the id and how to follow it, says when it is safe to leave, and others finish it", async () => {
    const { stdout, stderr } = await bench.run(`${LONG} --detach`);
    const id = stdout.trim();
    expect(stderr).toContain(`'job ${id.slice(0, 8)}' shows how far it is`);
    expect(stderr).toContain(`/proc/${id}/result`);
    expect(stderr).toContain("It is safe to leave: 2 other members know it.");
    bench.world.crash("first");
    bench.computers.delete("first");
    expect(await bench.run(`cat /proc/${id}/result`, { on: "second" })).toEqual({
      status: 0,
      stdout: "9592\n",
      stderr: "",
    });
  });

  test("takes what the foreground takes, and gives the same result", async () => {
    bench.files.set("./mine.wasm", moduleOf("wordcount"));
    const stdin = "b b\na\nc c c\n";
    const words = await detached("map wordcount --lines 1", stdin);
    expect((await bench.run(`cat /proc/${words}/result`)).stdout).toBe("3 c\n2 b\n1 a\n");
    const own = await detached("map ./mine.wasm --lines 1", stdin);
    expect((await bench.run(`cat /proc/${own}/result`)).stdout).toBe("2 b\n1 a\n3 c\n");
    const range = collector();
    const picture = await detached("map mandelbrot --size 64x48");
    await bench.run(`cat /proc/${picture}/result`, { stdout: range });
    const film = await detached("map film --frames 3 --size 32x24");
    const { stdout: gif } = await bench.run(
      `cat /proc/${film}/result | head -c 6; cat /proc/${film}/result | tail -c 1`,
    );
    expect(gif).toBe("GIF89a;");
    const head = new DataView(range.bytes().buffer);
    expect([head.getUint16(0, true), head.getUint32(2, true)]).toEqual([0x4d42, 122 + 64 * 48 * 4]);
    expect(range.bytes()).toHaveLength(122 + 64 * 48 * 4);
  });

  test("with --verify each task is run by several, who have to agree; where fewer are there it says so at once", async () => {
    const { stdout, status } = await bench.run("map primes --range 0..1000 --chunks 12 --verify 2/2");
    expect({ stdout, status }).toEqual({ stdout: "168\n", status: 0 });
    expect(await json("job --json", "first")).toMatchObject({
      state: "done",
      named: [],
      terms: { verify: { runs: 2 } },
    });
    const refused = await bench.run("map primes --range 0..1000 --verify 5/4");
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/4 devices have to agree on each task, and only \d run tasks now/);
  });

  test.each([
    ["map primes --range 0..9 --detach --verify 3/1", "--verify must be R/Q"],
    ["map primes --range 0..9 --detach --verify 3", "--verify must be R/Q"],
    ["map primes --range 0..9 --fuel 0", "--fuel must be"],
    ["map primes --detach", "--range is missing"],
    ["map sha256 --detach", "names files in its output"],
    ["map ./mine.wasm --range 0..9 --each-file --detach", "--each-file takes files whole"],
    ["map wordcount --detach", "there is no input"],
    ["map mandelbrot --detach --out x.png", "--out is not for a job of the swarm"],
  ])("%s: %s", async (line, why) => {
    expect(await bench.run(line)).toMatchObject({ status: 64, stderr: expect.stringContaining(why) });
  });

  test("alone says that nobody else would go on", async () => {
    bench = new ShellBench();
    await bench.up("first");
    expect((await bench.run("map primes --range 0..100 --detach")).stderr).toContain("Nobody else is here");
  });
});

describe("a job that is waited for", () => {
  test("runs where it is bound to, and prints its result", async () => {
    const ran = await bench.run("map primes --range 0..1000 --on second", { terminal: TERMINAL });
    expect(ran).toMatchObject({ status: 0, stdout: "168\n" });
    const { nodes } = await json("job --json primes", "third");
    expect(nodes).toMatchObject([{ name: "second", done: 64 }]);
    expect(await bench.run("map primes --range 0..1000 --on nobody")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("nobody here is called 'nobody'"),
    });
  });

  test.each([
    ["map pi --range 0..100000 --chunks 4", ""],
    ["map nbody --bodies 50 --chunks 3", ""],
    ["map js 'x => x.length' --lines 1", "a\nbbb\ncc\n"],
    ["map js 'x => x' --reduce '(a, b) => a + b' --lines 1", "a\nbbb\ncc\n"],
    ["map python 'lambda n: n * n' --range 0..5", ""],
  ])("%s prints what it prints in the foreground", async (line, stdin) => {
    const foreground = await bench.run(line, { stdin });
    expect(foreground).toMatchObject({ status: 0, stdout: expect.stringMatching(/\d|abbbcc/) });
    expect(await bench.run(`${line} --on first,second`, { stdin })).toMatchObject(foreground);
  });

  test("is ended by Ctrl-C", async () => {
    const stop = new AbortController();
    const { clock, jobs } = bench.computer("first");
    clock.timer(3_000, () => stop.abort());
    expect((await bench.run(`${LONG} --on first,second`, { signal: stop.signal })).status).toBe(130);
    expect(jobs.list().map(({ state }) => state)).toEqual(["cancelled"]);
  });

  test("leaves out what fails where it is to go on, and says so", async () => {
    bench.files.set("./trap.wasm", hostile.trap());
    const ran = await bench.run("map ./trap.wasm --range 0..4 --chunks 4 --keep-going");
    expect(ran).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("4 tasks failed and left out"),
    });
    expect(await bench.run("map ./trap.wasm --range 0..4 --on first")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^map: Task \d+: /),
    });
  });
});

describe("from another node", () => {
  test("ps, top and job show how far it is and who does it; over, who did it", async () => {
    const id = await detached(LONG);
    await knownOn("third", id);
    const { jobs } = bench.computer("third");
    await bench.world.runUntil(() => (jobs.state(id)?.tasks.done ?? 0) > 100, { withinMs: 60_000 });
    const { stdout: listed } = await bench.run("ps", { on: "third" });
    expect(listed).toMatch(
      new RegExp(`^${id.slice(0, 8)} +running +● first +\\d+/400 +\\d+% .*primes 0..100000$`, "m"),
    );
    expect(listed).toMatch(/^\d+ +running +ps$/m);
    const said = (await bench.run(`job ${id.slice(0, 6)}`, { on: "third" })).stdout;
    expect(said).toMatch(/^Running for .*Submitted by first\.$/m);
    expect(said).toMatch(/^\d+ of 400 tasks done \(\d+%\), \d+ running, \d+\/s, .* left$/m);
    expect(said).toMatch(/^[abc+.=]{72}$/m);
    for (const name of ["first", "second", "third"]) expect(said).toMatch(new RegExp(`^[abc] +● ${name} +\\d+`, "m"));
    expect((await bench.run("top", { on: "third" })).stdout).toMatch(/1 job running · 3 members · \d of 6 lent cores/);
    await bench.run(`wait ${id}`, { on: "second" });
    const facts = await json(`job --json ${id}`, "second");
    expect(facts).toMatchObject({ state: "done", done: 400, total: 400, failures: [], result: { bytes: 5 } });
    const done = (facts["nodes"] as { name: string; done: number }[]).map(({ name, done }) => [name, done] as const);
    expect(done.map(([name]) => name).toSorted()).toEqual(["first", "second", "third"]);
    expect(done.reduce((sum, [, tasks]) => sum + tasks, 0)).toBe(400);
    expect((await bench.run("ps", { on: "second" })).stdout).toContain("1 job is over: 'ps --all' lists it.");
    expect((await bench.run("ps --all", { on: "second" })).stdout).toMatch(/ done +● first +400\/400 100% /);
  });

  test("/proc/ID has it as files", async () => {
    const id = await detached("map primes --range 0..1000 --chunks 5");
    await knownOn("second", id);
    const on = "second";
    // This waits, because the result is not there yet.
    expect((await bench.run(`cat /proc/${id}/result`, { on })).stdout).toBe("168\n");
    expect((await bench.run(`cat /proc/${id}/status`, { on })).stdout).toMatch(
      /^Name:\tprimes 0\.\.1000\nState:\tZ \(done\)\n.*Tasks:\t5 of 5 done, 0 running, 0 failed\n.*Result:\t4 bytes\n$/s,
    );
    expect((await bench.run(`tr '\\0' ' ' < /proc/${id}/cmdline`, { on })).stdout).toBe("map primes 0..1000 ");
    expect(
      (await bench.run(`cut -f 2 /proc/${id}/nodes | paste -sd+ - | { read s; echo $((s)); }`, { on })).stdout,
    ).toBe("5\n");
    expect((await bench.run(`cat /proc/${id}/failures; ls /proc/${id}`, { on })).stdout).toBe(
      "cmdline\nfailures\nnodes\nresult\nstatus\n",
    );
    expect((await bench.run(`ls -l /proc/${id}/result; echo x > /proc/${id}/result`, { on })).stderr).toContain(
      "kill ID",
    );
  });

  test("wait and kill take its id, or the beginning of it", async () => {
    const id = await detached(LONG);
    await knownOn("second", id);
    const waiting = bench.start(`wait ${id}; echo $?`, { on: "third" });
    await bench.world.runFor(100);
    expect(await bench.run(`kill -STOP ${id}`, { on: "second" })).toMatchObject({ status: 1 });
    expect(await bench.run(`kill ${id.slice(0, 6)}`, { on: "second" })).toEqual({ status: 0, stdout: "", stderr: "" });
    expect((await bench.world.settle(waiting, { withinMs: 10_000 })).stdout).toBe("143\n");
    expect(await bench.run(`cat /proc/${id}/result`)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("was cancelled by second"),
    });
    expect((await bench.run(`kill ${id}`)).stderr).toContain("that job is over: cancelled");
    expect((await bench.run(`job ${id}`)).stdout).toContain("Cancelled by second after");
    expect((await bench.run("wait 0000000000000000")).status).toBe(127);
  });

  test("cancel ends it too, and what failed is told with its reason", async () => {
    const id = await detached(LONG);
    await knownOn("second", id);
    expect((await bench.run("cancel", { on: "second" })).stderr).toContain("no job that was started on this node");
    expect((await bench.run("cancel primes", { on: "second" })).stdout).toMatch(/^Cancelled primes 0..100000 \(/);
    bench.files.set("./trap.wasm", hostile.trap());
    const trap = await detached("map ./trap.wasm --range 0..8");
    expect((await bench.run(`wait ${trap}; echo $?`)).stdout).toBe("1\n");
    expect((await bench.run(`job ${trap}`, { on: "second" })).stdout).toMatch(/^task \d+ failed on \w+: wasm-trap: /m);
    expect((await bench.run(`cat /proc/${trap}/result`, { on: "second" })).status).toBe(1);
  });
});

test("ids of jobs are completed, of those that run where one is ended", async () => {
  const id = await detached(LONG);
  const shell = createShell(bench.computer("first"), memoryHost(new Map()));
  const { signal } = new AbortController();
  const complete = async (line: string): Promise<string[]> => {
    const { candidates } = await shell.complete(line, line.length, { signal });
    return candidates.map(({ text }) => text);
  };
  for (const line of ["job ", "kill ", "wait ", "cancel "]) expect(await complete(line + id.slice(0, 4))).toEqual([id]);
  bench.computer("first").jobs.cancel(id);
  expect(await complete(`kill ${id.slice(0, 4)}`)).toEqual([]);
  expect(await complete(`job ${id.slice(0, 4)}`)).toEqual([id]);
  expect(await complete("map primes --det")).toEqual(["--detach"]);
});

test("without any job, ps, job and top say what to try", async () => {
  expect((await bench.run("ps")).stdout).toContain("try 'map primes --range 0..100000000 --detach'");
  expect((await bench.run("top")).stdout).toContain("No jobs: try");
  expect((await bench.run("job")).stderr).toContain("there are no jobs");
});
