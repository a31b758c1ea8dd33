/** Every tree that is mounted, against the one suite. */
import { expect, test } from "vitest";
import { filesNode, source } from "../../../test/fixtures/files.ts";
import { memoryHost } from "../../../test/fixtures/host.ts";
import { testInbox } from "../../../test/fixtures/inbox.ts";
import { ReplicaMap, TestTime } from "../../../test/fixtures/replica-map.ts";
import { fixedMail } from "../../../test/fixtures/mail.ts";
import { testNode } from "../../../test/fixtures/node-parts.ts";
import { concat, text, utf8 } from "../../base/bytes.ts";
import { realClock } from "../../platform/clock.ts";
import type { Host, HostFile } from "../types.ts";
import { binTree } from "./bin/tree.ts";
import { devTree } from "./dev/tree.ts";
import { FilesTree } from "./files/tree.ts";
import { rememberPicked } from "./host/picked.ts";
import { hostTree } from "./host/tree.ts";
import { mailTree } from "./mail/tree.ts";
import { InboxTree } from "./inbox/tree.ts";
import { LazyTree } from "./lazy.ts";
import { MemoryTree } from "./mem/tree.ts";
import { netTree } from "./net/tree.ts";
import { Processes } from "./proc/processes.ts";
import { procTree } from "./proc/tree.ts";
import { TemporaryTree } from "./temporary/tree.ts";
import { treeContract } from "./tree.contract.ts";

const ALL = { writes: true, makesDirectories: true, removes: true, renames: true };

treeContract("/", { ...ALL, modes: true }, async () => {
  const { files } = await filesNode();
  files.makeDirectory("/d");
  await files.write("/d/f", source("hello\n"));
  const change = async (path: string): Promise<void> => void (await files.write(`${path}/changed`, source("x")));
  return { tree: new FilesTree(files), directory: "/d", file: "/d/f", change };
});

treeContract("/tmp", { ...ALL, modes: true }, async () => {
  const tree = new TemporaryTree(realClock);
  await tree.makeDirectory("/d");
  await tree.write("/d/f", source("hello\n"));
  return { tree, directory: "/d", file: "/d/f", change: (path) => tree.write(`${path}/changed`, source("x")) };
});

treeContract("/mem", ALL, () => {
  const memory = new ReplicaMap(1, new TestTime());
  memory.set("d/f", "hello\n");
  const tree = new MemoryTree({ memory, clock: realClock, nameOf: () => "otter" });
  return { tree, directory: "/d", file: "/d/f", change: (path) => void memory.set(`${path.slice(1)}/changed`, 1) };
});

treeContract("/net", {}, async () => {
  const node = await testNode();
  return { tree: netTree(node.net), directory: "/otter", file: "/otter/id", change: () => node.tell("otter") };
});

treeContract("/mail", {}, () => {
  const { mail, change } = fixedMail();
  return { tree: mailTree(mail), directory: "/inbox/1", file: "/inbox/1/text", change };
});

treeContract("/proc", {}, async () => {
  const node = await testNode();
  const processes = new Processes();
  return {
    tree: procTree({ ...node, clock: realClock, memory: new ReplicaMap(1, new TestTime()), processes }),
    directory: "/job1",
    file: "/job1/status",
    change: () => void processes.newPid(),
  };
});

treeContract("/dev", { writes: "some", removes: true }, async () => {
  const node = await testNode();
  const parts = { ...node, terminal: {}, descriptors: node.descriptors };
  return {
    tree: devTree({ ...parts, clock: realClock }),
    directory: "/senders",
    file: "/senders/otter",
    change: () => void node.devices.answer(node.otter, "refuse"),
  };
});

treeContract("/inbox", { removes: true }, async () => {
  const [node, inbox] = await Promise.all([testNode(), testInbox()]);
  const files = { "docs/": utf8(""), "docs/a": utf8("hello\n"), "docs/deep/b": utf8("deep"), "docs/\u001b": utf8("x") };
  await inbox.come(node.otter, files);
  await inbox.come(node.otter, { "one.jpg": utf8("picture") });
  await inbox.come(node.otter, { "one.jpg": utf8("another") });
  await inbox.come(node.otter, { a: utf8("a"), b: utf8("b") });
  await inbox.come("12D3KooWsomebodywhohasleft", { "..\\x": utf8("x") });
  // In the form in which it is mounted.
  const tree = new LazyTree(async () => new InboxTree({ ...node, transfer: inbox.transfer }));
  const change = async (): Promise<void> => void (await inbox.come(node.otter, { new: utf8("new") }));
  return { tree, directory: "/otter/docs", file: "/otter/docs/a", change };
});

test("/inbox has a place for each transfer, and takes it away as a whole", async () => {
  const [node, inbox] = await Promise.all([testNode(), testInbox()]);
  await inbox.come(node.otter, { "docs/": utf8(""), "docs/a": utf8("hello\n") });
  for (const content of ["one", "two"]) await inbox.come(node.otter, { "pic.jpg": utf8(content) });
  await inbox.come(node.otter, { a: utf8("a"), b: utf8("b") });
  const tree = new InboxTree({ ...node, transfer: inbox.transfer });
  const names = async (path: string): Promise<string[]> => (await tree.list(path)).map(({ name }) => name);
  expect(await names("/otter")).toEqual(["docs", "pic.jpg", "pic (2).jpg", "a and 1 more"]);
  expect(await names("/otter/a and 1 more")).toEqual(["a", "b"]);
  const parts = await Array.fromAsync(tree.read("/otter/pic (2).jpg"));
  expect(text(concat(parts))).toBe("two");
  await expect(tree.remove("/otter/docs/a", { isRecursive: true })).rejects.toMatchObject({ code: "unsupported" });
  await expect(tree.remove("/otter/docs")).rejects.toMatchObject({ code: "not-empty" });
  await tree.remove("/otter/docs", { isRecursive: true });
  await tree.remove("/otter/pic.jpg");
  expect(await names("/otter")).toEqual(["pic.jpg", "a and 1 more"]);
  await tree.remove("/otter", { isRecursive: true });
  expect(await names("/")).toEqual([]);
});

treeContract("/bin", {}, () => {
  const commands = [{ name: "cat", summary: "files to standard output", help: "usage: cat" }];
  return { tree: binTree({ commands: () => commands }), directory: "/", file: "/cat" };
});

treeContract("/host, a directory", { writes: true, makesDirectories: true, watches: false }, () => {
  const host = memoryHost(new Map([["d/f", utf8("hello\n")]]));
  return { tree: hostTree(host, undefined, realClock), directory: "/d", file: "/d/f" };
});

treeContract("/host, of a tab, with nothing picked", {}, () => ({ ...pickedTree([]), file: "/README" }));

treeContract("/host, of a tab", {}, async () => {
  const { tree, pick } = pickedTree(["a.txt", "a.txt", "../../etc/passwd", ".."]);
  await pick();
  return { tree, directory: "/", file: "/a.txt" };
});

function pickedTree(names: readonly string[]): {
  tree: ReturnType<typeof hostTree>;
  directory: string;
  readonly pick: () => Promise<void>;
} {
  const tab: Host = tabHost();
  const picked = rememberPicked({ ...tab, pickFiles: () => Promise.resolve(names.map(pickedFile)) });
  const pick = async (): Promise<void> => {
    for (const one of (await picked?.host.pickFiles?.({ signal: new AbortController().signal })) ?? [])
      await one.close();
  };
  return { tree: hostTree(tab, picked, realClock), directory: "/", pick };
}

function pickedFile(name: string, i: number): HostFile {
  const bytes = utf8(`content ${i}`.repeat(i + 1));
  return {
    name,
    sizeBytes: bytes.length,
    modifiedAtMs: i,
    read: (at: number, length: number) => Promise.resolve(bytes.slice(at, at + length)),
    close: () => Promise.resolve(),
  };
}

/** A host without directories. */
function tabHost(): Host {
  const host = memoryHost(new Map());
  return {
    readFile: (path, options) => host.readFile(path, options),
    writeFile: (path, bytes, options) => host.writeFile(path, bytes, options),
    openFile: (path, options) => host.openFile(path, options),
    createFile: (path, options) => host.createFile(path, options),
  };
}
