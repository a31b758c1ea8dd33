/**
 * Files of the directory where `starfish sh` was called, through a real socket: whole or not at all, a few pieces at a time.
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isStarfishError, StarfishError } from "../core/base/errors.ts";
import { streamOf } from "../core/shell/files/host-streams.ts";
import { hostTree } from "../core/shell/namespace/host/tree.ts";
import { treeContract } from "../core/shell/namespace/tree.contract.ts";
import { realClock } from "../core/platform/clock.ts";
import { pattern } from "../test/fixtures/content.ts";
import type { Host } from "../core/shell/types.ts";
import { ClientFiles } from "./client-files.ts";
import { FrameSocket } from "./frames.ts";
import { NamedPaths } from "./named-paths.ts";
import { RemoteHost } from "./remote-host.ts";

const { signal } = new AbortController();
let directory: string;
let host: RemoteHost;
let client: ClientFiles;
let sockets: Socket[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "starfish-host-"));
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A port was asked for");
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const near = connect(address.port, "127.0.0.1");
  const far = await accepted;
  server.close();
  sockets = [near, far];
  const [nodeSide, clientSide] = [new FrameSocket(near), new FrameSocket(far)];
  host = new RemoteHost(nodeSide);
  client = new ClientFiles(clientSide, NamedPaths.inDirectories([directory, "/dev/null", "/proc/cpuinfo"]));
  const hear = async (
    frames: FrameSocket,
    take: (frame: { kind: number; body: Uint8Array }) => void,
  ): Promise<void> => {
    for await (const frame of frames.frames()) take(frame);
  };
  void hear(nodeSide, (frame) => host.receive(frame));
  void hear(clientSide, (frame) => void client.serve(frame));
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await rm(directory, { recursive: true });
});

const at = (name: string): string => join(directory, name);

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: unknown) => (isStarfishError(error) ? error.code : String(error)),
  );
}

test("a file is read in pieces, anywhere, and all of it", async () => {
  const bytes = pattern(5_000_001);
  await writeFile(at("file"), bytes);
  const file = await host.openFile(at("file"), { signal });
  expect([file.name, file.sizeBytes]).toEqual(["file", bytes.length]);
  expect(Buffer.from(await file.read(4_999_000, 10_000)).equals(bytes.subarray(4_999_000))).toBe(true);
  const parts = await Array.fromAsync(streamOf(file, signal));
  expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  expect(await failure(file.read(0, 1))).toBe("closed");
  expect(Buffer.from(await host.readFile(at("file"), { signal })).equals(bytes)).toBe(true);
});

test("a file is written whole, or what was there stays", async () => {
  await writeFile(at("there"), "old", { mode: 0o600 });
  await symlink(at("there"), at("link"));
  const writer = await host.createFile(at("link"), { signal });
  const bytes = pattern(1_000_000);
  await writer.write(bytes.subarray(0, 300_000));
  expect(await readFile(at("there"), "utf8")).toBe("old");
  await writer.write(bytes.subarray(300_000));
  await writer.finish();
  expect((await readFile(at("there"))).equals(bytes)).toBe(true);
  expect((await stat(at("there"))).mode & 0o777).toBe(0o600);
  const given = await host.createFile(at("new"), { signal });
  await given.write(bytes);
  await given.abort();
  const left = await host.createFile(at("left"), { signal });
  await left.write(bytes);
  await client.close();
  expect((await readdir(directory)).sort()).toEqual(["link", "there"]);
  const late = await host.createFile(at("late"), { signal });
  await late.write(bytes);
  client.abandon();
  expect((await readdir(directory)).sort()).toEqual(["link", "there"]);
  await client.close();
  expect((await readdir(directory)).sort()).toEqual(["link", "there"]);
});

test("whoever gives up while a file is being created leaves nothing", async () => {
  const stop = new AbortController();
  const creating = host.createFile(at("x"), { signal: stop.signal });
  stop.abort(new StarfishError("cancelled", "Interrupted"));
  expect(await failure(creating)).toBe("cancelled");
  expect(await readdir(directory)).toEqual([]);
});

test("directories are listed and made, and errors have their names", async () => {
  await mkdir(at("d/e"), { recursive: true });
  await writeFile(at("d/f"), "");
  await symlink("nowhere", at("d/broken"));
  await symlink(".", at("d/circle"));
  await symlink("f", at("d/link"));
  expect(await host.listDirectory(at("d"), { signal })).toEqual([
    { name: "broken", kind: "other", why: "it is a link to nothing" },
    { name: "circle", kind: "other" },
    { name: "e", kind: "directory" },
    { name: "f", kind: "file" },
    { name: "link", kind: "file" },
  ]);
  await host.makeDirectory(at("g/h"), { signal });
  await host.makeDirectory(at("g/h"), { signal });
  expect(await failure(host.listDirectory(at("d/f"), { signal }))).toBe("not-a-directory");
  expect(await failure(host.openFile(at("d"), { signal }))).toBe("is-a-directory");
  expect(await failure(host.openFile(at("no"), { signal }))).toBe("not-found");
  expect(await failure(host.createFile(at("no/file"), { signal }))).toBe("not-found");
  expect(await failure(host.createFile(at("d"), { signal }))).toBe("is-a-directory");
  // A name that is too long, and one that is longer than a message: neither ends the session.
  expect(await failure(host.openFile(at("x".repeat(3_000)), { signal }))).toBe("io");
  expect(await failure(host.openFile(at("x".repeat(5_000)), { signal }))).toBe("too-large");
  const file = await host.openFile(at("d/f"), { signal });
  expect(file.sizeBytes).toBe(0);
  await file.close();
});

test("a file of no size that has content is read to its end", async () => {
  const whole = await readFile("/proc/cpuinfo");
  const file = await host.openFile("/proc/cpuinfo", { signal });
  expect([file.sizeBytes, whole.length > 0]).toEqual([0, true]);
  let isChanged = false;
  const parts = await Array.fromAsync(streamOf(file, signal, () => (isChanged = true)));
  // The speeds in it change all the time, but its lines do not.
  const names = (text: string): string[] => text.split("\n").map((line) => line.split(":")[0] ?? "");
  expect(names(Buffer.concat(parts).toString())).toEqual(names(whole.toString()));
  expect(isChanged).toBe(false);
  const again = Buffer.from(await host.readFile("/proc/cpuinfo", { signal }));
  expect(names(again.toString())).toEqual(names(whole.toString()));
});

test("what is no file is refused at once, and nobody waits for a pipe", async () => {
  execFileSync("mkfifo", [at("fifo")]);
  for (const path of [at("fifo"), "/dev/zero", "/dev/null"]) {
    expect(await failure(host.openFile(path, { signal }))).toBe("unsupported");
    expect(await failure(host.readFile(path, { signal }))).toBe("unsupported");
  }
});

test("a file that is written to while it is read is told from one that is not", async () => {
  await writeFile(at("file"), pattern(3_000_000));
  for (const isWritten of [false, true]) {
    const file = await host.openFile(at("file"), { signal });
    let isChanged = false;
    for await (const piece of streamOf(file, signal, () => (isChanged = true))) {
      expect(piece.length).toBeGreaterThan(0);
      if (isWritten) await writeFile(at("file"), pattern(3_000_000, 2));
    }
    expect(isChanged).toBe(isWritten);
  }
});

test("names that are no UTF-8 are told apart, and never opened as others", async () => {
  for (const byte of [0xe8, 0xe9]) {
    await writeFile(Buffer.concat([Buffer.from(at("caf")), Buffer.of(byte)]), "x");
  }
  const why = "its name is no UTF-8, and so has no place here";
  expect(await host.listDirectory(directory, { signal })).toEqual([
    { name: "caf\\xe8", kind: "other", why },
    { name: "caf\\xe9", kind: "other", why },
  ]);
});

test("what has been put under any name that the system allows is written under it", async () => {
  const names = ["n".repeat(255), "ü".repeat(127), "a\\b", "-", " ", "two\nlines", "C:", "con.txt", ".part"];
  for (const name of names) {
    expect(host.nameTrouble(name)).toBeUndefined();
    const writer = await host.createFile(at(name), { signal });
    await writer.write(pattern(10));
    await writer.finish();
    const file = await host.openFile(at(name), { signal });
    expect([file.name, file.sizeBytes]).toEqual([name, 10]);
    await file.close();
  }
  expect((await readdir(directory)).sort()).toEqual(names.sort());
  expect(host.nameTrouble("n".repeat(256))).toBe("it has more than 255 bytes");
});

test("a device is written in place, never replaced", async () => {
  const writer = await host.createFile("/dev/null", { signal });
  await writer.write(pattern(100_000));
  await writer.finish();
  expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
});

test("of a file that streams through, only a few pieces are under way, however large it is", async () => {
  const sizeBytes = 256 * 1024 * 1024;
  await writeFile(at("sparse"), "");
  await truncate(at("sparse"), sizeBytes);
  const file = await host.openFile(at("sparse"), { signal });
  const writer = await host.createFile("/dev/null", { signal });
  const [near] = sockets;
  if (near === undefined) throw new Error("beforeEach opens two sockets");
  let mostAhead = 0;
  let mostUnsent = 0;
  let seen = 0;
  for await (const piece of streamOf(file, signal)) {
    const written = writer.write(piece);
    mostUnsent = Math.max(mostUnsent, near.writableLength);
    await written;
    seen += piece.length;
    mostAhead = Math.max(mostAhead, near.bytesRead - seen);
  }
  await writer.finish();
  expect(seen).toBe(sizeBytes);
  for (const bytes of [mostAhead, mostUnsent]) expect(bytes).toBeLessThan(8 * 1024 * 1024);
});

/** The client serves paths from its own directory; this test's process stays in one of its own. */
function within(root: string): Host & Required<Pick<Host, "listDirectory">> {
  const inside = (path: string): string => join(root, path);
  return {
    readFile: (path, options) => host.readFile(inside(path), options),
    writeFile: (path, bytes, options) => host.writeFile(inside(path), bytes, options),
    openFile: (path, options) => host.openFile(inside(path), options),
    createFile: (path, options) => host.createFile(inside(path), options),
    listDirectory: (path, options) => host.listDirectory(inside(path), options),
    makeDirectory: (path, options) => host.makeDirectory(inside(path), options),
    nameTrouble: (name) => host.nameTrouble(name),
    hasBackslashPaths: host.hasBackslashPaths,
  };
}

treeContract("/host, over the control socket", { writes: true, makesDirectories: true, watches: false }, async () => {
  await mkdir(at("d"));
  await writeFile(at("d/f"), "hello\n");
  return { tree: hostTree(within(directory), undefined, realClock), directory: "/d", file: "/d/f" };
});

test("/host leads nowhere else by links, and says of what it can't read why", async () => {
  await mkdir(at("inside"));
  await symlink("/etc", at("inside/out"));
  await symlink("..", at("inside/circle"));
  execFileSync("mkfifo", [at("inside/pipe")]);
  const tree = hostTree(within(directory), undefined, realClock);
  const kinds = (await tree.list("/inside")).map(({ name, kind }) => `${name} ${kind}`).sort();
  expect(kinds).toEqual(["circle device", "out device", "pipe device"]);
  for (const path of ["/inside/out/passwd", "/inside/circle/inside"]) expect(await tree.stat(path)).toBeUndefined();
  expect(await failure(tree.list("/inside/out"))).toBe("not-a-directory");
  expect(await failure(Array.fromAsync(tree.read("/inside/out/passwd")))).toBe("not-found");
  expect(await failure(Array.fromAsync(tree.read("/inside/pipe")))).toBe("unsupported");
});

test("a path that nobody has named is neither read nor written, listed nor made", async () => {
  const outside = join(directory, "..", "elsewhere");
  for (const path of [outside, "/etc/passwd", at("../elsewhere"), at("x/../../elsewhere"), "/", "relative"]) {
    expect(await failure(host.readFile(path, { signal }))).toBe("unsupported");
    expect(await failure(host.openFile(path, { signal }))).toBe("unsupported");
    expect(await failure(host.createFile(path, { signal }))).toBe("unsupported");
    expect(await failure(host.listDirectory(path, { signal }))).toBe("unsupported");
    expect(await failure(host.makeDirectory(path, { signal }))).toBe("unsupported");
  }
});
