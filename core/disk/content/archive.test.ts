/** Tar and zip: there and back, as real tools wrote them, and broken. */
import * as fc from "fast-check";
import { gunzipSync } from "fflate";
import { base64pad } from "multiformats/bases/base64";
import { describe, expect, it } from "vitest";
import {
  GNU_TAR_GZ,
  INFO_ZIP_GZ,
  LARGE_ZIP,
  PAX_TAR_GZ,
  PIPED_ZIP_GZ,
  PYTHON_ZIP_GZ,
} from "../../../test/fixtures/archives.ts";
import { chunked, collect, pattern, repeated, streamOf } from "../../../test/fixtures/content.ts";
import { equal, text, toHex, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { crc32 } from "./crc32.ts";
import { bytesAccess, type RandomAccess } from "./random-access.ts";
import { writeTar } from "./tar.ts";
import { readTar } from "./tar-read.ts";
import { cleanPath, type FileEntry, type FolderEntry, type TreeEntry } from "./tree-entry.ts";
import { readZip } from "./zip.ts";
import { writeZip } from "./zip-write.ts";

type Written = FileEntry | FolderEntry;

interface Format {
  readonly name: string;
  write(entries: AsyncIterable<Written>): AsyncGenerator<Uint8Array>;
  read(archive: Uint8Array): AsyncGenerator<TreeEntry>;
}

const TAR: Format = { name: "tar", write: writeTar, read: (archive) => readTar(chunked(archive, 700)) };
const ZIP: Format = { name: "zip", write: writeZip, read: (archive) => readZip(bytesAccess(archive)) };
const FORMATS: readonly Format[] = [TAR, ZIP];

const MODIFIED_MS: number = Date.UTC(2026, 10, 22, 12, 30, 20);

function file(path: string, bytes: Uint8Array, modifiedMs = MODIFIED_MS): FileEntry {
  return { kind: "file", path, sizeBytes: bytes.length, modifiedMs, content: chunked(bytes) };
}

/** What is in an archive, by path: the content, or what it is instead. */
async function unpack(entries: AsyncIterable<TreeEntry>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const entry of entries) {
    if (entry.kind === "file") {
      const bytes = await collect(entry.content);
      expect(bytes.length).toBe(entry.sizeBytes);
      found[entry.path] = text(bytes);
    } else {
      found[entry.path] = wordOf(entry);
    }
  }
  return found;
}

function wordOf(entry: Exclude<TreeEntry, FileEntry>): string {
  if (entry.kind === "folder") return "folder";
  return entry.kind === "link" ? `link to ${entry.to}` : entry.what;
}

function recorded(gzip: string): Uint8Array {
  return gunzipSync(base64pad.baseDecode(gzip));
}

const LONG = `top/${"l".repeat(120)}`;
const TOP = {
  top: "folder",
  "top/a.txt": "hello\n",
  "top/empty": "",
  "top/link": "symlink",
  "top/sub": "folder",
  "top/sub/ünï.txt": "x".repeat(2_000),
  [LONG]: "folder",
  [`${LONG}/${"n".repeat(120)}`]: "long\n",
};

describe.each(FORMATS)("$name", (format) => {
  const names = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 150 })
    .filter((name) => !name.includes("/") && !name.includes("\0") && !/^\.*$/.test(name) && utf8(name).length < 2_000);
  const trees = fc.uniqueArray(
    fc.record({ path: fc.array(names, { minLength: 1, maxLength: 2 }), bytes: fc.uint8Array({ maxLength: 2_000 }) }),
    { selector: ({ path }) => path.join("/"), maxLength: 10 },
  );

  it("gives back any files", async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (tree) => {
        const entries = tree.map(({ path, bytes }) => file(path.join("/"), bytes));
        const archive = await collect(format.write(streamOf(...entries)));
        const back: { path: string; hex: string }[] = [];
        for await (const entry of format.read(archive)) {
          if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
          back.push({ path: entry.path, hex: toHex(await collect(entry.content)) });
        }
        expect(back).toEqual(tree.map(({ path, bytes }) => ({ path: path.join("/"), hex: toHex(bytes) })));
      }),
    );
  });

  it("gives back folders, times and large files, and passes over what is not read", async () => {
    const large = pattern(5_000_000);
    const entries: Written[] = [
      { kind: "folder", path: "empty folder", modifiedMs: MODIFIED_MS },
      file("a/unread", pattern(3_000_000)),
      file("a/large", large),
      file("z", utf8("end")),
    ];
    const archive = await collect(format.write(streamOf(...entries)));
    const seen: string[] = [];
    for await (const entry of format.read(archive)) {
      seen.push(entry.path);
      if (entry.kind === "file" || entry.kind === "folder") expect(entry.modifiedMs).toBe(MODIFIED_MS);
      if (entry.path === "a/large" && entry.kind === "file") {
        expect(equal(await collect(entry.content), large)).toBe(true);
      }
    }
    expect(seen).toEqual(["empty folder", "a/unread", "a/large", "z"]);
  });

  it("is written as a stream", async () => {
    let read = 0;
    async function* content(): AsyncGenerator<Uint8Array> {
      const chunk = pattern(1 << 20);
      for (; read < 2 ** 33; read += chunk.length) yield chunk;
    }
    const entry: FileEntry = { kind: "file", path: "large", sizeBytes: 2 ** 33, content: content() };
    let written = 0;
    for await (const chunk of format.write(streamOf(entry))) {
      written += chunk.length;
      expect(read - written).toBeLessThan(16 << 20);
      if (written > 64 << 20) break;
    }
    expect(written).toBeGreaterThan(64 << 20);
  });

  it("is not written where a content has another length than was said", async () => {
    for (const sizeBytes of [0, 9, 11]) {
      const entry = { ...file("a", new Uint8Array(10)), sizeBytes };
      await expect(collect(format.write(streamOf(entry)))).rejects.toMatchObject({ code: "io" });
    }
  });

  it("ends with the error of what it is read from", async () => {
    async function* broken(): AsyncGenerator<TreeEntry & Written> {
      yield file("a", new Uint8Array(10));
      throw new Error("the cable is out");
    }
    await expect(collect(format.write(broken()))).rejects.toMatchObject({ code: "io", message: "the cable is out" });
  });

  it("tells what it is not from what it is", async () => {
    for (const bytes of [utf8("neither tar nor zip"), pattern(5_000)]) {
      await expect(unpack(format.read(bytes))).rejects.toMatchObject({ code: "malformed" });
    }
  });

  it("that ends early is refused", async () => {
    const archive = await collect(format.write(streamOf(file("a", pattern(2_000)), file("b", pattern(2_000)))));
    // A tar may lack its end, so that one that ends between two entries is whole.
    for (let length = 1; length < archive.length - 1_024; length += 97) {
      await expect(unpack(format.read(archive.subarray(0, length)))).rejects.toMatchObject({ code: "malformed" });
    }
  });

  it("names what leads out of its folder, and gives the rest", async () => {
    for (const path of ["../a", "a/../../b", ".."]) {
      const archive = await collect(format.write(streamOf(file(path, utf8("x")), file("b", utf8("y")))));
      const why = `A path that no file can have: ${JSON.stringify(path)}`;
      expect(await unpack(format.read(archive))).toEqual({ [path]: why, b: "y" });
    }
  });
});

describe("tar of others", () => {
  it.each([
    ["GNU tar", GNU_TAR_GZ],
    ["GNU tar with pax headers", PAX_TAR_GZ],
  ])("%s is read", async (_, gzip) => {
    const archive = recorded(gzip);
    expect(await unpack(TAR.read(archive))).toEqual(TOP);
    for await (const entry of TAR.read(archive)) {
      if (entry.kind === "file" && entry.path === "top/a.txt") expect(entry.modifiedMs).toBe(1_700_000_000_000);
    }
  });

  it("lets its source go when it is left", async () => {
    let isClosed = false;
    const archive = await collect(writeTar(streamOf(file("a", pattern(100_000)), file("b", pattern(100_000)))));
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunked(archive, 700);
        yield* repeated(1 << 30, 0);
      } finally {
        isClosed = true;
      }
    }
    for await (const entry of readTar(source())) {
      expect(entry.path).toBe("a");
      break;
    }
    expect(isClosed).toBe(true);
  });

  it("breaks where its source does", async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield (await collect(writeTar(streamOf(file("a", pattern(100_000)))))).subarray(0, 50_000);
      throw new Error("the cable is out");
    }
    await expect(unpack(readTar(source()))).rejects.toMatchObject({ code: "io" });
  });
});

describe("zip of others", () => {
  it("Info-ZIP's is read", async () => {
    expect(await unpack(ZIP.read(recorded(INFO_ZIP_GZ)))).toEqual(TOP);
    expect(await unpack(ZIP.read(recorded(PIPED_ZIP_GZ)))).toEqual({ "-": "hello\n" });
    for await (const entry of ZIP.read(recorded(INFO_ZIP_GZ))) {
      if (entry.kind === "file" && entry.path === "top/a.txt") expect(entry.modifiedMs).toBe(1_700_000_000_000);
    }
  });

  it("Python's with zip64 is read", async () => {
    expect(await unpack(ZIP.read(recorded(PYTHON_ZIP_GZ)))).toEqual({ "big64.txt": "y".repeat(5_000), d: "folder" });
  });

  it("breaks where its source does", async () => {
    const archive = recorded(PYTHON_ZIP_GZ);
    const source: RandomAccess = {
      sizeBytes: archive.length,
      read: async (at, length) => {
        if (at > 0 && at < 60) throw new StarfishError("io", "the disk is gone");
        return archive.subarray(at, at + length);
      },
    };
    await expect(unpack(readZip(source))).rejects.toMatchObject({ code: "io" });
  });

  it("never gives other bytes than those that were packed, however it is damaged", async () => {
    const archive = recorded(PYTHON_ZIP_GZ);
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = archive.map((byte, i) => (i === at ? byte ^ flip : byte));
        const outcome = await unpack(ZIP.read(damaged)).catch((error: { code?: string }) => error.code);
        if (typeof outcome === "string") expect(["malformed", "unsupported", "too-large"]).toContain(outcome);
        // Names and attributes have no checksum.
        else
          for (const found of Object.values(outcome ?? {}))
            expect(["y".repeat(5_000), "folder", "symlink", ""]).toContain(found);
      }),
      { numRuns: 500 },
    );
  });

  it("with more than 4 GiB of content is read by its zip64 fields", async () => {
    const entries = await Array.fromAsync(readZip(largeZip()));
    expect(entries.map((entry) => entry.kind === "file" && entry.sizeBytes)).toEqual([2 ** 32 + 2 ** 20, 3]);
    const [large, after] = entries;
    expect(after?.kind === "file" && text(await collect(after.content))).toBe("end");
    let read = 0;
    for await (const chunk of large?.kind === "file" ? large.content : streamOf<Uint8Array>()) {
      expect(chunk.every((byte) => byte === 0)).toBe(true);
      read += chunk.length;
      if (read > 1_000_000) break;
    }
  });
});

/** An archive whose zeros take no memory. */
function largeZip(): RandomAccess {
  const parts = LARGE_ZIP.parts.map(([at, base64]) => ({ at, bytes: base64pad.baseDecode(base64) }));
  const read = async (at: number, length: number): Promise<Uint8Array> => {
    const result = new Uint8Array(Math.min(length, LARGE_ZIP.sizeBytes - at));
    for (const part of parts) {
      const from = Math.max(part.at, at);
      const to = Math.min(part.at + part.bytes.length, at + result.length);
      if (from < to) result.set(part.bytes.subarray(from - part.at, to - part.at), from - at);
    }
    return result;
  };
  return { sizeBytes: LARGE_ZIP.sizeBytes, read };
}

it("paths are made clean or refused", () => {
  expect(cleanPath("./a//b/./c/")).toBe("a/b/c");
  expect(cleanPath("/etc/passwd")).toBe("etc/passwd");
  expect(cleanPath("./")).toBe("");
  for (const path of ["a/../b", "a\0", "\ud800"]) expect(() => cleanPath(path)).toThrow(/no file can have/);
  expect(() => cleanPath("a/".repeat(5_000))).toThrow(/too long/);
});

it("CRC-32 is that of the standard's check value, in one piece or several", () => {
  expect(crc32(utf8("123456789"))).toBe(0xcbf43926);
  expect(crc32(utf8("6789"), crc32(utf8("12345")))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});
