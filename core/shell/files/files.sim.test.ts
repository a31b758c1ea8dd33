/** The commands for files: a line in, its output and status out. */
import { CarReader, CarWriter } from "@ipld/car";
import { beforeEach, describe, expect, test } from "vitest";
import { pattern } from "../../../test/fixtures/content.ts";
import { memoryHost } from "../../../test/fixtures/host.ts";
import { collector, type Ran, type RunOptions, ShellBench, TERMINAL } from "../../../test/sim/shell-bench.ts";
import { concat, equal, text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import { fileCommands } from "../commands/files.ts";
import { createShell } from "../shell.ts";
import { typedWhole } from "../completion/typing.ts";
import type { Host, HostEntry } from "../types.ts";
import { widthOf, withoutColours } from "../width.ts";

// Commands load these when they need them, which takes real time; virtual time must not run out meanwhile.
await Promise.all([
  import("../../disk/content/car.ts"),
  import("../../disk/content/tar.ts"),
  import("../../disk/content/tar-read.ts"),
  import("../../disk/content/unixfs-read.ts"),
  import("../../disk/content/zip.ts"),
]);

let bench: ShellBench;
let computer: Computer;

beforeEach(async () => {
  bench = new ShellBench();
  computer = await bench.up("first");
});

function run(line: string, options: RunOptions = {}): Promise<Ran> {
  return bench.run(line, options);
}

async function runs(line: string, options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await run(line, options);
  expect([line, status, stderr]).toEqual([line, 0, ""]);
  return stdout;
}

async function fails(line: string, options: RunOptions = {}): Promise<string> {
  const { status, stderr } = await run(line, options);
  expect([line, status]).toEqual([line, 1]);
  return stderr;
}

test("every example works as it is pasted", async () => {
  for (const command of fileCommands) {
    const examples = command.help.split("\n").filter((line) => /^ {2}\S/.test(line));
    expect([command.name, examples.length > 0]).toEqual([command.name, true]);
    for (const example of examples) await runs(example.trim());
  }
});

describe("put and get", () => {
  test("bring a file in and out, to the byte, and say how safe it is", async () => {
    bench.files.set("photo.jpg", pattern(3_000_000));
    expect(await runs("put photo.jpg")).toBe("/photo.jpg: 3.00 MB, on this device only\n");
    expect(await runs("put photo.jpg /pictures/ --no-wait")).toMatch(/^\/pictures\/photo\.jpg: 3\.00 MB/);
    expect(await runs("put photo.jpg /other")).toMatch(/^\/other: /);
    await runs("get /other back.jpg");
    expect(equal(bench.files.get("back.jpg") ?? utf8(""), pattern(3_000_000))).toBe(true);
    const stdout = collector();
    await run("get /other", { stdout });
    expect(equal(stdout.bytes(), pattern(3_000_000))).toBe(true);
    await runs("get /other", { terminal: TERMINAL });
    expect(equal(bench.files.get("other") ?? utf8(""), pattern(3_000_000))).toBe(true);
  });

  test("bring whole directories in and out", async () => {
    bench.files.set("a/1", utf8("one"));
    bench.files.set("a/b/2", utf8("two"));
    for (let i = 0; i < 100; i++) bench.files.set(`a/many/${i}`, utf8(`${i}`));
    expect(await runs("put a")).toBe("102 files, 196 B, on this device only\n");
    expect(await runs("cat a/1 a/b/2 a/many/99")).toBe("onetwo99");
    await runs("get /a copy");
    expect(bench.files.get("copy/many/7")).toEqual(utf8("7"));
    await runs("put . /all");
    expect(await runs("ls /all")).toBe("a\ncopy\n");
    expect(await fails("put nothing")).toBe("put: there is no nothing here\n");
  });

  test("name what they pass over, and never let two files of one name replace each other", async () => {
    bench.files.set("a/1", utf8("one"));
    bench.files.set("b/1", utf8("two"));
    expect(await fails("put a/1 b/1 /d/")).toContain("two of these would go to /d/1");
    // One letter in two spellings.
    bench.files.set("c/\u00fc", utf8("one"));
    bench.files.set("c/u\u0308", utf8("two"));
    expect(await fails("put c /")).toContain("two of these would go to /c/\u00fc");
    const host = memoryHost(bench.files);
    const listDirectory = async (): Promise<HostEntry[]> => [{ name: "socket\x07", kind: "other" }];
    const [stdout, stderr] = [collector(), collector()];
    const io = { stdin: lines(""), stdout, stderr, terminal: {} };
    const { signal } = new AbortController();
    const done = createShell(computer, { ...host, listDirectory }).run("put e", io, { signal });
    expect(await bench.world.settle(done, { withinMs: 1_000 })).toBe(0);
    expect(text(stderr.bytes())).toBe("put: passed over e/socket\u2407, which is no file\n");
  });

  test("lets a person pick files where they have no paths", async () => {
    bench.files.set("one.txt", utf8("1"));
    bench.files.set("two.txt", utf8("2"));
    const host = memoryHost(bench.files);
    const { signal } = new AbortController();
    const open = (names: readonly string[]): ReturnType<typeof host.openFile>[] =>
      names.map((name) => host.openFile(name, { signal }));
    const pickAndPut = async (line: string, names: readonly string[]): Promise<void> => {
      const tab = { ...host, pickFiles: () => Promise.all(open(names)) };
      const io = { stdin: lines(""), stdout: collector(), stderr: collector(), terminal: {} };
      const done = createShell(computer, tab).run(line, io, { signal });
      expect(await bench.world.settle(done, { withinMs: 1_000 })).toBe(0);
    };
    await pickAndPut("put", ["one.txt"]);
    await pickAndPut("put /name", ["one.txt"]);
    await pickAndPut("put /d/", ["one.txt"]);
    await pickAndPut("put /e", ["one.txt", "two.txt"]);
    expect(await runs("ls")).toBe(root("d", "e", "name", "one.txt"));
    expect(await runs("ls /d /e")).toBe("/d:\none.txt\n\n/e:\none.txt\ntwo.txt\n");
  });

  test("take standard input, and need a name for it", async () => {
    expect(await runs("put - /in", { stdin: "typed" })).toBe("/in: 5 B, on this device only\n");
    expect(await runs("cat /in")).toBe("typed");
    expect(await run("put -")).toMatchObject({ status: 64 });
    expect(await run("put")).toMatchObject({ status: 64 });
    expect(await run("put a b c")).toMatchObject({ status: 64 });
    const [row] = JSON.parse(await runs("put - /in --json", { stdin: "x" })) as { path: string; cid: string }[];
    expect(row).toMatchObject({ path: "/in", sizeBytes: 1, safety: "here", survivesAny: 0 });
  });

  test("Ctrl-C leaves nothing half-written", async () => {
    await runs("put - /there", { stdin: "old" });
    for (const line of ["put - /there", "put - /new"]) {
      const stop = new AbortController();
      const running = bench.start(line, { stdin: endless(stop), signal: stop.signal });
      expect(await bench.world.settle(running, { withinMs: 1_000 })).toMatchObject({ status: 130 });
    }
    expect(await runs("ls")).toBe(root("there"));
    expect(await runs("cat /there")).toBe("old");
  });

  test("Ctrl-C in the middle of get leaves what was there", async () => {
    await runs("put - /large", { stdin: pattern(2_000_000) });
    bench.files.set("large", utf8("old"));
    const stop = new AbortController();
    const host = memoryHost(bench.files);
    const createFile: typeof host.createFile = async (path, options) => {
      const writer = await host.createFile(path, options);
      return { ...writer, write: (bytes) => writer.write(bytes).then(() => stop.abort()) };
    };
    const io = { stdin: lines(""), stdout: collector(), stderr: collector(), terminal: {} };
    const shell = createShell(computer, { ...host, createFile });
    const done = shell.run("get /large large", io, { signal: stop.signal });
    expect(await bench.world.settle(done, { withinMs: 1_000 })).toBe(130);
    expect(bench.files.get("large")).toEqual(utf8("old"));
  });

  test("Ctrl-C while it is made safe leaves what is there, and says so", async () => {
    const stop = new AbortController();
    computer.files.watch("/x", () => stop.abort());
    const options = { stdin: pattern(10_000), signal: stop.signal };
    const running = bench.start("put - /x", options);
    const { status, stderr } = await bench.world.settle(running, { withinMs: 1_000 });
    expect([status, stderr]).toEqual([130, "put: /x: 10.0 kB is there; 'stat' says how safe by now\n"]);
    expect(computer.files.stat("/x")?.sizeBytes).toBe(10_000);
  });

  test("a file that has no place is named, and the others come", async () => {
    for (const name of ["a", "z"]) bench.files.set(`d/${name}`, utf8("fine"));
    await runs("mkdir /d/b -p");
    bench.files.set("d/b", utf8("a directory has this name there"));
    expect(await fails("put d")).toBe(
      "put: /d/b is a directory\nput: 1 file of these is missing or not whole, as named above\n",
    );
    expect(await runs("ls /d")).toBe("a\nb\nz\n");
  });

  test("a source that vanishes, breaks or has no name here is named, and the others come", async () => {
    for (const name of ["a", "broken", "gone", "many/1", "many/2", "z"]) bench.files.set(`d/${name}`, utf8("fine"));
    const host = memoryHost(bench.files);
    const tab: Host = {
      ...host,
      listDirectory: async (path, options) => {
        if (path === "d/many") throw new StarfishError("io", "d/many: EACCES: permission denied");
        const entries = (await host.listDirectory?.(path, options)) ?? [];
        return [...entries, { name: "caf\\xe9", kind: "other", why: "its name is no UTF-8" }];
      },
      openFile: async (path, options) => {
        if (path === "d/gone") throw new StarfishError("not-found", "there is no d/gone here");
        const file = await host.openFile(path, options);
        if (path !== "d/broken") return file;
        return { ...file, read: () => Promise.reject(new StarfishError("io", "d/broken: EIO")) };
      },
    };
    const [stdout, stderr] = [collector(), collector()];
    const io = { stdin: lines(""), stdout, stderr, terminal: {} };
    const done = createShell(computer, tab).run("put d nowhere /to/", io, { signal: new AbortController().signal });
    expect(await bench.world.settle(done, { withinMs: 10_000 })).toBe(1);
    expect(stderr.text().trimEnd().split("\n").sort()).toEqual([
      "put: 5 files of these are missing or not whole, as named above",
      "put: d/broken: EIO",
      "put: d/caf\\xe9: its name is no UTF-8",
      "put: d/many: EACCES: permission denied",
      "put: there is no d/gone here",
      "put: there is no nowhere here",
    ]);
    expect(stdout.text()).toBe("2 files, 8 B, on this device only\n");
    expect(await runs("ls /to/d")).toBe("a\nz\n");
  });

  test("a file is read to its end, whatever its size is said to be, and told if it was written to meanwhile", async () => {
    const host = memoryHost(bench.files);
    const contents = { small: utf8("cpu: many"), large: pattern(3_000_000) };
    const opened = async (line: string, said: number, bytes: Uint8Array, isChanged: boolean): Promise<Ran> => {
      const tab: Host = {
        ...host,
        openFile: async () => ({
          name: "f",
          sizeBytes: said,
          modifiedAtMs: 0,
          read: async (at, length) => bytes.slice(at, at + length),
          isChanged: async () => isChanged,
          close: async () => {},
        }),
      };
      const [stdout, stderr] = [collector(), collector()];
      const io = { stdin: lines(""), stdout, stderr, terminal: {} };
      bench.files.set("f", bytes);
      const done = createShell(computer, tab).run(line, io, { signal: new AbortController().signal });
      const status = await bench.world.settle(done, { withinMs: 10_000 });
      return { status, stdout: stdout.text(), stderr: stderr.text() };
    };
    for (const bytes of [contents.small, contents.large]) {
      for (const said of [0, 1, bytes.length - 1, bytes.length, bytes.length + 1, 1_048_575, 1_048_576, 5_000_000]) {
        expect(await opened("put f", said, bytes, false)).toMatchObject({ status: 0, stderr: "" });
        expect(computer.files.stat("/f")?.sizeBytes).toBe(bytes.length);
      }
    }
    const { status, stderr } = await opened("put f", 9, contents.small, true);
    expect([status, stderr.split("\n")[0]]).toEqual([
      1,
      "put: f was written to while it was read: what is stored may be of both versions",
    ]);
  });

  test("get brings what the machine has names for, and names the rest", async () => {
    for (const path of ["d/a", "d/bad", "d/bad2/x", "d/z"]) {
      bench.files.set(path, utf8("fine"));
    }
    await runs("put d");
    bench.files.clear();
    const host = { ...memoryHost(bench.files), nameTrouble: (name: string) => (/bad/.test(name) ? "bad" : undefined) };
    const gets = async (line: string): Promise<[number, string]> => {
      const stderr = collector();
      const io = { stdin: lines(""), stdout: collector(), stderr, terminal: { stdout: TERMINAL } };
      const done = createShell(computer, host).run(line, io, { signal: new AbortController().signal });
      return [await bench.world.settle(done, { withinMs: 10_000 }), stderr.text()];
    };
    expect(await gets("get /d out")).toEqual([
      1,
      ["/d/bad", "/d/bad2", "/d/bad2/x"]
        .map((path) => `get: ${path}: no file can have that name here (bad)\n`)
        .join("") + "get: 3 files of these are missing or not whole, as named above\n",
    ]);
    expect([...bench.files.keys()].sort()).toEqual(["out/a", "out/z"]);
    expect(await gets("get /d/bad")).toEqual([1, expect.stringContaining("give another one, as in 'get PATH NAME'")]);
    expect(await gets("get /d/bad good")).toEqual([0, ""]);
    expect(bench.files.get("good")).toEqual(utf8("fine"));
  });

  test("put takes a name with a backslash as the host does", async () => {
    bench.files.set("a\\b", utf8("one"));
    await runs("put 'a\\b'");
    expect(await runs("ls")).toBe(root("a\\b"));
  });
});

/** What `ls` shows in the root: these names among the mounts. */
function root(...names: readonly string[]): string {
  const all = [...names, "bin", "dev", "host", "inbox", "mail", "mem", "net", "proc", "tmp"].sort();
  return all.map((name) => `${name}\n`).join("");
}

describe("ls", () => {
  test("lists names, and with -l what is known of them", async () => {
    await runs("echo one | put - /b/file; mkdir /a; echo two | put - /c");
    expect(await runs("ls")).toBe(root("a", "b", "c"));
    expect(await runs("ls /b /a", { terminal: TERMINAL })).toBe("/a:\n\n/b:\nfile\n");
    expect(await runs("ls /b c")).toBe("c\n\n/b:\nfile\n");
    const lines = (await runs("ls -l", { terminal: TERMINAL })).split("\n");
    expect(lines.find((line) => line.endsWith(" c"))).toMatch(/^-rw-r--r-- 1 first +4 \w{3} +\d+ [:\d]{5} c$/);
    const rows = JSON.parse(await runs("ls --json")) as Record<string, unknown>[];
    expect(rows.find(({ path }) => path === "/c")).toMatchObject({
      path: "/c",
      kind: "file",
      sizeBytes: 4,
      owner: "first",
    });
    expect(JSON.parse(await runs("ls /a --json"))).toEqual([]);
    expect(await run("ls /nothing")).toMatchObject({
      status: 2,
      stderr: "ls: cannot access '/nothing': No such file or directory\n",
    });
    expect(await run("ls --bogus")).toMatchObject({ status: 2 });
  });

  test("shows no name that would move the cursor or turn the text around", async () => {
    for (const name of ["evil\x1b[2J", "\u202egpj.exe", "two\nlines"]) {
      await bench.world.settle(computer.files.write(`/${name}`, lines("x")), { withinMs: 1_000 });
    }
    const shown = withoutColours(await runs("ls", { terminal: TERMINAL }));
    expect(shown.split(/ {2,}|\n/)).toEqual(expect.arrayContaining(["evil␛[2J", "two⏎lines", "\ufffdgpj.exe"]));
    expect(await runs("ls -l", { terminal: TERMINAL })).not.toContain("\u202e");
    expect(await runs("ls")).toContain("\u202egpj.exe");
  });
});

async function* lines(text: string): AsyncGenerator<Uint8Array> {
  yield utf8(text);
}

/** Stands for a person who presses Ctrl-C when half of it has come. */
async function* endless(stop: AbortController): AsyncGenerator<Uint8Array> {
  for (let i = 0; ; i++) {
    if (i === 20) stop.abort();
    yield pattern(100_000);
  }
}

test("cat shows text safely on a terminal, and passes bytes on", async () => {
  await runs("put - /t", { stdin: "\x1b]0;x\x07line\n" });
  await runs("put - /b", { stdin: Uint8Array.of(0, 1, 2, 255) });
  expect(await runs("cat /t", { terminal: TERMINAL })).toBe("␛]0;x␇line\n");
  expect((await run("cat /b", { terminal: TERMINAL })).stderr).toMatch(
    /^cat: \/b: binary data, which a terminal can't show/,
  );
  const stdout = collector();
  await run("cat /b /t", { stdout });
  expect(stdout.bytes().subarray(0, 4)).toEqual(Uint8Array.of(0, 1, 2, 255));
  expect(await fails("cat /nothing")).toBe("cat: /nothing: No such file or directory\n");
  expect(await fails("cat /")).toBe("cat: /: Is a directory\n");
});

test("cp, mv, rm and mkdir do as on any computer", async () => {
  await runs("echo one | put - /a; echo two | put - /b; mkdir /d");
  await runs("cp /a /b /d; cp /a /e; mv /e /f; mv /f /d/");
  expect(await runs("ls /d")).toBe("a\nb\nf\n");
  expect(await fails("cp /d /x")).toContain("-r");
  await runs("cp -r /d /x; cp -r /d /x");
  expect(await runs("ls /x")).toBe("a\nb\nd\nf\n");
  expect(await fails("mv /a /b /nothing")).toContain("target '/nothing': No such file or directory");
  expect(await fails("rm /d")).toBe("rm: cannot remove '/d': Is a directory\n");
  await runs("rm -rf /d /nothing");
  expect(await fails("rm /nothing")).toBe("rm: cannot remove '/nothing': No such file or directory\n");
  expect(await fails("mkdir /p/q")).toBe("mkdir: cannot create directory '/p/q': No such file or directory\n");
  await runs("mkdir -p /p/q");
  expect(await runs("ls")).toBe(root("a", "b", "p", "x"));
});

test("mv and cp take a name as it is, and put no two files in one place", async () => {
  await runs("echo one | put - '/d/a\\b'; echo two | put - /e/b; mkdir /to");
  await runs("mv '/d/a\\b' /to/");
  expect(await runs("ls /to")).toBe("a\\b\n");
  await runs("echo three | put - /d/b");
  for (const name of ["cp", "mv"]) {
    expect(await fails(`${name} /d/b /e/b /to`)).toBe(`${name}: will not overwrite just-created '/to/b' with '/e/b'\n`);
  }
  // As with GNU's mv, the first file has been moved, and the second stays where it was.
  expect(await runs("cat /to/b /e/b")).toBe("three\ntwo\n");
});

test("put --unpack names what a CAR of several roots holds by its CIDs", async () => {
  await runs("echo one | put - /1; echo two | put - /2; get --car /1 1.car; get --car /2 2.car");
  const readers = await Promise.all(
    ["1.car", "2.car"].map((name) => CarReader.fromBytes(bench.files.get(name) ?? utf8(""))),
  );
  const roots = (await Promise.all(readers.map((reader) => reader.getRoots()))).flat();
  const { writer, out } = CarWriter.create(roots);
  const written = Array.fromAsync(out);
  for (const reader of readers) for await (const block of reader.blocks()) await writer.put(block);
  await writer.close();
  bench.files.set("both.car", concat(await written));
  expect(await runs("put --unpack both.car /in")).toBe("2 files, 8 B\n");
  expect(await runs(`cat ${roots.map((root) => `/in/${root.toString()}`).join(" ")}`)).toBe("one\ntwo\n");
});

test("versions and restore bring back what was", async () => {
  await runs("echo one | put - /n; echo two | put - /n; rm /n");
  const listed = (await runs("versions /n")).trim().split("\n");
  expect(listed).toHaveLength(2);
  expect(listed[0]).toMatch(/^[0-9a-z]{21} {2}4 B {2}[-\d]{10} [:\d]{5} {2}★ first {2}for [67] d$/);
  await runs("restore /n");
  expect(await runs("cat /n")).toBe("two\n");
  await runs(`restore /n ${listed[1]?.split(" ")[0]}`);
  expect(await runs("cat /n")).toBe("one\n");
  const rows = JSON.parse(await runs("versions /n --json")) as Record<string, unknown>[];
  expect(rows[0]).toMatchObject({ isCurrent: true, keptUntilMs: null, path: "/n" });
  expect(await fails("versions /nothing")).toContain("there is no /nothing");
  expect(await fails("versions /")).toContain("/ is a directory");
  expect(await fails("restore /nothing")).toContain("there is no earlier version of /nothing");
});

test("stat, df and keep tell how things stand", async () => {
  await runs("put - /small", { stdin: "hello\n" });
  await runs("put - /d/large", { stdin: "x".repeat(10_000) });
  const small = await runs("stat /small");
  expect(small).toContain("bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am");
  expect(small).toMatch(/safety +on this device only\n/);
  expect(await runs("stat /d")).toMatch(/holds +1 file, 10\.0 kB/);
  const json = JSON.parse(await runs("stat /d/large --json")) as Record<string, unknown>;
  expect(json).toMatchObject({ sizeBytes: 10_000, isKeptHere: false, content: { safety: "here", stripes: 1 } });
  // One device has no half, and nothing is coded.
  expect(await runs("stat /d/large")).toMatch(/coded +not coded: 1 stripe, whole on each of 1 device\n/);
  expect(await runs("stat /d/large")).not.toContain("half");
  await runs("keep /d");
  expect(await runs("stat /d/large")).toMatch(/kept here +yes/);
  await runs("keep /d --off");
  expect(await runs("stat /d/large")).toMatch(/kept here +no/);
  computer.storage.offer(2_000_000);
  expect(await runs("df")).toMatch(
    /^offered +2\.00 MB .*\n(.*\n)*files +2 files, 10\.0 kB.*\n\n +node +offered +used\n★ first +2\.00 MB +(\S+ kB \(.*%\))\n +1 node +2\.00 MB +\2\n$/,
  );
  const { usedBytes } = computer.storage.use();
  expect(usedBytes).toBeGreaterThan(10_000);
  expect(await runs("df -h")).toBe(await runs("df"));
  expect(JSON.parse(await runs("df --json"))).toMatchObject({
    files: 2,
    filesBytes: 10_006,
    usedBytes,
    nodes: [{ peer: computer.net.self, name: "first", offeredBytes: 2_000_000, usedBytes }],
  });
});

describe("archives", () => {
  test("carry folders as tar and zip, and files as CARs with the same CID", async () => {
    await runs("put - /d/sub/large", { stdin: pattern(600_000) });
    await runs("echo small | put - /d/small; mkdir /d/empty");
    await runs("get --zip /d d.zip; put --unpack d.zip /z");
    await runs("get --tar /d d.tar; put --unpack d.tar /t");
    await runs("get --tar /d | put --unpack --tar - /piped");
    for (const copy of ["/z/d", "/t/d", "/piped/d"]) {
      expect(await runs(`ls ${copy}`)).toBe("empty\nsmall\nsub\n");
      expect(computer.files.stat(`${copy}/sub/large`)?.content).toEqual(computer.files.stat("/d/sub/large")?.content);
    }
    expect(await runs("get --car /d/sub/large large.car; put --unpack large.car /c/")).toBe("1 file, 600 kB\n");
    expect(computer.files.stat("/c/large")?.content).toEqual(computer.files.stat("/d/sub/large")?.content);
    await runs("get --car /d/sub/large | put --unpack --car - /named");
    expect(computer.files.stat("/named")?.content).toEqual(computer.files.stat("/d/sub/large")?.content);
    expect(await fails("get --car /d")).toContain("--tar or --zip");
    expect(await run("put --unpack --car d.tar")).toMatchObject({ status: 1 });
    expect(await run("put --unpack unknown")).toMatchObject({ status: 1 });
  });
});

test("long transfers show rate and time left on a terminal, in its width", async () => {
  const { clock } = computer;
  bench.files.set("slow", pattern(30_000_000));
  const host = memoryHost(bench.files);
  const shell = createShell(computer, {
    ...host,
    async openFile(path, options) {
      const file = await host.openFile(path, options);
      const read = async (at: number, length: number): Promise<Uint8Array> => {
        await new Promise<void>((resolve) => void clock.timer(200, resolve));
        return file.read(at, length);
      };
      return { ...file, read };
    },
  });
  const stderr = collector();
  const io = {
    stdin: lines(""),
    stdout: collector(),
    stderr,
    terminal: { stdout: TERMINAL, stderr: { ...TERMINAL, columns: 60 } },
  };
  const done = shell.run("put slow", io, { signal: new AbortController().signal });
  expect(await bench.world.settle(done, { withinMs: 60_000 })).toBe(0);
  const drawn = stderr.text().split("\r\x1b[K");
  expect(drawn.length).toBeGreaterThan(10);
  expect(drawn[5]).toMatch(/^put slow {2}[\d.]+ MB of 30\.0 MB, [\d.]+ MB\/s, [\d.]+ s left$/);
  for (const line of drawn) expect(widthOf(line)).toBeLessThan(60);
});

test("completes paths, with a slash after directories", async () => {
  await runs("echo x | put - /docs/one; echo x | put - /docs/two; mkdir /downloads");
  const shell = createShell(computer, memoryHost(new Map()));
  const { signal } = new AbortController();
  const candidates = async (line: string): Promise<readonly string[]> =>
    (await shell.complete(line, line.length, { signal })).candidates.map(({ text }) => text);
  expect(await candidates("cat /do")).toEqual(["/docs/", "/downloads/"]);
  expect(await candidates("cat do")).toEqual(["docs/", "downloads/"]);
  expect(await candidates("cat /docs/t")).toEqual(["/docs/two"]);
  expect(await candidates("ls --")).toEqual(expect.arrayContaining(["--all", "--recursive"]));
  expect(await candidates("cat /nowhere/")).toEqual([]);
  // A name chosen by a member, which would move the cursor, is shown in visible characters.
  await bench.world.settle(computer.files.write("/escape\x1b[2J", lines("x")), { withinMs: 1_000 });
  const found = await shell.complete("cat /esc", 8, { signal });
  expect(found.candidates.map((candidate) => typedWhole(found, candidate))).toEqual(["$'/escape\\E[2J' "]);
});
