/** put: archives of others are unpacked completely, or as far as their entries can be stored. */
import { gzipSync } from "fflate";
import { beforeEach, expect, test } from "vitest";
import { GNU_MAGIC, tarOf, tarPart } from "../../../test/fixtures/tar.ts";
import { zipOf } from "../../../test/fixtures/zip.ts";
import { type Ran, ShellBench } from "../../../test/sim/shell-bench.ts";
import { concat, utf8 } from "../../base/bytes.ts";
import type { Computer } from "../../computer.ts";

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

async function imports(name: string, archive: Uint8Array): Promise<Pick<Ran, "status" | "stdout" | "stderr">> {
  bench.files.set(name, archive);
  const { status, stdout, stderr } = await bench.run(`put --unpack ${name} /in`);
  return { status, stdout, stderr };
}

async function cat(path: string): Promise<string> {
  return (await bench.run(`cat ${path}`)).stdout;
}

const A = { name: "a", bytes: utf8("one") };

test("what has no place is named and passed over, the rest comes, and the status says so", async () => {
  const tar = tarOf(
    { name: Uint8Array.of(0x63, 0xe9), bytes: utf8("x") },
    { name: Uint8Array.of(0x63, 0xe8), bytes: utf8("y") },
    { name: "s", type: "2", link: "a" },
    { name: "../up", bytes: utf8("x") },
    { name: "n".repeat(99), bytes: utf8("x"), fields: [[345, `${"d/".repeat(70)}d`]] },
    A,
  );
  expect(await imports("x.tar", tar)).toEqual({
    status: 1,
    stdout: "2 files, 4 B\n",
    stderr: `put: passed over c\\xe9: a name that is no UTF-8, and so has no place here
put: passed over c\\xe8: a name that is no UTF-8, and so has no place here
put: passed over s: symlink
put: passed over ../up: A path that no file can have: "../up"
put: 4 entries passed over, as named above; the rest is there
`,
  });
  expect(await cat("/in/a")).toBe("one");
  expect(computer.files.stat("/up")).toBeUndefined();
});

test("a hard link is a copy that costs nothing, and one to nothing is named", async () => {
  const large = new Uint8Array(50_000).fill(7);
  const link = { name: "d/l", type: "1", link: "large", magic: GNU_MAGIC };
  const tar = tarOf({ name: "large", bytes: large }, link, { ...link, name: "m", link: "nothing" }, A);
  expect(await imports("x.tar", tar)).toEqual({
    status: 1,
    stdout: "3 files, 100 kB\n",
    stderr: `put: passed over m: a hard link to nothing, which is not there
put: 1 entry passed over, as named above; the rest is there
`,
  });
  const [file, copy] = [computer.files.stat("/in/large"), computer.files.stat("/in/d/l")];
  expect(copy?.content).toEqual(file?.content);
  expect(computer.storage.use().usedBytes).toBeLessThan(80_000);
});

test("two spellings of one name do not replace each other", async () => {
  const parts = [
    { name: "u\u0308", bytes: utf8("two letters") },
    { name: "\u00fc", bytes: utf8("one letter") },
    { name: "./u\u0308", bytes: utf8("again") },
  ];
  const { status, stderr } = await imports("x.tar", tarOf(...parts));
  expect([status, stderr.split("\n")[0]]).toEqual([
    1,
    "put: passed over \u00fc: the same name as another one in this archive, in another Unicode form",
  ]);
  // The later of two entries of one name counts, as with tar.
  expect(await cat("/in/\u00fc")).toBe("again");
});

test("a file and a directory of one name: what came first stays", async () => {
  const tar = tarOf(
    { name: "a/b", bytes: utf8("x") },
    A,
    { name: "f", bytes: utf8("y") },
    { name: "f/g", bytes: utf8("z") },
  );
  const { status, stdout, stderr } = await imports("x.tar", tar);
  expect([status, stdout]).toEqual([1, "2 files, 2 B\n"]);
  expect(stderr).toMatch(/^put: passed over a: \/in\/a is a directory\nput: passed over f\/g: .*\/in\/f.*\n/);
});

test("a zip with bytes around it and one damaged file gives the others", async () => {
  const zip = zipOf([A, { name: "bad", bytes: utf8("packed otherwise"), method: 12 }, { name: "w\\x", madeOn: 0 }]);
  const { status, stdout, stderr } = await imports("x.zip", concat([utf8("#!/bin/sh\n"), zip, utf8("\n")]));
  expect([status, stdout]).toEqual([1, "2 files, 3 B\n"]);
  expect(stderr).toContain("passed over bad: bad is packed by method 12");
  expect(computer.files.stat("/in/w/x")?.kind).toBe("file");
  expect(computer.files.stat("/in/bad")).toBeUndefined();
});

test("a tar that ends within an entry keeps what was whole, and one that is no tar says what it is", async () => {
  const cut = concat([tarPart(A), tarPart({ name: "b", bytes: new Uint8Array(5_000) }).subarray(0, 2_000)]);
  const { status, stderr } = await imports("x.tar", cut);
  expect([status, stderr]).toEqual([
    1,
    "put: passed over b: The data ends within a block\n" +
      "put: 1 file, 3 B is there; 'stat' says how safe by now\nput: The data ends within a block\n",
  ]);
  expect(await cat("/in/a")).toBe("one");
  expect(computer.files.stat("/in/b")).toBeUndefined();
  expect((await imports("y.tar", gzipSync(tarOf(A)))).stderr).toContain("unpack it first (gzip -d)");
});

test("a tar without end blocks is whole", async () => {
  expect(await imports("x.tar", tarPart(A))).toEqual({ status: 0, stdout: "1 file, 3 B\n", stderr: "" });
});
