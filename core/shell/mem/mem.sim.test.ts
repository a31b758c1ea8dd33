/** `mem` on whole computers in a simulated world: what is written on one is read on another. */
import { beforeEach, describe, expect, test } from "vitest";
import { memoryHost } from "../../../test/fixtures/host.ts";
import { collector, ShellBench, TERMINAL, type RunOptions } from "../../../test/sim/shell-bench.ts";
import { sleep } from "../../ports/clock.ts";
import { createShell } from "../shell.ts";
import { mem } from "../commands/mem.ts";
import { widthOf, withoutColours } from "../width.ts";

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
});

async function runs(line: string, options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await bench.run(line, options);
  expect([line, status, stderr]).toEqual([line, 0, ""]);
  return stdout;
}

/** Waits until a key has this value on a node. */
async function arrives(key: string, value: unknown, on: string): Promise<void> {
  const { memory } = bench.computer(on);
  await bench.world.runUntil(() => memory.get(key) === value, { withinMs: 10_000, what: `${key} is on ${on}` });
}

describe("set and get", () => {
  test("what one node sets all others get", async () => {
    await bench.company();
    expect(await runs("mem set hello 'dear world'")).toBe("");
    await arrives("hello", "dear world", "third");
    expect(await runs("mem get hello", { on: "third" })).toBe("dear world\n");
    await runs("mem set hello again", { on: "second" });
    await arrives("hello", "again", "first");
  });

  test("values of every kind come back as they went in", async () => {
    const { memory } = bench.computer("first");
    await runs("mem set n 5");
    expect(memory.get("n")).toBe("5");
    await runs("mem set n 5 --json");
    expect([memory.get("n"), await runs("mem get n"), await runs("mem get n --json")]).toEqual([5, "5\n", "5\n"]);
    await runs(`mem set o '{"a": [1, null, "x"]}' --json`);
    expect(memory.get("o")).toEqual({ a: [1, null, "x"] });
    expect(await runs("mem get o")).toBe('{"a":[1,null,"x"]}\n');
    await runs("mem set minus -5");
    await runs("mem set dash '\"-\"' --json");
    expect([memory.get("minus"), memory.get("dash")]).toEqual(["-5", "-"]);
    expect(await runs("mem get minus --json")).toBe('"-5"\n');
    await runs("mem set -- --key --value");
    expect(await runs("mem get -- --key")).toBe("--value\n");
  });

  test("JSON that would change is refused, and nothing is written", async () => {
    for (const json of [
      "9007199254740993",
      "1e400",
      "-0",
      '"\\ud800"',
      '{"a": 1, "a": 2}',
      "[".repeat(65) + "]".repeat(65),
    ]) {
      const { status, stderr } = await bench.run(`mem set exact '${json}' --json`);
      expect([json, status, stderr]).toEqual([json, 64, expect.stringContaining("can't be kept as it is")]);
    }
    const { status, stderr } = await bench.run("mem set exact - --json", { stdin: Uint8Array.of(0x22, 0xff, 0x22) });
    expect([status, stderr]).toEqual([64, expect.stringContaining("not UTF-8")]);
    expect(bench.computer("first").memory.get("exact")).toBeUndefined();
    await runs("mem set exact 9007199254740992 --json");
    expect(await runs("mem get exact --json")).toBe("9007199254740992\n");
  });

  test("standard input is stored to the byte: text where it is UTF-8, else bytes, or JSON", async () => {
    await runs("mem set poem -", { stdin: "tyger\ntyger\n" });
    expect(bench.computer("first").memory.get("poem")).toBe("tyger\ntyger\n");
    expect(await runs("mem get poem")).toBe("tyger\ntyger\n");
    const bytes = Uint8Array.of(0, 255, 10, 254);
    await runs("mem set raw -", { stdin: bytes });
    const stdout = collector();
    await bench.run("mem get raw", { stdout });
    expect(stdout.bytes()).toEqual(bytes);
    expect(await runs("mem get raw", { terminal: TERMINAL })).toMatch(/^4 B of binary data\./);
    expect(await runs("mem get raw --json")).toBe('{"base64":"AP8K/g=="}\n');
    await runs("mem set list - --json", { stdin: "[1,\n2]" });
    expect(bench.computer("first").memory.get("list")).toEqual([1, 2]);
    await runs("echo piped | mem set piped -; mem get piped | mem set copy -");
    expect(bench.computer("first").memory.get("copy")).toBe("piped\n");
  });

  test("nothing that somebody stored takes over the terminal", async () => {
    bench.computer("first").memory.set("evil\x1b[2J", "\x1b]52;c;AAAA\x07");
    expect(await runs("mem get 'evil\x1b[2J'")).toBe("\x1b]52;c;AAAA\x07\n");
    expect(await runs("mem get 'evil\x1b[2J'", { terminal: TERMINAL })).toBe("␛]52;c;AAAA␇\n");
    expect(withoutColours(await runs("mem ls", { terminal: TERMINAL }))).not.toContain("\x1b");
    const { stderr } = await bench.run("mem get evil", { terminal: TERMINAL });
    expect(stderr).not.toContain("\x1b");
  });

  test("--for lets it expire everywhere", async () => {
    await bench.company();
    await runs("mem set lunch noodles --for 90s");
    await arrives("lunch", "noodles", "second");
    await bench.world.settle(sleep(bench.computer("first").clock, 80_000), { withinMs: 90_000 });
    expect(await runs("mem get lunch", { on: "second" })).toBe("noodles\n");
    await arrives("lunch", undefined, "second");
    await arrives("lunch", undefined, "first");
    expect(await bench.run("mem get lunch")).toMatchObject({ status: 1 });
  });

  test("--sync waits and says what it waited for", async () => {
    expect(await runs("mem set a 1 --sync")).toBe("Acknowledged: this node holds it, the only one that is awake.\n");
    await bench.company();
    expect(await runs("mem set a 2 --sync")).toBe("Acknowledged: more than half of 3 members hold it.\n");
    const holders = [...bench.computers.values()].filter(({ memory }) => memory.get("a") === "2");
    expect(holders.length).toBeGreaterThanOrEqual(2);
  });
});

describe("ls", () => {
  test("shows key, writer, age, end and a line of each value", async () => {
    await bench.company();
    await runs("mem set b/2 'two\nlines'", { on: "second" });
    await arrives("b/2", "two\nlines", "first");
    await bench.world.settle(sleep(bench.computer("first").clock, 65_000), { withinMs: 70_000 });
    await runs("mem set b/1 one --for 10m; mem set a x");
    expect(await runs("mem ls b/")).toMatch(
      /^b\/1 {2}★ first {3}\d s {4}in +\d+ min {2}one\nb\/2 {2}● second {2}1 min {10,}two⏎lines\n$/,
    );
    const shown = withoutColours(await runs("mem ls", { terminal: TERMINAL }));
    expect(shown).toMatch(/^key {2}by {8,}age +expires +value\na .*\nb\/1 .*\nb\/2 .*\n3 keys\.\n$/);
    expect(await runs("mem ls c")).toBe("");
    expect(withoutColours(await runs("mem ls c", { terminal: TERMINAL }))).toBe("No key begins with 'c'.\n");
  });

  test("fits any terminal", async () => {
    const { memory } = bench.computer("first");
    memory.set("k".repeat(500), "v".repeat(5000), { expiresInMs: 60_000 });
    memory.set("漢字".repeat(40), { 漢字: "漢字".repeat(400) });
    for (const columns of [20, 47, 80, 200]) {
      const lines = withoutColours(await runs("mem ls", { terminal: { ...TERMINAL, columns } }))
        .trimEnd()
        .split("\n");
      expect(lines).toHaveLength(4);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
    }
    const [whole = ""] = (await runs("mem ls k")).split("\n");
    expect(whole.startsWith("k".repeat(500))).toBe(true);
    expect(whole.endsWith("v".repeat(5000))).toBe(true);
  });

  test("--json has everything, for none, some and thousands", async () => {
    expect(await runs("mem ls --json")).toBe("[]\n");
    const { memory, net } = bench.computer("first");
    const { stamp, writer } = memory.set("a", { n: 1 }, { expiresInMs: 60_000 });
    const writtenAtMs = Math.floor(stamp / 2048);
    expect(JSON.parse(await runs("mem ls --json"))).toEqual([
      {
        key: "a",
        value: { n: 1 },
        by: "first",
        peer: net.self,
        writtenAtMs,
        expiresAtMs: memory.entry("a")?.expiresAtMs,
        version: { stamp, writer },
      },
    ]);
    expect(writtenAtMs).toBeLessThanOrEqual(memory.now());
    for (let i = 0; i < 1_200; i++) memory.set(`n/${i}`, i);
    const rows = JSON.parse(await runs("mem ls n/ --json")) as { key: string; value: number }[];
    expect(rows.map(({ value }) => value).sort((a, b) => a - b)).toEqual(Array.from({ length: 1_200 }, (_, i) => i));
    expect((await runs("mem ls n/")).trimEnd().split("\n")).toHaveLength(1_200);
  });

  test("an empty memory teaches", async () => {
    expect(await runs("mem ls", { terminal: TERMINAL })).toContain("'mem set hello world'");
  });
});

describe("rm", () => {
  test("deletes several, and says which were not there", async () => {
    await bench.company();
    await runs("mem set alpha 1; mem set beta 2; mem set gamma 3");
    await arrives("gamma", "3", "second");
    expect(await bench.run("mem rm alpha xyz beta alpha", { on: "second" })).toEqual({
      status: 1,
      stdout: "",
      stderr: "mem: there is no key 'xyz'; 'mem ls' lists the keys\n",
    });
    await arrives("alpha", undefined, "first");
    await arrives("beta", undefined, "first");
    expect(await runs("mem ls")).toMatch(/^gamma .*\n$/);
  });
});

/** Waits until a line that was started runs. */
function begins(): Promise<unknown> {
  return bench.world.settle(sleep(bench.computer("first").clock, 20), { withinMs: 1_000 });
}

describe("watch", () => {
  test("prints changes of its keys as they come, until Ctrl-C", async () => {
    await bench.company();
    const stop = new AbortController();
    const stdout = collector();
    const watching = bench.start("mem watch a/", { signal: stop.signal, stdout });
    await begins();
    const shows = (what: string): Promise<unknown> =>
      bench.world.runUntil(() => stdout.text().includes(what), { withinMs: 10_000, what: `'${what}' is shown` });
    await runs("mem set a/1 one; mem set b no");
    await shows("a/1 = one  ★ first\n");
    await runs("mem set a/2 two --for 10m", { on: "second" });
    await shows("a/2 = two  ● second  for ");
    const third = bench.computer("third").memory;
    await bench.world.runUntil(() => third.get("a/1") === "one", { withinMs: 10_000, what: "the third has it" });
    await runs("mem rm a/1", { on: "third" });
    await shows("a/1 is gone\n");
    stop.abort();
    const { status } = await bench.world.settle(watching, { withinMs: 1_000 });
    expect([status, stdout.text().split("\n").length]).toEqual([130, 4]);
    await runs("mem set a/3 late");
    expect(stdout.text()).not.toContain("late");
  });

  test("as JSON, one object a line", async () => {
    const stop = new AbortController();
    const stdout = collector();
    const watching = bench.start("mem watch --json", { signal: stop.signal, stdout });
    await runs("mem set a '[1]' --json; mem rm a");
    await bench.world.runUntil(() => stdout.text().split("\n").length > 2, { withinMs: 1_000, what: "two lines" });
    stop.abort();
    await bench.world.settle(watching, { withinMs: 1_000 });
    const [set, gone] = stdout
      .text()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(set).toMatchObject({ key: "a", value: [1], by: "first", peer: bench.computer("first").net.self });
    expect(gone).toEqual({ key: "a", gone: true, isLocal: true });
  });

  test("fits the terminal, and says that it is there", async () => {
    const stop = new AbortController();
    const stdout = collector();
    const terminal = { ...TERMINAL, columns: 47 };
    const watching = bench.start("mem watch", { signal: stop.signal, stdout, terminal });
    await runs(`mem set ${"k".repeat(100)} ${"v".repeat(1000)} --for 2h`);
    await bench.world.runUntil(() => stdout.text() !== "", { withinMs: 1_000, what: "the change" });
    stop.abort();
    const { stderr } = await bench.world.settle(watching, { withinMs: 1_000 });
    expect(stderr).toContain("Watching 0 keys");
    expect(widthOf(withoutColours(stdout.text().trimEnd()))).toBeLessThanOrEqual(47);
  });

  test("a reader that falls behind costs bounded memory and is told what it missed", async () => {
    const stop = new AbortController();
    const { promise: room, resolve: makeRoom } = Promise.withResolvers<undefined>();
    const all = collector();
    const stdout = { ...all, write: (bytes: Uint8Array) => room.then(() => all.write(bytes)) };
    const watching = bench.start("mem watch --json", { signal: stop.signal, stdout });
    await begins();
    const { memory } = bench.computer("first");
    for (let i = 0; i < 300; i++) memory.set("big", `${i} ${"x".repeat(10_000)}`);
    await bench.world.settle(sleep(bench.computer("first").clock, 10), { withinMs: 100 });
    for (let i = 300; i < 600; i++) memory.set("big", `${i} ${"x".repeat(10_000)}`);
    makeRoom(undefined);
    await bench.world.runUntil(() => all.text().includes('"599 x'), { withinMs: 1_000, what: "the newest is shown" });
    stop.abort();
    const { stderr } = await bench.world.settle(watching, { withinMs: 1_000 });
    const missed = Array.from(stderr.matchAll(/mem: (\d+) changes came too fast/g), ([, n]) => Number(n));
    expect(missed.reduce((sum, n) => sum + n, 0) + all.text().trimEnd().split("\n").length).toBe(600);
    expect(missed.length).toBeGreaterThan(0);
  });

  test("ends when nobody reads it any more", async () => {
    const watching = bench.start("mem watch | whoami");
    // The first write may still find its reader.
    await runs("mem set a 1");
    await runs("mem set a 2");
    expect(await bench.world.settle(watching, { withinMs: 1_000 })).toMatchObject({ status: 0 });
  });
});

test("stat tells how much there is and how well the nodes agree", async () => {
  await runs("mem set a 1; mem set b 2; mem rm b");
  const shown = await runs("mem stat");
  expect(shown).toMatch(/^entries +1\ntombstones +1 .*, deleted .*\nbytes +\d+ B of .*%\)\nkept +in RAM only/);
  expect(shown).toMatch(
    /fingerprint +[0-9a-f]{16}, .*\nreconciled .*\ndivergence .*\nquarantined +none\nrefused +none\n$/,
  );
  expect(JSON.parse(await runs("mem stat --json"))).toEqual(bench.computer("first").memory.stat());
});

describe("faults", () => {
  test.each([
    ["mem", 64, "say what to do: set, get, ls, rm, watch, stat"],
    ["mem gte x", 64, "did you mean 'mem get'?"],
    ["mem frobnicate", 64, "it can set, get"],
    ["mem set", 64, "KEY is missing"],
    ["mem set a", 64, "VALUE is missing"],
    ["mem set a b c", 64, "quote a value that holds blanks"],
    ["mem set a b --for 10", 64, "--for must be a time like 90s"],
    ["mem set a {b --json", 64, "the value is not JSON"],
    ["mem set a b --snyc", 64, "did you mean --sync?"],
    ["mem get", 64, "KEY is missing"],
    ["mem get a b", 64, "one word too many"],
    ["mem ls a b", 64, "one word too many"],
    ["mem rm", 64, "KEY is missing"],
    ["mem watch a b", 64, "one word too many"],
    ["mem stat a", 64, "one word too many"],
    ["mem get hullo", 1, "did you mean 'hello'?"],
    ["mem get xyz", 1, "'mem ls' lists"],
  ])("%s: %i, %s", async (line, status, why) => {
    await runs("mem set hello world");
    expect(await bench.run(line)).toMatchObject({ status, stdout: "", stderr: expect.stringContaining(why) });
  });

  test("keys and values have a largest size, and standard input is read no further", async () => {
    const refused = (limit: string): object => ({ status: 1, stderr: expect.stringContaining(limit) });
    expect(await bench.run(`mem set ${"k".repeat(1025)} v`)).toMatchObject(refused("1024 bytes"));
    expect(await bench.run(`mem set k ${"é".repeat(40_000)}`)).toMatchObject(refused("64 KiB"));
    expect(await bench.run("mem set k -", { stdin: "x".repeat(65_537) })).toMatchObject(refused("64 KiB"));
    expect(await runs("mem ls")).toBe("");
  });
});

test("every example works as it is pasted", async () => {
  const examples = mem.help.split("\n").filter((line) => /^ {2}\S/.test(line));
  expect(examples.length).toBeGreaterThan(4);
  for (const example of examples) await runs(example.trim());
  expect(await runs("mem get note")).toBe("as long as you like\n");
});

test("completes verbs, keys, options and times", async () => {
  await runs("mem set apple 1; mem set apricot 2; mem set 'big pear' 3");
  const shell = createShell(bench.computer("first"), memoryHost(new Map()));
  const { signal } = new AbortController();
  const candidates = async (line: string): Promise<readonly string[]> =>
    (await shell.complete(line, line.length, { signal })).candidates.map(({ text }) => text);
  expect(await candidates("mem ")).toEqual(["get", "ls", "rm", "set", "stat", "watch"]);
  expect(await candidates("mem get ap")).toEqual(["apple", "apricot"]);
  expect(await candidates("mem get apple a")).toEqual([]);
  expect(await candidates("mem rm apple b")).toEqual(["big pear"]);
  expect(await candidates("mem set apple ")).toEqual([]);
  expect(await candidates("mem set --f")).toEqual(["--for"]);
  expect(await candidates("mem set --for 10m a")).toEqual(["apple", "apricot"]);
  expect(await candidates("mem set a b --for 1")).toEqual(["10m", "1d"]);
  expect(await candidates("mem stat a")).toEqual([]);
  expect(await candidates("mem nope a")).toEqual([]);
});
