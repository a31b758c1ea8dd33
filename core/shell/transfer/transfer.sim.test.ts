/** send and receive between the shells of whole computers. */
import { beforeEach, describe, expect, test } from "vitest";
import { collector, ShellBench, TERMINAL } from "../../../test/sim/shell-bench.ts";
import { noise } from "../../../test/sim/transfer-lab.ts";
import { equal, text, utf8 } from "../../base/bytes.ts";

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
  await bench.company();
});

const allow = (): Promise<unknown> => bench.run("receive --allow first", { on: "second" });

describe("send", () => {
  test("brings files and directories of the tree and of the machine to /inbox", async () => {
    await allow();
    bench.files.set("photo.jpg", noise(700_000));
    bench.files.set("docs/a.txt", utf8("hello\n"));
    bench.files.set("docs/deep/b.txt", utf8("deep\n"));
    await bench.run("echo shared > /notes.txt");
    const { status, stdout } = await bench.run("send second photo.jpg /notes.txt");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^second \(\w{6}\) has it: 2 files, 700 kB in /);
    expect(await bench.run("send second docs")).toMatchObject({ status: 0, stderr: "" });
    const { stdout: listed } = await bench.run("find /inbox | sort", { on: "second" });
    expect(listed).toBe(
      "/inbox\n/inbox/first\n/inbox/first/docs\n/inbox/first/docs/a.txt\n/inbox/first/docs/deep\n" +
        "/inbox/first/docs/deep/b.txt\n/inbox/first/photo.jpg and 1 more\n" +
        "/inbox/first/photo.jpg and 1 more/notes.txt\n/inbox/first/photo.jpg and 1 more/photo.jpg\n",
    );
    expect((await bench.run("cat /inbox/first/docs/*.txt /inbox/first/*/notes.txt", { on: "second" })).stdout).toBe(
      "hello\nshared\n",
    );
    const out = collector();
    await bench.run("cat /inbox/first/*/photo.jpg", { on: "second", stdout: out });
    expect(equal(out.bytes(), noise(700_000))).toBe(true);
    expect(await bench.run("rm -r /inbox/first/docs; ls /inbox/first", { on: "second" })).toMatchObject({
      stdout: "photo.jpg and 1 more\n",
    });
  });

  test("says what is wrong", async () => {
    await allow();
    expect((await bench.run("send")).status).toBe(64);
    expect((await bench.run("send nobody x")).stderr).toContain("nobody here is called 'nobody'");
    expect((await bench.run("send second")).stderr).toContain("FILE is missing");
    expect((await bench.run("send second /no/such")).stderr).toContain("there is no /no/such");
    expect((await bench.run("send first x")).stderr).toContain("that is this node itself");
    expect((await bench.run("send second - x")).stderr).toContain("standard input is sent alone");
    await bench.run("receive --refuse first", { on: "second" });
    await bench.run("echo x > /x");
    expect(await bench.run("send second /x")).toMatchObject({
      status: 1,
      stderr: "send: second does not want anything from this node\n",
    });
    await bench.run("receive --ask first", { on: "second" });
    expect((await bench.run("receive --list", { on: "second" })).stdout).toBe("Nobody has sent anything yet.\n");
  });

  test("without a terminal it says once for whom it waits", async () => {
    await bench.run("echo x > /x");
    const { transfer } = bench.computer("second");
    for (const [line, event] of [
      ["send second /x", "second to accept it"],
      ["cat /x | send second -", "'receive' at second"],
    ] as const) {
      const sending = bench.start(line);
      await bench.world.runUntil(() => transfer.offers().length > 0, { withinMs: 60_000 });
      await bench.world.runFor(5_000);
      await bench.world.settle(transfer.accept(transfer.offers()[0]?.id ?? "", { remember: false }), {
        withinMs: 60_000,
      });
      expect(await bench.world.settle(sending, { withinMs: 60_000 })).toMatchObject({
        status: 0,
        stderr: `send: waiting for ${event}; nobody is at the screen there now\n`,
      });
    }
  });

  test("--json tells it to programs", async () => {
    await allow();
    await bench.run("echo x > /x");
    const { stdout } = await bench.run("send second /x --json");
    const { self } = bench.computer("second").net;
    expect(JSON.parse(stdout)).toMatchObject({ to: self, name: "second", files: 1, bytes: 2, resumedBytes: 0 });
    const listed = JSON.parse((await bench.run("receive --list --json", { on: "second" })).stdout) as object;
    expect(listed).toMatchObject({ offers: [], transfers: [{ state: "whole", title: "x", totalBytes: 2 }] });
  });
});

describe("receive", () => {
  test("makes a pipe of two shells, whoever comes first", async () => {
    const bytes = noise(3_000_000);
    const out = collector();
    const reading = bench.start("receive --from first | cat", { on: "second", stdout: out });
    await bench.world.runFor(1_000);
    expect(await bench.run("cat | send second -", { stdin: bytes })).toMatchObject({ status: 0 });
    expect(await bench.world.settle(reading, { withinMs: 60_000 })).toMatchObject({ status: 0, stderr: "" });
    expect(equal(out.bytes(), bytes)).toBe(true);
    // The node was named before, so nobody is asked. Its pipe waits for a reader all the same.
    const sending = bench.start("echo later | send second -");
    await bench.world.runFor(5_000);
    expect(await bench.run("receive | wc -c", { on: "second" })).toMatchObject({ stdout: "6\n" });
    expect(await bench.world.settle(sending, { withinMs: 60_000 })).toMatchObject({ status: 0 });
    expect(bench.computer("second").transfer.list()).toEqual([]);
  });

  test("gives a directory as a tar, and several at once in their order", async () => {
    await bench.run("mkdir /d; echo a > /d/a; echo b > /d/b");
    const sending = bench.start("send second /d");
    await bench.world.runFor(2_000);
    await bench.run("mkdir /got");
    await bench.run("receive -o - | put --unpack --tar - /got", { on: "second" });
    expect(await bench.world.settle(sending, { withinMs: 60_000 })).toMatchObject({ status: 0 });
    expect((await bench.run("cat /got/d/a /got/d/b", { on: "second" })).stdout).toBe("a\nb\n");
    expect(bench.computer("second").transfer.list()).toEqual([]);
  });

  test("-o lays it down on the machine, replaces nothing, and keeps to the directory", async () => {
    await bench.run("mkdir /d; echo a > /d/a; echo b > '/d/b c'");
    let sending = bench.start("send second /d");
    await bench.world.runFor(2_000);
    expect((await bench.run("receive -o here", { on: "second" })).stdout).toMatch(
      /^d, 4 B, from first \(\w+\), is in here\n$/,
    );
    expect(await bench.world.settle(sending, { withinMs: 60_000 })).toMatchObject({ status: 0 });
    expect(text(bench.files.get("here/d/b c") ?? utf8(""))).toBe("b\n");
    expect(bench.computer("second").transfer.list()).toEqual([]);
    await bench.run("echo other > /d/a");
    sending = bench.start("send second /d");
    await bench.world.runFor(2_000);
    const { status, stderr } = await bench.run("receive -o here", { on: "second" });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "receive: here/d is there already: what came is in /inbox; 'cp' copies it from there\n",
    });
    expect(text(bench.files.get("here/d/a") ?? utf8(""))).toBe("a\n");
    await bench.world.settle(sending, { withinMs: 60_000 });
    expect((await bench.run("cat /inbox/first/d/a", { on: "second" })).stdout).toBe("other\n");
  });

  test("Ctrl-C on either side ends both, with nothing half-written", async () => {
    bench.files.set("big", noise(8_000_000));
    for (const who of ["first", "second"] as const) {
      const stops = { first: new AbortController(), second: new AbortController() };
      const reading = bench.start("receive -o got", { on: "second", signal: stops.second.signal });
      await bench.world.runFor(500);
      const sending = bench.start("send second big", { signal: stops.first.signal });
      const { transfer } = bench.computer("second");
      await bench.world.runUntil(() => (transfer.list()[0]?.doneBytes ?? 0) > 0, { withinMs: 60_000, everyMs: 1 });
      stops[who].abort();
      const ended = await bench.world.settle(Promise.all([sending, reading]), { withinMs: 60_000 });
      expect(ended.map(({ status }) => status)).toEqual([130, 130]);
      await bench.world.runFor(2_000);
      expect([...bench.files.keys()].filter((path) => path.startsWith("got"))).toEqual([]);
      expect(transfer.list()).toEqual([]);
    }
  });

  test("on a terminal both ends show how far it is, how fast, and how long it takes", async () => {
    bench.files.set("big", noise(20_000_000));
    const terminal = { ...TERMINAL, colours: false };
    const reading = bench.start("receive", { on: "second", terminal });
    await bench.world.runFor(500);
    const sent = await bench.run("send second big", { terminal });
    const read = await bench.world.settle(reading, { withinMs: 60_000 });
    for (const { stderr } of [sent, read]) expect(stderr).toMatch(/MB of 20\.0 MB, [\d.]+ [kM]B\/s, [\d.]+ s left/);
    expect(read.stdout).toMatch(/^big, 20\.0 MB, from first \(\w+\), is in \/inbox\n$/);
  });

  test("shows what comes in already, and leaves it when it is stopped", async () => {
    await allow();
    bench.files.set("big", noise(20_000_000));
    const terminal = { ...TERMINAL, colours: false };
    const sending = bench.start("send second big");
    const { transfer } = bench.computer("second");
    await bench.world.runUntil(() => (transfer.list()[0]?.doneBytes ?? 0) > 0, { withinMs: 60_000, everyMs: 1 });
    const stop = new AbortController();
    const looking = bench.start("receive", { on: "second", terminal, signal: stop.signal });
    await bench.world.runFor(20);
    stop.abort();
    expect(await bench.world.settle(looking, { withinMs: 60_000 })).toMatchObject({ status: 130 });
    expect(transfer.list()).toMatchObject([{ title: "big", state: "receiving" }]);
    const read = await bench.run("receive --from first", { on: "second", terminal });
    expect(read.stderr).toMatch(/MB of 20\.0 MB, [\d.]+ [kM]B\/s, [\d.]+ s left/);
    expect(read.stdout).toMatch(/^big, 20\.0 MB, from first \(\w+\), is in \/inbox\n$/);
    expect(await bench.world.settle(sending, { withinMs: 60_000 })).toMatchObject({ status: 0 });
  });
});
