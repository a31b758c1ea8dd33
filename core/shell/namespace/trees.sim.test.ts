/** The trees of whole computers in a simulated world: what one node does, another sees. */
import { beforeEach, describe, expect, test } from "vitest";
import { memoryHost } from "../../../test/fixtures/host.ts";
import { moduleOf, ShellBench, TERMINAL, collector } from "../../../test/sim/shell-bench.ts";
import { utf8 } from "../../base/bytes.ts";
import type { Answer, Delivery, Person } from "../../io/devices/types.ts";
import { ASK_MS } from "../../io/devices/limits.ts";
import { createShell } from "../shell.ts";
import { shortId } from "../who.ts";

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
});

async function sees(on: string, line: string, what: string): Promise<void> {
  for (let i = 0; i < 50; i++) {
    if ((await bench.run(line, { on })).stdout.includes(what)) return;
    await bench.world.runFor(200);
  }
  throw new Error(`${on} does not see ${what} by ${line}`);
}

describe("/mem", () => {
  test("what one writes another reads, as it was written", async () => {
    await bench.company();
    expect(await bench.run("echo x > /mem/k")).toEqual({ status: 0, stdout: "", stderr: "" });
    await sees("second", "cat /mem/k", "x\n");
    await bench.run("echo y >> /mem/k", { on: "second" });
    await sees("first", "cat /mem/k", "x\ny\n");
    await bench.run("rm /mem/k");
    expect((await bench.run("cat /mem/k")).stderr).toBe("cat: /mem/k: No such file or directory\n");
    expect((await bench.run("mem get k")).status).toBe(1);
  });

  test("grep -r looks through all values, which are text, JSON or bytes", async () => {
    await bench.run(
      "mem set user/1 'anna otter'; mem set user/2 bert; mem set shop/where '{\"near\": \"otter brook\"}' --json",
    );
    await bench.run("printf 'no\\xffotter\\n' > /mem/raw");
    const { stdout } = await bench.run("cd /mem && grep -r otter . | sort");
    expect(stdout).toContain("user/1:anna otter\n");
    expect(stdout).toContain('shop/where:{"near":"otter brook"}\n');
    expect(stdout).not.toContain("user/2");
    expect((await bench.run("find /mem | sort")).stdout).toBe(
      "/mem\n/mem/raw\n/mem/shop\n/mem/shop/where\n/mem/user\n/mem/user/1\n/mem/user/2\n",
    );
  });

  test("keys that are no paths have names all the same, and lead nowhere else", async () => {
    const { memory } = bench.computer("first");
    const keys = [
      "",
      "/",
      "a",
      "a/b",
      "../../etc/passwd",
      "./x",
      "a//b",
      "nul\0nul",
      "%25",
      "%=",
      "100%",
      "line\nbreak",
    ];
    for (const key of keys) memory.set(key, `value of ${JSON.stringify(key)}`);
    const { stdout } = await bench.run('shopt -s globstar; for f in /mem/**; do [ -f "$f" ] && cat "$f" && echo; done');
    expect(stdout.trim().split("\n").sort()).toEqual(keys.map((key) => `value of ${JSON.stringify(key)}`).sort());
    expect((await bench.run("cat /mem/a/%=")).stdout).toBe('value of "a"');
    expect((await bench.run("rm -r /mem/*; ls /mem | wc -l")).stdout.trim()).toBe("0");
    expect(memory.count()).toBe(0);
  });

  test("says what is too long", async () => {
    const { stderr, status } = await bench.run("head -c 70000 /dev/zero > /mem/k");
    expect(status).not.toBe(0);
    expect(stderr).toContain("a value of the shared memory has at most 64 KiB");
    expect((await bench.run(`echo x > /mem/${"k".repeat(1_025)}`)).stderr).toContain("at most 1024 bytes");
    expect(bench.computer("first").memory.count("kkk")).toBe(0);
  });
});

test("tail -f shows what another node appends", async () => {
  await bench.company();
  await bench.run("echo one > /log");
  await sees("second", "cat /log", "one");
  const stdout = collector();
  const stop = new AbortController();
  const following = bench.start("tail -f /log", { stdout, signal: stop.signal });
  await bench.world.runUntil(() => stdout.text() === "one\n", { withinMs: 5_000, what: "the beginning" });
  for (const word of ["two", "three"]) {
    await bench.run(`echo ${word} >> /log`, { on: "second" });
    await bench.world.runUntil(() => stdout.text().endsWith(`${word}\n`), { withinMs: 10_000, what: word });
  }
  expect(stdout.text()).toBe("one\ntwo\nthree\n");
  stop.abort();
  expect((await bench.world.settle(following, { withinMs: 1_000 })).status).toBe(130);
});

describe("/net", () => {
  test("is a directory for each member, with what 'peers' says", async () => {
    await bench.company();
    expect((await bench.run("ls /net")).stdout).toBe("first\nsecond\nthird\n");
    expect((await bench.run("cat /net/second/id")).stdout).toBe(`${bench.computer("second").net.self}\n`);
    expect((await bench.run("cat /net/second/name /net/second/kind /net/second/status /net/second/cores")).stdout).toBe(
      "second\nnode\nawake\n2\n",
    );
    const { stdout } = await bench.run("ls -l /net");
    expect(stdout).toMatch(/first.*★.*node, lends 2, this node/);
    expect(stdout).toMatch(/second.*● \w{6}, node, lends 2, .*ms, direct, /);
    const { stderr } = await bench.run("rm -r /net/second; echo x > /net/second/name; mkdir /net/new");
    expect(stderr.match(/members come and go by themselves/g)).toHaveLength(3);
  });

  test("tells of members that come and go", async () => {
    const { names } = createShell(bench.computer("first"), memoryHost(new Map()));
    const told: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const path of names.watch("/net", { signal: stop.signal })) told.push(path);
    })();
    await bench.world.runFor(100);
    await bench.up("second", { invite: bench.computer("first").net.invite() });
    const list = async (): Promise<string[]> => (await names.list("/net")).map(({ name }) => name);
    await bench.world.runUntil(() => told.includes("/net/second"), { withinMs: 10_000, what: "second is told of" });
    expect(await list()).toContain("second");
    told.splice(0);
    const leaving = (async () => await bench.computer("second")[Symbol.asyncDispose]())();
    await bench.world.settle(leaving, { withinMs: 10_000 });
    await bench.world.runUntil(() => told.includes("/net/second"), { withinMs: 30_000, what: "its leaving is told" });
    expect(await list()).toEqual(["first"]);
    stop.abort();
    await watching;
  });
});

test("cp -r /host/project /project", async () => {
  bench.files.set("project/a.txt", utf8("a\n"));
  bench.files.set(
    "project/src/b.bin",
    Uint8Array.from({ length: 200_000 }, (_, i) => i & 0xff),
  );
  expect(await bench.run("cp -r /host/project /project")).toEqual({ status: 0, stdout: "", stderr: "" });
  expect((await bench.run("find /project | sort")).stdout).toBe(
    "/project\n/project/a.txt\n/project/src\n/project/src/b.bin\n",
  );
  expect(await bench.run("cmp /project/src/b.bin /host/project/src/b.bin")).toEqual({
    status: 0,
    stdout: "",
    stderr: "",
  });
  expect((await bench.run("cat /project/a.txt > /host/copy.txt")).status).toBe(0);
  expect(bench.files.get("copy.txt")).toEqual(utf8("a\n"));
  expect((await bench.run("rm /host/copy.txt")).stderr).toContain("what is on your machine is removed there");
});

test("scripts run by their paths once they may", async () => {
  await bench.company();
  await bench.run("mkdir /s; echo 'echo hello $1' > /s/hi.sh");
  expect((await bench.run("/s/hi.sh you")).status).toBe(126);
  expect((await bench.run("chmod +x /s/hi.sh && /s/hi.sh you")).stdout).toBe("hello you\n");
  await sees("second", "cd /s && ./hi.sh there", "hello there\n");
  expect((await bench.run("PATH=/s:$PATH; hi.sh again")).stdout).toBe("hello again\n");
  expect((await bench.run("ls -l /s/hi.sh", { on: "third" })).stdout).toMatch(/^-rwxr-xr-x 1 first /);
  expect((await bench.run("chmod 600 /s/hi.sh")).stderr).toContain("every member of the swarm reads and writes");
});

describe("/dev", () => {
  test("has the usual devices", async () => {
    expect(
      (await bench.run("cat /dev/null; echo x > /dev/null; head -c 3 /dev/zero | od -An -tx1 || true")).status,
    ).toBe(0);
    expect(
      (await bench.run("head -c 5 /dev/zero | wc -c; head -c 1000 /dev/urandom | sort -u | wc -c")).stdout,
    ).toMatch(/5\n.*\d+\n/);
    const full = await bench.run("echo x > /dev/full");
    expect(full.status).not.toBe(0);
    expect(full.stderr).toContain("No space left on device");
    expect((await bench.run("echo in | cat /dev/stdin; echo err > /dev/stderr")).stderr).toBe("err\n");
    expect((await bench.run("ls /dev/fd")).stdout).toContain("0\n1\n2\n");
    expect((await bench.run("echo x > /dev/tty")).stderr).toContain("No such device or address");
    const typed = await bench.run("read line < /dev/tty; echo $line > /dev/tty", {
      terminal: TERMINAL,
      stdin: "typed\n",
    });
    expect(typed.stdout).toBe("typed\n");
  });

  test("a person of another node is asked, allows, and is reached; others are refused for good", async () => {
    await bench.company();
    const second = bench.computer("second");
    const nobody = await bench.run("echo lunch > /dev/second/notify");
    expect(nobody.status).not.toBe(0);
    expect(nobody.stderr).toContain("Nobody is at second's screen now");

    const { person, asked, received } = somebody();
    const leave = second.devices.attach(person);
    const sending = bench.start("echo lunch > /dev/second/notify && echo sent");
    await bench.world.runUntil(() => asked.length === 1, { withinMs: 5_000, what: "the question" });
    expect(asked[0]).toMatchObject({ name: "first", device: "notify", text: "lunch" });
    expect(received).toEqual([]);
    // A person thinks for longer than a request may take.
    await bench.world.runFor(20_000);
    const id = shortId(bench.computer("first").net.self);
    expect((await bench.run("allow", { on: "second" })).stdout).toContain(`first (${id})  asks`);
    await bench.run(`allow ${id}`, { on: "second" });
    expect((await bench.world.settle(sending, { withinMs: 10_000 })).stdout).toBe("sent\n");
    expect(received.map(({ text }) => text)).toEqual(["lunch"]);
    expect(await bench.run("echo again > /dev/second/tty")).toMatchObject({ status: 0 });
    expect(await bench.run("printf 'to paste' > /dev/second/clipboard")).toMatchObject({ status: 0 });
    expect(received.map(({ device, text }) => [device, text])).toEqual([
      ["notify", "lunch"],
      ["tty", "again"],
      ["clipboard", "to paste"],
    ]);
    expect(asked).toHaveLength(1);

    const third = bench.start("echo spam > /dev/second/notify", { on: "third" });
    await bench.world.runUntil(() => asked.length === 2, { withinMs: 5_000, what: "the other question" });
    await bench.run("refuse third", { on: "second" });
    const { status, stderr } = await bench.world.settle(third, { withinMs: 10_000 });
    expect(status).not.toBe(0);
    expect(stderr).toContain("second does not want to be reached by this node");
    leave();

    // The answers outlast a restart, and nobody is asked again about a refused member.
    bench.world.crash("second");
    await bench.up("second");
    const later = somebody();
    bench.computer("second").devices.attach(later.person);
    await bench.world.runFor(5_000);
    expect((await bench.run("echo spam > /dev/second/notify", { on: "third" })).stderr).toContain("does not want");
    expect((await bench.run("cat /dev/senders/third /dev/senders/first", { on: "second" })).stdout).toBe(
      "refuse\nallow\n",
    );
    await bench.run("echo late > /dev/second/notify");
    expect(later.received.map(({ text }) => text)).toEqual(["late"]);
    expect(later.asked).toEqual([]);

    await bench.run("rm /dev/senders/third", { on: "second" });
    later.answer = (from) => void bench.computer("second").devices.answer(from, "allow");
    expect(await bench.run("echo please > /dev/second/notify", { on: "third" })).toMatchObject({ status: 0 });
    expect(later.asked).toHaveLength(1);
  });

  test("an unanswered question ends, and is not put again at once", async () => {
    await bench.company();
    const { person, asked } = somebody();
    bench.computer("second").devices.attach(person);
    const { status, stderr } = await bench.run("echo hello > /dev/second/notify");
    expect(status).not.toBe(0);
    expect(stderr).toContain("has not answered");
    await bench.run("echo hello > /dev/second/notify");
    expect(asked).toHaveLength(1);
    expect(ASK_MS).toBeLessThan(120_000);
  });

  test("an allowed sender is held to a pace, and texts to a size", async () => {
    await bench.company();
    const { person, received } = somebody();
    const { devices } = bench.computer("second");
    devices.attach(person);
    await bench.world.settle(devices.answer(bench.computer("first").net.self, "allow"), { withinMs: 1_000 });
    const { stderr } = await bench.run("for i in {1..40}; do echo $i > /dev/second/notify; done");
    expect(stderr).toContain("Too many texts for a person at once");
    expect(received.length).toBeGreaterThanOrEqual(10);
    expect(received.length).toBeLessThan(30);
    expect((await bench.run("head -c 60000 /dev/zero | tr '\\0' x > /dev/second/tty")).stderr).toContain(
      "at most 16384 characters",
    );
  });

  test("no member takes the place of a device, or another's", async () => {
    await bench.up("other", { invite: bench.computer("first").net.invite() });
    await bench.world.runFor(5_000);
    bench.computer("other").net.update({ name: "null" });
    await sees("first", "cat /net/*/name", "null");
    const id = shortId(bench.computer("other").net.self);
    expect((await bench.run("ls /dev")).stdout).toContain(`null\nnull.${id}\n`);
    expect(await bench.run("echo secret > /dev/null")).toMatchObject({ status: 0, stderr: "" });
    bench.computer("other").net.update({ name: "first" });
    await sees("first", "ls /net", `first.${id}\n`);
    expect((await bench.run("ls /net")).stdout.match(/^first\./gm)).toHaveLength(2);
  });
});

describe("/proc", () => {
  test("shows what runs, and kill and wait take the numbers", async () => {
    const running = bench.start("sleep 1000 | cat");
    await bench.world.runFor(100);
    const { stdout } = await bench.run("grep -l '^sleep' /proc/[0-9]*/cmdline");
    const pid = /\/proc\/(\d+)\/cmdline/.exec(stdout)?.[1] ?? "";
    expect((await bench.run(`tr '\\0' ' ' < /proc/${pid}/cmdline`)).stdout).toBe("sleep 1000 ");
    expect((await bench.run(`cat /proc/${pid}/status`)).stdout).toContain(`State:\tR (running)\nPid:\t${pid}\n`);
    expect((await bench.run(`cat /proc/${pid}/cwd`)).stdout).toBe("/\n");
    expect((await bench.run(`echo x > /proc/${pid}/status`)).stderr).toContain("'kill ID' ends it");
    const waiting = bench.start(`wait ${pid}; echo over`);
    await bench.world.runFor(100);
    expect(await bench.run(`kill ${pid}`)).toMatchObject({ status: 0, stderr: "" });
    expect((await bench.world.settle(waiting, { withinMs: 5_000 })).stdout).toBe("over\n");
    await bench.world.settle(running, { withinMs: 5_000 });
    expect((await bench.run(`ls /proc/${pid}`)).status).not.toBe(0);
  });

  test("shows jobs of the swarm, which kill ends and wait waits for", async () => {
    const { cpu } = bench.computer("first");
    const stop = new AbortController();
    const inputs = (async function* () {
      for (;;) yield await Promise.resolve(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0));
    })();
    const job = Array.fromAsync(cpu.map({ title: "primes", module: moduleOf("primes"), inputs }, stop)).catch(() => []);
    await bench.world.runUntil(() => cpu.jobs().length === 1, { withinMs: 1_000, what: "the job" });
    const id = cpu.jobs()[0]?.id ?? "";
    expect((await bench.run(`cat /proc/${id}/status`)).stdout).toContain("Name:\tprimes\n");
    const waiting = bench.start(`wait ${id}; echo over`);
    await bench.world.runFor(10);
    expect(await bench.run(`kill ${id}`)).toMatchObject({ status: 0, stderr: "" });
    expect((await bench.world.settle(waiting, { withinMs: 5_000 })).stdout).toBe("over\n");
    await bench.world.settle(job, { withinMs: 5_000 });
    expect((await bench.run(`kill ${id}`)).status).toBe(1);
  });
});

test("/bin lists the commands", async () => {
  expect(
    (await bench.run("ls /bin | grep -x cat; type -p cat; test -x /bin/cat && /bin/echo yes || echo no")).stdout,
  ).toContain("cat\n/bin/cat\n");
  expect((await bench.run("rm /bin/cat")).stderr).toContain("put programs and scripts of your own elsewhere");
  expect((await bench.run("ls /")).stdout).toBe("bin\ndev\nhost\ninbox\nmail\nmem\nnet\nproc\ntmp\n");
});

interface Somebody {
  readonly person: Person;
  readonly asked: Delivery[];
  readonly received: Delivery[];
  answer: ((from: string) => Answer | void) | undefined;
}

function somebody(): Somebody {
  const all: Somebody = {
    asked: [],
    received: [],
    answer: undefined,
    person: {
      asked(question) {
        all.asked.push(question);
        all.answer?.(question.from);
      },
      received: (delivery) => void all.received.push(delivery),
    },
  };
  return all;
}
