/** The shell and its commands on whole computers in a simulated world: nothing below the shell is replaced. */
import { beforeEach, describe, expect, test } from "vitest";
import { memoryHost } from "../../test/fixtures/host.ts";
import { moduleOf, ShellBench, TERMINAL } from "../../test/sim/shell-bench.ts";
import { wasm } from "../../test/fixtures/wasm.ts";
import { text, utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { sleep } from "../ports/clock.ts";
import { fileCommands } from "./commands/files.ts";
import { createShell, type Shell } from "./shell.ts";
import { utilities } from "./utilities/index.ts";
import type { Command } from "./types.ts";

/** Copies its input to its output, for pipes. */
const cat: Command = {
  name: "cat",
  summary: "",
  help: "",
  async run({ stdin, stdout }) {
    for await (const part of stdin) await stdout.write(part);
    return 0;
  },
};
/** Writes without end. */
const yes: Command = {
  ...cat,
  name: "yes",
  async run({ stdout }) {
    for (;;) await stdout.write(utf8("y\n"));
  },
};
/** Reads one piece and leaves. */
const head: Command = {
  ...cat,
  name: "head",
  async run({ stdin, stdout }) {
    for await (const part of stdin) {
      await stdout.write(part.subarray(0, 2));
      return 7;
    }
    return 0;
  },
};
const wait: Command = {
  ...cat,
  name: "wait",
  run: async ({ computer, signal }) => sleep(computer.clock, 3_600_000, { signal }).then(() => 0),
};
const EXTRA = [cat, yes, head, wait];

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
});

describe("lines", () => {
  test("stages run at once, and one that stops reading stops those before it", async () => {
    expect(await bench.run("yes | cat | head", {}, EXTRA)).toEqual({ status: 7, stdout: "y\n", stderr: "" });
  });

  test("stdin goes to who reads it first", async () => {
    expect((await bench.run("echo a; cat; cat", { stdin: "in\n" }, EXTRA)).stdout).toBe("a\nin\n");
    expect((await bench.run("head; cat", { stdin: "in\n" }, EXTRA)).stdout).toBe("in");
  });

  test("statuses decide what runs, as in bash", async () => {
    expect((await bench.run("nope && echo a || echo b; echo c")).stdout).toBe("b\nc\n");
    expect((await bench.run("echo a && nope")).status).toBe(127);
    expect((await bench.run("nope | echo a")).status).toBe(0);
  });

  test("an interrupt ends the whole line with 130", async () => {
    const stop = new AbortController();
    const running = bench.run("wait | cat; echo after", { signal: stop.signal }, EXTRA);
    stop.abort();
    expect(await running).toMatchObject({ status: 130, stdout: "" });
  });

  test("faults say where they are", async () => {
    expect(await bench.run("echo a | | b")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("line 1, column 9"),
    });
    expect(await bench.run("pers")).toMatchObject({
      status: 127,
      stderr: expect.stringContaining("did you mean 'peers'?"),
    });
  });
});

describe("every command", () => {
  test("explains itself with an example that works", async () => {
    await bench.company();
    const { stdout } = await bench.run("help");
    const filesNames = fileCommands.map(({ name }) => name);
    const names = Array.from(stdout.matchAll(/^ {2}(\w+) /gm), ([, name = ""]) => name);
    expect(names).toEqual([
      "peers",
      "map",
      "job",
      "ps",
      "top",
      "cancel",
      "mem",
      "sql",
      ...filesNames,
      "invite",
      "whoami",
      "name",
      "ping",
      "mail",
      "me",
      "send",
      "receive",
      "allow",
      "refuse",
      "less",
      "more",
      "edit",
      "watch",
      "history",
      "clear",
      "reset",
      "help",
      "man",
    ]);
    const words = stdout.split(/\s+/);
    expect(utilities.map(({ name }) => name).filter((name) => !words.includes(name))).toEqual([]);
    expect((await bench.run("help cd")).stdout).toContain("cd is a builtin of the language");
    // The examples of commands for files depend on each other; files/files.sim.test.ts runs them.
    for (const name of names.filter((each) => !filesNames.includes(each))) {
      const help = (await bench.run(`${name} --help`)).stdout;
      expect(help).toContain(`usage: ${name}`);
      expect((await bench.run(`help ${name}`)).stdout).toContain(help.trim());
      const example = help.trimEnd().split("\n").at(-1)?.trim() ?? "";
      expect(example).toMatch(new RegExp(`^(.* \\| )?${name}`));
      const line = example.replace("brisk-otter", "second").replace("0..100000000", "0..2000000");
      // There is no terminal here; terminal/full-screen.sim.test.ts has one. `cancel` ends the jobs that `map` has
      // left.
      const expected = ["edit", "watch"].includes(name) ? 1 : 0;
      // It needs somebody who reads at the other node.
      if (name === "send") void bench.start("receive", { on: "second" });
      expect([line, (await bench.run(line)).status]).toEqual([line, expected]);
    }
  });

  test.each([
    "peers x",
    "whoami --jso",
    "invite x",
    "name",
    "name a b",
    "name 'x y'",
    "ping",
    "ping second --count 0",
    "help x y z --w",
  ])("%s is wrong usage", async (line) => {
    expect(await bench.run(line)).toMatchObject({ status: 64, stderr: expect.stringContaining("--help") });
  });

  test("completes commands, options and names", async () => {
    await bench.company();
    const shell = createShell(bench.computer("first"), memoryHost(new Map()));
    const complete = completer(shell);
    const { from, texts } = await complete("p");
    expect([from, texts]).toEqual([0, expect.arrayContaining(["peers", "ping", "put"])]);
    expect(texts.filter((name) => !name.startsWith("p"))).toEqual([]);
    expect(await complete("echo a | pi")).toEqual({ from: 9, texts: ["ping"] });
    expect(await complete("ping s")).toEqual({ from: 5, texts: ["second"] });
    expect(await complete("map m")).toEqual({ from: 4, texts: ["mandelbrot"] });
    expect(await complete("map primes --r")).toEqual({ from: 11, texts: ["--range", "--reuse"] });
    expect((await complete("ping ")).texts).toEqual(["second", "third"]);
  });

  test("completes wherever a command may stand, and what is the shell's own", async () => {
    await bench.company();
    const shell = createShell(bench.computer("first"), memoryHost(new Map()));
    const io = { stdin: (async function* () {})(), stdout: nowhere, stderr: nowhere, terminal: {} };
    const line =
      "myfunction() { :; }; alias myalias=ls; MYVARIABLE=/tmp; mkdir -p '/tmp/my dir/in' /tmp/.hid; : > '/tmp/my dir/a\nb'; : > /tmp/it\\'s";
    expect(
      await bench.world.settle(shell.run(line, io, { signal: new AbortController().signal }), { withinMs: 1_000 }),
    ).toBe(0);
    const texts = async (typed: string): Promise<readonly string[]> => (await completer(shell)(typed)).texts;
    for (const before of [
      "",
      "a; ",
      "a && ",
      "a | ",
      "echo $(",
      "if ",
      "while true; do ",
      "x=1 ",
      "{ ",
      "diff <(",
      'echo "$(',
      "! ",
      "xargs -0 ",
      "timeout 5 ",
    ])
      expect([before, await texts(`${before}my`)]).toEqual([before, ["myalias", "myfunction"]]);
    expect(await texts("echo $MYV")).toEqual(["MYVARIABLE"]);
    expect(await texts('echo "${MYV')).toEqual(["MYVARIABLE"]);
    expect(await texts("echo '$MYV")).toEqual([]);
    expect(await texts("cat /tm")).toEqual(["/tmp/"]);
    expect(await texts("cat /tmp/")).toEqual(["/tmp/it's", "/tmp/my dir/"]);
    expect(await texts("cat /tmp/.")).toEqual(["/tmp/.hid/"]);
    expect(await texts("cat < /tmp/m")).toEqual(["/tmp/my dir/"]);
    expect(await texts("cat '/tmp/my dir/")).toEqual(["/tmp/my dir/a\nb", "/tmp/my dir/in/"]);
    expect(await texts("cat /tmp/my\\ dir/i")).toEqual(["/tmp/my dir/in/"]);
    expect(await texts("cat $MYVARIABLE/m")).toEqual(["my dir/"]);
    expect(await texts("cd '/tmp/my dir/")).toEqual(["/tmp/my dir/in/"]);
    expect(await texts("kill -TE")).toEqual(["-TERM"]);
    expect(await texts("grep --recur")).toEqual(["--recursive"]);
    expect(await texts("unset MYV")).toEqual(["MYVARIABLE"]);
    expect(await texts("help pee")).toEqual(["peers"]);
  });
});

describe("the swarm", () => {
  test("peers, alone and in company", async () => {
    expect((await bench.run("peers")).stdout).toMatch(/★ first .*\n1 member\. Nobody else/);
    await bench.company();
    const { stdout } = await bench.run("peers");
    expect(stdout).toMatch(/● second +\w{6} +node +2 +[\d.]+ ms +direct, simulated\n/);
    expect(stdout).toContain("3 members.");
    const rows = JSON.parse((await bench.run("peers --json")).stdout) as {
      name: string;
      link: { kind: string } | null;
    }[];
    expect(rows.map((row) => [row.name, row.link?.kind])).toEqual([
      ["first", undefined],
      ["second", "direct"],
      ["third", "direct"],
    ]);
  });

  test("ping takes names and ids, and sums up what there was when it is interrupted", async () => {
    await bench.company();
    const { stdout, status } = await bench.run("ping SECOND --count 3");
    expect([status, stdout.split("\n").length]).toEqual([0, 5]);
    expect(stdout).toMatch(/second: 3 of 3 came back; least [\d.]+ ms, median [\d.]+ ms, most [\d.]+ ms\n$/);
    const id = bench.computer("third").net.self.slice(-6);
    expect((await bench.run(`ping ${id} --count 1`)).stdout).toContain("third answered");
    expect(await bench.run("ping first")).toMatchObject({ status: 64 });
    expect((await bench.run("ping secnod")).stderr).toContain("did you mean 'second'?");
    const stop = new AbortController();
    bench.computer("first").clock.timer(1_000, () => stop.abort());
    const stopped = await bench.run("ping second --count 100", { signal: stop.signal });
    expect(stopped).toMatchObject({ status: 130, stderr: expect.stringMatching(/second: 2 of 2 came back/) });
  });

  test("a name can be changed, and namesakes are told apart", async () => {
    await bench.company();
    await bench.run("name second", { on: "third" });
    const renamed = (): boolean =>
      bench
        .computer("first")
        .net.members()
        .filter(({ record }) => record.name === "second").length === 2;
    await bench.world.runUntil(renamed, { withinMs: 10_000, what: "the new name is known" });
    const { status, stderr } = await bench.run("ping second");
    expect(status).toBe(1);
    expect(stderr).toContain(`second (${bench.computer("third").net.self.slice(-6)})`);
  });

  test("invite is a link, and a picture where it fits", async () => {
    const plain = await bench.run("invite");
    expect(plain.stdout).toMatch(/^https:\/\/example\.org\/#v2\.[\w-]+\n$/);
    expect(JSON.parse((await bench.run("invite --json")).stdout)).toEqual({ invite: plain.stdout.trim() });
    expect((await bench.run("invite", { terminal: { ...TERMINAL, columns: 200 } })).stdout).toMatch(/[▀▄█]{3}/);
    expect((await bench.run("invite", { terminal: { ...TERMINAL, columns: 20 } })).stdout).toContain("Widen");
    // A phone can read it from a terminal of usual width, and it does not lead the phone to itself.
    expect(plain.stdout.trim().length).toBeLessThanOrEqual(250);
    const { stdout } = await bench.run("invite", { terminal: { ...TERMINAL, columns: 80, colours: false } });
    expect(
      Math.max(
        ...stdout
          .split("\n")
          .slice(1)
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(61);
    expect(stdout).toMatch(/[▀▄█]{3}/);
  });

  test("invite draws no code of a link that leads nowhere but here", async () => {
    await bench.up("local", { inviteBase: () => "http://127.0.0.1:4500/" });
    const { stdout } = await bench.run("invite", { on: "local", terminal: { ...TERMINAL, columns: 200 } });
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:4500\/#v2\./);
    expect(stdout).toContain("this machine only");
    expect(stdout).not.toMatch(/[▀▄█]{3}/);
  });
});

describe("what others wrote, on a terminal", () => {
  /** Title, clipboard, screen, and a direction. */
  const nasty = "\x1b]0;owned\x07\x1b]52;c;cm0=\x07\x1b[2J\u009b2J\u202etxt";
  // eslint-disable-next-line no-control-regex
  const steers = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
  /** A module that returns its input, and so may print anything. */
  const echo = wasm({ memory: [0, 2], run: [0x20, 0, 0xad, 0x42, 32, 0x86, 0x20, 1, 0xad, 0x84] });
  /** A command whose author has taken no precautions. */
  const careless: Command = {
    ...cat,
    name: "careless",
    async run({ stdout, stderr, stdin }) {
      for await (const part of stdin) {
        await stdout.write(part);
        await stderr.write(part);
        await stdout.print(text(part));
      }
      throw new StarfishError("io", `cannot: ${nasty}`);
    },
  };

  beforeEach(async () => {
    bench.files.set("./echo.wasm", echo);
    await bench.run("put - /nasty", { stdin: nasty });
    bench.computer("first").memory.set(nasty, nasty);
    bench.computer("first").memory.set("plain", nasty);
  });

  test.each([
    ["map ./echo.wasm"],
    ["cat /nasty"],
    ["mem get plain"],
    ["mem ls"],
    ["mem ls --json"],
    ["careless"],
    ["careless | careless"],
    [`cat '/${nasty}'`],
    [`mem get '${nasty}x'`],
    [`'${nasty}'`],
    [`echo '${nasty}'`],
    [nasty.replaceAll(";", "") + " $x"],
  ])("%j does not steer it", async (line) => {
    // Without colours there are no sequences of our own either.
    const terminal = { ...TERMINAL, colours: false };
    const ran = await bench.run(line, { stdin: nasty, terminal }, [careless]);
    expect(ran.stdout + ran.stderr).toMatch(/owned|not there yet/);
    // A job draws its progress, which begins with these.
    const without = (shown: string): string => shown.replaceAll("\r\x1b[K", "");
    expect(without(ran.stdout)).not.toMatch(steers);
    expect(without(ran.stderr)).not.toMatch(steers);
  });

  test("a pipe gets it to the byte", async () => {
    for (const line of ["map ./echo.wasm", "cat /nasty", "careless"]) {
      expect((await bench.run(line, { stdin: nasty }, [careless])).stdout.startsWith(nasty)).toBe(true);
    }
    expect((await bench.run("mem get plain")).stdout).toBe(`${nasty}\n`);
  });
});

describe("map", () => {
  test("counts primes on all nodes and says how it goes where somebody looks", async () => {
    await bench.company();
    expect(await bench.run("map primes --range 0..100000 --chunks 24")).toEqual({
      status: 0,
      stdout: "9592\n",
      stderr: "",
    });
    // The largest possible numbers: the memory that they need is within a task's bound.
    const last = Number.MAX_SAFE_INTEGER;
    expect((await bench.run(`map primes --range ${last - 991}..${last} --chunks 1`)).stdout).toBe("25\n");
    const seen = await bench.run("map primes --range=0..100000", { terminal: { ...TERMINAL, columns: 200 } });
    expect(seen.stdout).toBe("9592\n");
    expect(seen.stderr).toMatch(/primes \d+\/64 chunks.*● /);
    expect(seen.stderr).toMatch(/primes: 64 chunks in .*second/);
  });

  test("counts words of stdin, the most frequent first", async () => {
    const words = "the cat and the Dog; THE end\nand so on\n";
    expect((await bench.run("map wordcount --lines 1", { stdin: words })).stdout).toBe(
      "3 the\n2 and\n1 cat\n1 dog\n1 end\n1 on\n1 so\n",
    );
    expect(await bench.run("map wordcount")).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("draws on a terminal, and writes PNG elsewhere", async () => {
    const drawn = await bench.run("map mandelbrot --size 256x128", { terminal: TERMINAL });
    expect(drawn.stdout).toContain("▀");
    expect((await bench.run("map mandelbrot --size 64x48 --out x.png", { terminal: TERMINAL })).stdout).toBe("");
    expect(Array.from(bench.files.get("x.png")?.subarray(0, 4) ?? [])).toEqual([0x89, 0x50, 0x4e, 0x47]);
  });

  test("runs a module of one's own, results in order", async () => {
    bench.files.set("./mine.wasm", moduleOf("wordcount"));
    const { stdout } = await bench.run("map ./mine.wasm --lines 1", { stdin: "b b\na\nc c c\n" });
    expect(stdout).toBe("2 b\n1 a\n3 c\n");
  });

  test.each(["map wordcount", "map ./mine.wasm"])("%s reads no further than what is under way", async (line) => {
    bench.files.set("./mine.wasm", moduleOf("wordcount"));
    const part = utf8("a\n".repeat(32_768));
    let read = 0;
    async function* lines(): AsyncGenerator<Uint8Array> {
      for (; read < 1_000 * part.length; read += part.length) yield part;
    }
    const stop = new AbortController();
    const { clock, cpu } = bench.computer("first");
    // Two cores at 100 ms a chunk, for a minute: 1,200 chunks at most are done.
    clock.timer(60_000, () => {
      const [job] = cpu.jobs();
      const chunk = line === "map wordcount" ? 16 * 1024 : 1_000;
      // The chunks that were done, a few that were handed out ahead, and those in the part that was read.
      expect(job?.progress.chunksDone).toBeGreaterThan(100);
      expect(read).toBeLessThan(chunk * ((job?.progress.chunksDone ?? 0) + 64) + 3 * part.length);
      stop.abort();
    });
    expect((await bench.run(line, { stdin: lines(), signal: stop.signal })).status).toBe(130);
  });

  test("finds fault with a module even if there is nothing to run it on", async () => {
    bench.files.set("./mine.wasm", moduleOf("wordcount"));
    bench.files.set("./text.wasm", utf8("no module"));
    expect(await bench.run("map ./mine.wasm")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await bench.run("map ./text.wasm")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("./text.wasm is no program: it has to be a WebAssembly module"),
    });
  });

  test.each([
    ["map", "there is nothing to run"],
    ["map prime --range 0..5", "did you mean primes?"],
    ["map primes", "--range is missing"],
    ["map primes --range 5..0", "--range must be"],
    ["map primes --range 0..5 --lines 3", "takes no --lines"],
    ["map ./mine.wasm --range 0..5 --lines 3", "--lines is for standard input"],
    ["map ./mine.wasm --chunks 3", "--chunks is for a --range"],
    ["map mandelbrot --size 0x5", "--size must be"],
    ["map mandelbrot --at 1,x", "--at must be"],
  ])("%s: %s", async (line, why) => {
    expect(await bench.run(line)).toMatchObject({ status: 64, stderr: expect.stringContaining(why) });
  });

  test("Ctrl-C and cancel end it everywhere", async () => {
    await bench.company();
    const stop = new AbortController();
    const { clock, cpu } = bench.computer("first");
    clock.timer(3_000, () => stop.abort());
    expect((await bench.run("map primes --range 0..10000000 --chunks 5000", { signal: stop.signal })).status).toBe(130);
    expect(cpu.jobs()).toEqual([]);
    const running = bench.start("map primes --range 0..10000000 --chunks 5000");
    await bench.world.runUntil(() => cpu.jobs().length === 1, { withinMs: 10_000, what: "the job runs" });
    expect((await bench.run("cancel primes")).stdout).toContain("Cancelled primes");
    expect((await bench.world.settle(running, { withinMs: 10_000 })).status).toBe(130);
    const idle = (): boolean => [...bench.computers.values()].every((computer) => computer.cpu.running().length === 0);
    await bench.world.runUntil(idle, { withinMs: 10_000, what: "nobody computes any more" });
  });
});

function completer(shell: Shell): (line: string) => Promise<{ from: number; texts: readonly string[] }> {
  return async (line) => {
    const { signal } = new AbortController();
    const { from, candidates } = await shell.complete(line, line.length, { signal });
    return { from, texts: candidates.map(({ text }) => text) };
  };
}

const nowhere = { write: () => Promise.resolve() };
