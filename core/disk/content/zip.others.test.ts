/**
 * Zips as others write them: each entry is read as Info-ZIP's unzip reads it, or it is named and the next one comes.
 */
import { describe, expect, it } from "vitest";
import { collect, pattern } from "../../../test/fixtures/content.ts";
import { IS_UTF8, unicodePath, type ZipPart, zipOf } from "../../../test/fixtures/zip.ts";
import { concat, text, utf8 } from "../../base/bytes.ts";
import { bytesAccess } from "./random-access.ts";
import type { FileEntry } from "./tree-entry.ts";
import { readZip } from "./zip.ts";

async function read(zip: Uint8Array): Promise<[path: string, what: string][]> {
  const found: [string, string][] = [];
  for await (const entry of readZip(bytesAccess(zip))) {
    if (entry.kind === "file") found.push([entry.path, await contentOf(entry)]);
    else found.push([entry.path, entry.kind === "other" ? `no: ${entry.what}` : entry.kind]);
  }
  return found;
}

async function contentOf({ content }: FileEntry): Promise<string> {
  return await collect(content).then(
    (bytes) => `= ${text(bytes)}`,
    (error: { code: string }) => `no: ${error.code}`,
  );
}

const PARTS: ZipPart[] = [
  { name: "a", bytes: utf8("one") },
  { name: "b", bytes: utf8("two") },
];
const BOTH: [string, string][] = [
  ["a", "= one"],
  ["b", "= two"],
];

describe("two names", () => {
  it("of other bytes that read the same are told apart: the later one is named, and not stored", async () => {
    const same: ZipPart[] = [
      { name: Uint8Array.of(0x81), bytes: utf8("code page 437") },
      { name: utf8("ü"), flags: IS_UTF8, bytes: utf8("UTF-8") },
      { name: "last", bytes: utf8("comes") },
    ];
    expect(await read(zipOf(same))).toEqual([
      ["ü", "= code page 437"],
      ["ü", "no: another entry has this name, in other bytes"],
      ["last", "= comes"],
    ]);
  });

  it("of the same bytes are one that was written again, as for Info-ZIP", async () => {
    const again: ZipPart[] = [
      { name: "a", bytes: utf8("before") },
      { name: "a", bytes: utf8("after") },
    ];
    expect(await read(zipOf(again))).toEqual([
      ["a", "= before"],
      ["a", "= after"],
    ]);
  });
});

describe("bytes around a zip", () => {
  it("before it are counted or not", async () => {
    const program = pattern(3_000);
    expect(await read(concat([program, zipOf(PARTS)]))).toEqual(BOTH);
    expect(await read(zipOf(PARTS, program))).toEqual(BOTH);
  });

  it("after it are passed over, as far as a comment could be", async () => {
    expect(await read(concat([zipOf(PARTS), pattern(3_000)]))).toEqual(BOTH);
    expect(await read(concat([pattern(100), zipOf(PARTS), utf8("\r\n")]))).toEqual(BOTH);
    await expect(read(concat([zipOf(PARTS), pattern(70_000)]))).rejects.toMatchObject({ code: "malformed" });
  });

  it("may be another zip: the last one counts", async () => {
    expect(await read(concat([zipOf([{ name: "old" }]), zipOf(PARTS)]))).toEqual(BOTH);
  });

  it("before it that are missing cost the entries that were there", async () => {
    expect(await read(zipOf(PARTS).subarray(20))).toEqual([
      ["a", "no: malformed"],
      ["b", "= two"],
    ]);
  });

  it("of an empty zip are none of it", async () => {
    expect(await read(concat([pattern(100), zipOf([])]))).toEqual([]);
  });
});

describe("names", () => {
  const e = Uint8Array.of(0x63, 0x82);

  it("in Info-ZIP's field count where it is of the same name, and is UTF-8", async () => {
    const extra = unicodePath(e, "c\u00e9 \u4e03");
    expect(await read(zipOf([{ name: e, extra }]))).toEqual([["c\u00e9 \u4e03", "= "]]);
    const stale = unicodePath(utf8("renamed since"), "other");
    expect(await read(zipOf([{ name: e, extra: stale }]))).toEqual([["c\u00e9", "= "]]);
  });

  it("with backslashes are paths where Windows wrote them, and names elsewhere", async () => {
    const windows = [
      { name: "d\\", madeOn: 0 },
      { name: "d\\e.txt", madeOn: 0, bytes: utf8("x") },
    ];
    expect(await read(zipOf(windows))).toEqual([
      ["d", "folder"],
      ["d/e.txt", "= x"],
    ]);
    expect(
      await read(
        zipOf([
          { name: "d\\e", madeOn: 3 },
          { name: "f/g\\h", madeOn: 0 },
        ]),
      ),
    ).toEqual([
      ["d\\e", "= "],
      ["f/g\\h", "= "],
    ]);
    expect(await read(zipOf([{ name: "..\\up", madeOn: 0 }, ...PARTS]))).toEqual([
      ["..\\up", 'no: A path that no file can have: "../up"'],
      ...BOTH,
    ]);
  });

  it("that no file can have are named, and the rest comes", async () => {
    const bad: ZipPart[] = [
      { name: "../x" },
      { name: "n\0ul" },
      { name: "." },
      { name: Uint8Array.of(0x63, 0xe9), flags: IS_UTF8 },
      { name: "n".repeat(5_000) },
    ];
    const found = await read(zipOf([...bad, ...PARTS]));
    expect(found.slice(0, 4).map(([path, what]) => [path, what.slice(0, 22)])).toEqual([
      ["../x", "no: A path that no fil"],
      ["n\0ul", "no: A path that no fil"],
      [".", "no: it has no name"],
      ["c\\xe9", "no: a name that is no "],
    ]);
    expect(found[4]?.[1]).toBe("no: A path that is too long");
    expect(found.slice(5)).toEqual(BOTH);
  });
});

it("what is packed or encrypted in another way costs its own content only", async () => {
  const parts = [{ name: "e", flags: 1, bytes: utf8("x") }, { name: "m", method: 12, bytes: utf8("x") }, ...PARTS];
  expect(await read(zipOf(parts))).toEqual([["e", "no: unsupported"], ["m", "no: unsupported"], ...BOTH]);
});
