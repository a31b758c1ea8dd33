/** send --code between a shell and somebody who is no member. */
import { beforeEach, expect, test } from "vitest";
import { collecting, otherWords, StrangerSocket } from "../../../test/sim/code-lab.ts";
import { collector, ShellBench, TERMINAL } from "../../../test/sim/shell-bench.ts";
import { noise } from "../../../test/sim/transfer-lab.ts";
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { sleep } from "../../ports/clock.ts";
import { fetchByCode } from "../../io/codes/fetching.ts";
import { parseCode } from "../../io/codes/words.ts";

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  const { codes } = await bench.up("first");
  (await codes()).openDesk();
});

/** What somebody with this code gets. Rejects with the reason if they get nothing. */
async function fetch(code: string, pauseMs = 0): Promise<Map<string, Uint8Array | "folder">> {
  const { clock, crypto, random, coder } = bench.world.node("first").ports;
  const codes = await bench.computer("first").codes();
  const connect = async (): Promise<StrangerSocket> => {
    const [near, far] = StrangerSocket.pair(clock);
    codes.stranger(far, "10.0.0.1");
    return near;
  };
  const { signal } = new AbortController();
  const found = await fetchByCode(parseCode(code), { clock, crypto, random, coder, connect }, signal);
  const { files, consume } = collecting(() => sleep(clock, pauseMs));
  await found.take(consume, { signal });
  return files;
}

const settle = <T>(promise: Promise<T>): Promise<T> => bench.world.settle(promise, { withinMs: 2 * 3_600_000 });

async function codeIn(out: { text(): string }): Promise<string> {
  await bench.world.runUntil(() => out.text().includes("nothing else"), { withinMs: 10_000, what: "there is a code" });
  return out.text().split("\n")[0] ?? "";
}

test("files, a directory and standard input, each with a code and a link, until they were fetched", async () => {
  bench.files.set("photo.jpg", noise(300_000));
  bench.files.set("docs/a.txt", utf8("hello\n"));
  for (const [line, names] of [
    ["send --code photo.jpg", ["photo.jpg"]],
    ["send --code docs", ["docs", "docs/a.txt"]],
    ["echo hello | send --code -", ["stdin"]],
  ] as const) {
    const out = collector();
    const sending = bench.start(line, { stdout: out });
    const code = await codeIn(out);
    expect(out.text().split("\n")[1]).toBe(`https://example.org/#code=${code}`);
    expect(out.text()).toContain("or types the words at https://example.org/, gets it once");
    const files = await settle(fetch(code));
    expect([...files.keys()]).toEqual(names);
    expect(await settle(sending)).toMatchObject({ status: 0, stderr: "" });
    expect(out.text()).toMatch(/It was fetched: [\d.]+ k?B in .*\. The code is no longer valid\.\n$/);
  }
});

test("the terminal says who waits, wrong guesses and bytes; the third wrong guess ends it", async () => {
  bench.files.set("big", noise(20_000_000));
  const terminal = { ...TERMINAL, colours: false };
  let out = collector();
  let sending = bench.start("send --code big", { stdout: out, terminal });
  let code = await codeIn(out);
  expect((await settle(fetch(otherWords(code)).catch((error: StarfishError) => error.code))) as string).toBe("refused");
  // About 5 MB/s.
  await settle(fetch(code, 50));
  const { stderr } = await settle(sending);
  expect(stderr).toMatch(/waiting for somebody with the code; valid for another 1 h 0 min/);
  expect(stderr).toContain("send: somebody tried wrong words: 1 of 3\n");
  expect(stderr).toMatch(/MB of 20\.0 MB, [\d.]+ [kM]B\/s, [\d.]+ s left/);
  out = collector();
  sending = bench.start("send --code big", { stdout: out, terminal });
  code = await codeIn(out);
  for (let i = 0; i < 3; i++) await settle(fetch(otherWords(code)).catch(() => undefined));
  const ended = await settle(sending);
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain("send: 3 wrong guesses: the code is no longer valid, and nobody has got anything");
});

test("Ctrl-C ends it, and so does the hour", async () => {
  await bench.run("echo x > /x");
  const stop = new AbortController();
  let out = collector();
  const stopped = bench.start("send --code /x", { stdout: out, signal: stop.signal });
  const code = await codeIn(out);
  stop.abort();
  expect((await settle(stopped)).status).toBe(130);
  const refused = await settle(fetch(code).catch((error: StarfishError) => error.message));
  expect(refused).toContain("has taken it back");
  out = collector();
  const expired = await settle(bench.start("send --code /x", { stdout: out }));
  expect(expired).toMatchObject({ status: 1, stderr: expect.stringContaining("The hour is over") });
});

test("ends with the command, also where what it says can't be written", async () => {
  await bench.run("echo x > /x");
  expect((await settle(bench.start("send --code /x > /dev/full"))).status).toBe(1);
  await bench.world.runFor(1_000);
  expect(await settle(fetch("1-able-acorn-acorn").catch((error: StarfishError) => error.code))).toBe("closed");
  const ran = await settle(bench.start("send --code /x | head -n 1"));
  expect(await settle(fetch(ran.stdout.trim()).catch((error: StarfishError) => error.code))).toBe("closed");
});

test("--json tells programs, and what is wrong is said", async () => {
  await bench.run("echo x > /x");
  const out = collector();
  const sending = bench.start("send --code /x --json", { stdout: out });
  await bench.world.runUntil(() => out.text().includes("\n"), { withinMs: 10_000 });
  const opened = JSON.parse(out.text()) as { code: string; link: string };
  expect(opened).toMatchObject({ files: 1, bytes: 2, link: `https://example.org/#code=${opened.code}` });
  await settle(fetch(opened.code));
  await settle(sending);
  expect(JSON.parse(out.text().split("\n")[1] ?? "")).toMatchObject({ fetched: true, bytes: 2, wrong: 0 });
  expect((await bench.run("send --code")).stderr).toContain("FILE is missing");
  expect((await bench.run("send --code /no/such")).stderr).toContain("there is no /no/such");
  await bench.up("second", { invite: bench.computer("first").net.invite() });
  expect(await bench.run("echo x | send --code -", { on: "second" })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("No node of this swarm serves this page"),
  });
});
