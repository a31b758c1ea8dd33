/**
 * Wrong input to the shell's own commands: each says what happened and what to do, with the right status, and ends.
 * test/conformance compares the language and the utilities with bash's and GNU's.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { collector, ShellBench } from "../../test/sim/shell-bench.ts";
import { utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";

const USAGE = 64;
const FAILED = 1;
const INTERRUPTED = 130;
/** An interrupt is answered within this, virtual time. */
const ANSWER_MS = 100;

let bench: ShellBench;

beforeAll(async () => {
  bench = new ShellBench();
  await bench.up("first");
  await bench.company();
  bench.files.set("host.txt", utf8("hello"));
  expect((await bench.run("mkdir /dir; echo hi > /dir/inner; echo hello > /file; mem set key value")).status).toBe(0);
});

type Case = readonly [line: string, says: RegExp | string];

/** Words that are missing, too many, unknown, empty or absurd. */
const WRONG: readonly Case[] = [
  ["put", "HOSTPATH is missing; '-' is standard input"],
  ["put --bogus x", "there is no option --bogus"],
  ["put - ", "standard input has no name: say where it goes"],
  ["put host.txt a b", "several files go into a directory: end '/b' with a slash"],
  ["put host.txt ''", "a path is empty"],
  ["put '' /x", "HOSTPATH is missing"],
  ["put --unpack", "HOSTPATH is missing"],
  ["put --unpack host.txt", "does not tell the format: add --car, --tar or --zip"],
  ["put --unpack a b c", "'c' is one word too many"],
  ["put --zip host.txt", "--zip needs --unpack"],
  ["get", "PATH is missing"],
  ["get ''", "a path is empty"],
  ["get /file x y", "'y' is one word too many"],
  ["get --tar", "PATH is missing"],
  ["get --tar ''", "a path is empty"],
  ["get --zip /dir a b", "'b' is one word too many"],
  ["get --tar --zip /dir", "give only one of --tar, --zip and --car"],
  ["mem", "say what to do: set, get, ls, rm, watch, stat"],
  ["mem bogus", "there is no 'mem bogus'; it can set, get"],
  ["mem set", "KEY is missing"],
  ["mem set k", "VALUE is missing; '-' takes it from standard input"],
  ["mem set '' v", "KEY is missing"],
  ["mem set k two words", "'words' is one word too many; quote a value"],
  ["mem set --json k '{'", "the value is not JSON"],
  ["mem set --json k 1e999", "1e999 is too large a number"],
  ["mem set k v --for", "--for needs a value"],
  ["mem set k v --for soon", "--for must be a time like 90s, 10m, 2h or 1d, not 'soon'"],
  ["mem set k v --for -5s", "--for must be a time"],
  ["mem set k v --for 99999999999d", "--for must be a time"],
  ["mem get", "KEY is missing"],
  ["mem get a b", "'b' is one word too many"],
  ["mem rm", "KEY is missing"],
  ["mem ls a b", "'b' is one word too many"],
  ["mem watch a b", "'b' is one word too many"],
  ["mem stat x", "'x' is one word too many"],
  ["map", "there is nothing to run: a task, a language with a function, or a file"],
  ["map bogus", "there is no task 'bogus'; there are js, ts, python, primes"],
  ["map primes", "--range is missing, like --range 0..20000000"],
  ["map primes --range 5..1", "--range must be LO..HI"],
  ["map primes --range 0..99999999999999999999999", "--range must be LO..HI"],
  ["map primes --range 0..9 --chunks 0", "--chunks must be a whole number from 1 to 100000, not '0'"],
  ["map primes --range 0..9 --chunks 1e9", "--chunks must be a whole number"],
  ["map primes --range 0..9 extra", "'extra' is one word too many"],
  ["map primes --range 0..9 -x", "there is no option -x"],
  ["map js", "the function is missing, like map js 'x => x.length'"],
  ["map mandelbrot --size 0x0", "--size must be WIDTHxHEIGHT"],
  ["map grep", "PATTERN is missing, like map grep error"],
  ["peers x", "'x' is one word too many"],
  ["peers -z", "there is no option -z"],
  ["ping", "PEER is missing"],
  ["ping second third", "'third' is one word too many"],
  ["ping second --count 0", "--count must be a whole number from 1 to 10000, not '0'"],
  ["ping second --count 1e99", "--count must be a whole number"],
  ["ping first", "that is this node itself"],
  ["df /nosuch", "'/nosuch' is one word too many"],
  ["df -z", "there is no option -z"],
  ["stat", "PATH is missing"],
  ["stat ''", "a path is empty"],
  ["stat --bogus /file", "unrecognized option '--bogus'"],
  ["keep", "PATH is missing"],
  ["keep ''", "a path is empty"],
  ["keep --bogus /file", "there is no option --bogus"],
  ["restore", "PATH is missing"],
  ["restore ''", "a path is empty"],
  ["versions", "PATH is missing"],
  ["versions ''", "a path is empty"],
  ["versions /file /dir", "'/dir' is one word too many"],
  ["invite x", "'x' is one word too many"],
  ["name", "NEWNAME is missing"],
  ["name a b", "'b' is one word too many"],
  ["name ''", "NEWNAME must be 1 to 32 letters, digits"],
  [`name ${"a".repeat(100)}`, "NEWNAME must be 1 to 32 letters"],
  ["whoami x", "'x' is one word too many"],
  ["job a b", "'b' is one word too many"],
  ["ps -z", "there is no option -z"],
  ["top x", "'x' is one word too many"],
  ["cancel --bogus", "there is no option --bogus"],
  ["clear x", "'x' is one word too many"],
  ["help --bogus", "there is no option --bogus"],
  ["allow --bogus", "there is no option --bogus"],
];

/** Names of things that do not exist, or are of another kind. */
const ABSENT: readonly Case[] = [
  ["put nosuch /a", "there is no nosuch here"],
  ["put host.txt /file/under", "/file is a file, no directory"],
  ["get /nosuch", "there is no /nosuch"],
  ["mem get nosuch", "there is no key 'nosuch'; 'mem ls' lists the keys"],
  ["mem rm nosuch", "there is no key 'nosuch'"],
  ["map ./nosuch.wasm", "there is no ./nosuch.wasm here"],
  ["map /dir", "/dir is a directory"],
  ["map /file", "/file is no program: it has to be a WebAssembly module, or a script whose name ends with .js"],
  ["map primes --range 0..9 --on nobody", "nobody here is called 'nobody'; 'peers' lists who is here"],
  ["map js 'x =>' --range 0..2", "SyntaxError"],
  ["ping nobody", "nobody here is called 'nobody'; 'peers' lists who is here"],
  ["stat /nosuch", "cannot stat '/nosuch': No such file or directory"],
  ["keep /nosuch", "there is no /nosuch"],
  ["restore /nosuch", "there is no earlier version of /nosuch"],
  ["restore /file nonsense", "there is no version nonsense of /file"],
  ["versions /nosuch", "there is no /nosuch, nor is an earlier version of it kept"],
  ["versions /dir", "/dir is a directory: files have versions"],
  ["job nosuch", "there is no job 'nosuch'"],
  ["cancel nosuch", "there is no job 'nosuch'"],
  ["wait nosuch", "not a pid or valid job spec"],
  ["kill nosuch", "arguments must be process or job IDs"],
  ["less /nosuch", "/nosuch: No such file or directory"],
  ["less /dir", "/dir: Is a directory"],
  ["edit", "FILE is missing"],
  ["edit a b", "'b' is one word too many"],
  ["watch", "COMMAND is missing"],
  ["watch -n 1e99 ls", "the interval must be 0.1 to 86400 seconds"],
  ["help a", /there is no command 'a'$/m],
  ["allow nobody", "nobody here is called 'nobody'"],
];

/** Commands that wait, and commands that write much: an interrupt ends each. */
const WAITING: readonly string[] = [
  "put - /from-stdin",
  "mem set key -",
  "mem watch",
  "map wordcount",
  "ping second --count 10000",
  "tail -f /file",
];

describe("says what is wrong with", () => {
  test.each(WRONG)("%s", async (line, says) => {
    const { status, stdout, stderr } = await bench.run(line);
    expect([status, stdout]).toEqual([USAGE, ""]);
    const [name = ""] = line.split(" ");
    expect(stderr).toMatch(new RegExp(`^${name}: `));
    expect(stderr).toMatch(says);
    expect(stderr).toContain(`Try '${name} --help'.`);
  });

  test.each(ABSENT)("%s", async (line, says) => {
    const { status, stdout, stderr } = await bench.run(line);
    expect([status, stdout]).toEqual([FAILED, ""]);
    expect(stderr).toMatch(says);
  });
});

test.each(WAITING)("an interrupt ends '%s'", async (line) => {
  const stop = new AbortController();
  const { world } = bench;
  const stdin = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const running = bench.start(line, { signal: stop.signal, stdin });
  await world.runFor(2_000);
  stop.abort(new StarfishError("cancelled", "Ctrl-C"));
  expect((await world.settle(running, { withinMs: ANSWER_MS })).status).toBe(INTERRUPTED);
});

test.each([
  "peers",
  "mem ls",
  "mem watch",
  "ps",
  "df",
  "stat /file",
  "help",
  "history",
  "versions /file",
  "map js 'x => x' --range 0..1000",
])("who stops reading '%s' hears no complaint", async (line) => {
  const stdout = collector();
  const running = bench.start(`${line} | true; mem set read/${line.length} 1`, { stdout });
  // `watch` writes when something changes.
  await bench.world.runFor(1_000);
  await bench.run("mem set changed 1; mem set changed 2");
  expect(await bench.world.settle(running, { withinMs: 60_000 })).toMatchObject({ status: 0, stdout: "", stderr: "" });
});
