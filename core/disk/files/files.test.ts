/** Files on one node: what is written is there, in its place, in one step, and can be brought back. */
import { describe, expect, test } from "vitest";
import { pattern } from "../../../test/fixtures/content.ts";
import { collect, chunked } from "../../../test/fixtures/content.ts";
import { everything, filesNode, readText, source, write } from "../../../test/fixtures/files.ts";
import { TestTime } from "../../../test/fixtures/replica-map.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { VERSION_KEEP_MS } from "./limits.ts";

function code(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isStarfishError(error) ? error.code : "another error";
  }
  return "none";
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: unknown) => (isStarfishError(error) ? error.code : "another error"),
  );
}

describe("a file", () => {
  test("reads back as it was written: empty, small, at the limit of entries, above it", async () => {
    const { files, contents } = await filesNode();
    for (const sizeBytes of [0, 1, 4096, 4097, 300_000]) {
      const bytes = pattern(sizeBytes);
      const { info, safe } = await files.write(`/f/${sizeBytes}`, chunked(bytes, 1_000));
      await safe;
      expect(info).toMatchObject({ path: `/f/${sizeBytes}`, kind: "file", sizeBytes, writer: 1, isConflict: false });
      expect(await collect(files.read(`/f/${sizeBytes}`))).toEqual(bytes);
      expect(await collect(files.read(`/f/${sizeBytes}`, { from: 1, to: 4_090 }))).toEqual(bytes.slice(1, 4_090));
    }
    expect(contents.use().shards).toBe(2);
    expect([...files.references()]).toHaveLength(2);
    expect(files.stat("/f/0")?.content?.cid).toBe("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
  });

  test("can be made a program, and stays one when it is overwritten, moved, copied, removed and restored", async () => {
    const { files } = await filesNode();
    await write(files, "a.sh", "echo a");
    const before = files.stat("a.sh");
    expect(before).toMatchObject({ isExecutable: false, writerName: "calm-otter" });
    files.setExecutable("a.sh", true);
    expect(files.stat("a.sh")).toEqual({ ...before, isExecutable: true });
    await write(files, "a.sh", "echo b");
    await files.append("a.sh", source("; echo c"));
    files.rename("a.sh", "b.sh");
    files.copy("b.sh", "/d/c.sh");
    files.rename("d", "e");
    for (const path of ["b.sh", "/e/c.sh"]) expect(files.stat(path)?.isExecutable).toBe(true);
    files.remove("b.sh");
    files.restore("b.sh");
    expect(files.stat("b.sh")?.isExecutable).toBe(true);
    files.setExecutable("b.sh", false);
    expect(files.stat("b.sh")?.isExecutable).toBe(false);
    await files.write("new.sh", source("x"), { isExecutable: true });
    expect(files.stat("new.sh")?.isExecutable).toBe(true);
    expect(code(() => files.setExecutable("e", true))).toBe("is-a-directory");
    expect(code(() => files.setExecutable("nothing", true))).toBe("not-found");
    expect(files.versions("b.sh")[0]?.isExecutable).toBe(false);
  });

  test("is replaced in one step: readers go on with what they opened", async () => {
    const { files } = await filesNode();
    const before = pattern(600_000, 1);
    await write(files, "a", before);
    const reading = files.read("a");
    const first = await reading.next();
    await write(files, "a", "new");
    const parts = [first.value ?? new Uint8Array(0)];
    for await (const part of reading) parts.push(part);
    expect(parts.reduce((sum, { length }) => sum + length, 0)).toBe(600_000);
    expect(await readText(files, "a")).toBe("new");
  });

  test("of a put that fails or is cancelled nothing is seen, and the old one stays", async () => {
    const { files } = await filesNode();
    await write(files, "a", "old");
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield pattern(10_000);
      throw new StarfishError("io", "The source broke");
    };
    expect(await failure(files.write("a", broken()))).toBe("io");
    const stop = new AbortController();
    const cancelledMidway = async function* (): AsyncGenerator<Uint8Array> {
      yield pattern(1_000_000);
      stop.abort();
      yield pattern(1_000_000);
    };
    expect(await failure(files.write("a", cancelledMidway(), { signal: stop.signal }))).toBe("cancelled");
    expect(await everything(files)).toEqual({ "/a": "old" });
  });

  test("grows by appending, also by several at once", async () => {
    const { files } = await filesNode();
    await Promise.all([1, 2, 3, 4].map((i) => files.append("log", source(`${i}\n`))));
    expect(await readText(files, "log")).toBe("1\n2\n3\n4\n");
    await files.append("log", source(pattern(5_000)));
    expect(files.stat("log")?.sizeBytes).toBe(5_008);
    expect(files.list("/").map(({ path }) => path)).toEqual(["/log"]);
  });

  test("is safe when it is acknowledged, and tells how far it is", async () => {
    const { files } = await filesNode();
    const seen: number[][] = [];
    const onProgress = (p: { takenBytes: number; safeBytes: number }): void =>
      void seen.push([p.takenBytes, p.safeBytes]);
    const { safe } = await files.write("small", source("abc"), { onProgress });
    expect(seen).toEqual([[3, 0]]);
    await safe;
    expect(seen).toEqual([
      [3, 0],
      [3, 3],
    ]);
  });
});

describe("paths", () => {
  test("are taken from the root, with . and .., in normal form C; other letters are as they are", async () => {
    const { files } = await filesNode();
    await write(files, "a/./b/../c//ünï".normalize("NFD"), "1");
    expect(files.stat("/a/c/ünï".normalize("NFC"))?.path).toBe("/a/c/ünï".normalize("NFC"));
    expect(files.stat("../../a/c/ünï")?.kind).toBe("file");
    for (const name of ["\u202egpj.exe", "a\nb", "𝒳", " ", "-rf", "con (conflict 2026-01-01 x).txt", "%2F", "\\"]) {
      await write(files, `/odd/${name}`, name);
      expect(await readText(files, `odd/${name}`)).toBe(name);
    }
    expect(files.list("odd")).toHaveLength(8);
  });

  test("that no file can have are refused, and nothing is written", async () => {
    const { files, map } = await filesNode();
    await write(files, "file", "x");
    await write(files, "dir/x", "x");
    const entries = map.count();
    for (const [path, expected] of [
      ["a\0b", "malformed"],
      ["\ud800", "malformed"],
      ["x".repeat(977), "too-large"],
      ["ü".repeat(489), "too-large"],
      ["file/below", "not-a-directory"],
      ["file/below/deep", "not-a-directory"],
      ["dir", "is-a-directory"],
      ["/", "is-a-directory"],
    ] as const) {
      expect([path, await failure(write(files, path, "y"))]).toEqual([path, expected]);
    }
    expect(map.count()).toBe(entries);
    await write(files, "ü".repeat(488), "fits");
    expect(await readText(files, "ü".repeat(488))).toBe("fits");
    files.rename("ü".repeat(488), "x".repeat(976));
    expect(await readText(files, "x".repeat(976))).toBe("fits");
  });
});

describe("directories", () => {
  test("are there as long as something is in them, or were made", async () => {
    const { files } = await filesNode();
    files.makeDirectory("/empty");
    files.makeDirectory("/a/b/c", { parents: true });
    files.makeDirectory("/a/b/c", { parents: true });
    expect(code(() => files.makeDirectory("/a"))).toBe("exists");
    expect(code(() => files.makeDirectory("/x/y"))).toBe("not-found");
    await write(files, "/deep/er/file", "1");
    expect(await everything(files)).toEqual({ "/empty/": "", "/a/b/c/": "", "/deep/er/file": "1" });
    files.remove("/deep/er/file");
    expect(files.list("/deep").map(({ path, kind }) => [path, kind])).toEqual([["/deep/er", "directory"]]);
    expect(code(() => files.remove("/a"))).toBe("not-empty");
    expect(code(() => files.remove("/"))).toBe("unsupported");
    expect(code(() => files.remove("/nowhere"))).toBe("not-found");
    files.remove("/a", { recursive: true });
    files.remove("/empty");
    files.remove("/deep/er");
    expect(await everything(files)).toEqual({ "/deep/": "" });
  });

  test("are as old as the latest of what is in them", async () => {
    const time = new TestTime();
    const { files } = await filesNode({ time });
    await write(files, "/a/b/old", "1");
    time.nowMs += 60_000;
    await write(files, "/a/new", "2");
    const latest = time.nowMs;
    expect([files.stat("/a")?.modifiedAtMs, files.stat("/")?.modifiedAtMs]).toEqual([latest, latest]);
    expect(files.stat("/a/b")?.modifiedAtMs).toBe(latest - 60_000);
    files.remove("/a/new");
    expect(files.stat("/a")?.modifiedAtMs).toBe(latest - 60_000);
  });

  test("move with all that is in them", async () => {
    const time = new TestTime();
    const { files } = await filesNode({ time });
    await write(files, "/a/1", "one");
    await write(files, "/a/b/2", "two");
    files.makeDirectory("/a/empty");
    const written = files.stat("/a/1")?.modifiedAtMs;
    time.nowMs += 5_000;
    files.rename("/a", "/c/d");
    expect(await everything(files)).toEqual({ "/c/d/1": "one", "/c/d/b/2": "two", "/c/d/empty/": "" });
    expect(files.stat("/c/d/1")?.modifiedAtMs).toBe(written);
    files.rename("/c/d", "/a");
    expect(await everything(files)).toEqual({ "/a/1": "one", "/a/b/2": "two", "/a/empty/": "", "/c/": "" });
    expect(code(() => files.rename("/a", "/a/b/x"))).toBe("unsupported");
    expect(code(() => files.rename("/a/1", "/a/b"))).toBe("is-a-directory");
    expect(code(() => files.rename("/a/b", "/a/1"))).toBe("not-a-directory");
    expect(code(() => files.rename("/c", "/a/b"))).toBe("not-empty");
    files.rename("/a", "/c");
    expect(await everything(files)).toEqual({ "/c/1": "one", "/c/b/2": "two", "/c/empty/": "" });
    expect(code(() => files.rename("/c", `/${"x".repeat(999)}`))).toBe("too-large");
    expect(Object.keys(await everything(files))).toHaveLength(3);
  });

  test("are copied without moving bytes", async () => {
    const { files, contents } = await filesNode();
    await write(files, "/a/big", pattern(100_000));
    await write(files, "/a/b/small", "s");
    files.makeDirectory("/a/empty");
    expect(files.copy("/a", "/copy")).toMatchObject({ path: "/copy", kind: "directory" });
    expect(Object.keys(await everything(files))).toEqual([
      "/a/b/small",
      "/a/big",
      "/a/empty/",
      "/copy/b/small",
      "/copy/big",
      "/copy/empty/",
    ]);
    expect(contents.use().shards).toBe(1);
    files.copy("/a/big", "/a/b/small");
    expect(files.stat("/a/b/small")?.content).toEqual(files.stat("/a/big")?.content);
  });
});

describe("earlier versions", () => {
  test("of overwritten and removed files can be brought back for a week", async () => {
    const time = new TestTime();
    const { files, map } = await filesNode({ time });
    await write(files, "a", "one");
    time.nowMs += 1_000;
    await write(files, "a", pattern(50_000));
    time.nowMs += 1_000;
    files.remove("a");
    expect(files.stat("a")).toBeUndefined();
    const versions = files.versions("a");
    expect(versions.map(({ sizeBytes, isCurrent }) => [sizeBytes, isCurrent])).toEqual([
      [50_000, false],
      [3, false],
    ]);
    expect([...files.references()]).toHaveLength(1);
    files.restore("a", versions[1]?.version);
    expect(await readText(files, "a")).toBe("one");
    expect(code(() => files.restore("a", "nonsense"))).toBe("not-found");
    files.restore("a");
    expect(files.stat("a")?.sizeBytes).toBe(50_000);
    time.nowMs += VERSION_KEEP_MS + 1_000;
    map.replica.sweep(1_000);
    expect(files.versions("a").map(({ isCurrent }) => isCurrent)).toEqual([true]);
    expect(code(() => files.restore("nothing"))).toBe("not-found");
  });

  test("keep to their share of the space, the oldest going first", async () => {
    const { files } = await filesNode({ versionBytesMax: 100_000 });
    for (let i = 0; i < 30; i++) await write(files, "a", pattern(10_000, i + 1));
    const kept = files.versions("a").filter(({ isCurrent }) => !isCurrent);
    expect(kept.length).toBeGreaterThanOrEqual(9);
    expect(kept.length).toBeLessThanOrEqual(10);
    const references = [...files.references()];
    expect(references).toHaveLength(kept.length + 1);
  });

  test("are given up where the tree is full: removing always works", async () => {
    const { files, map } = await filesNode({ bytesMax: 60_000 });
    for (let i = 0; (await failure(write(files, `f${i}`, pattern(3_000)))) === "none"; i++);
    expect(map.stat().bytes).toBeGreaterThan(55_000);
    for (const { path } of files.list("/")) files.remove(path);
    expect(files.list("/")).toEqual([]);
  });
});

describe("keep", () => {
  test("holds what is there and what comes, and lets go of it", async () => {
    const disk = new Map<string, Uint8Array>();
    const { files, contents, map } = await filesNode({ disk });
    await write(files, "/a/1", pattern(10_000, 1));
    await write(files, "/b", pattern(10_000, 2));
    await files.keep("/a");
    expect(contents.kept).toEqual(new Set([files.stat("/a/1")?.content?.cid]));
    expect([files.stat("/a/1")?.isKeptHere, files.stat("/b")?.isKeptHere]).toEqual([true, false]);
    await write(files, "/a/2", pattern(10_000, 3));
    await expect.poll(() => contents.kept.size).toBe(2);
    files.remove("/a/1");
    await expect.poll(() => [...contents.kept]).toEqual([files.stat("/a/2")?.content?.cid]);
    expect(await failure(files.release("/a/2"))).toBe("not-found");
    await files.close();
    const again = await filesNode({ disk, map });
    expect(again.files.stat("/a/2")?.isKeptHere).toBe(true);
    await again.files.release("/a");
    expect(again.files.stat("/a/2")?.isKeptHere).toBe(false);
    expect(await failure(again.files.keep("/nothing"))).toBe("not-found");
  });

  test("that fails or is cancelled holds nothing, and may be asked for again", async () => {
    const { files, contents } = await filesNode();
    for (const name of ["1", "2", "3"]) await write(files, `/a/${name}`, pattern(10_000, Number(name)));
    contents.lost.add(files.stat("/a/2")?.content?.cid ?? "");
    const stop = new AbortController();
    const [one, two] = [files.keep("/a"), files.keep("/a", { signal: stop.signal })];
    stop.abort();
    expect([await failure(one), await failure(two)]).toEqual(["lost", "cancelled"]);
    await expect.poll(() => contents.kept.size).toBe(0);
    expect(files.stat("/a/1")?.isKeptHere).toBe(false);
    expect(await failure(files.release("/a"))).toBe("not-found");
    contents.lost.clear();
    await Promise.all([files.keep("/a"), files.keep("/a")]);
    expect(contents.kept.size).toBe(3);
  });

  test("of one file that is out of reach keeps none of the others from it, and is told as it is", async () => {
    const disk = new Map<string, Uint8Array>();
    const { files, contents, map } = await filesNode({ disk });
    files.makeDirectory("/a");
    await files.keep("/a");
    await write(files, "/b/lost", pattern(10_000, 1));
    contents.lost.add(files.stat("/b/lost")?.content?.cid ?? "");
    files.rename("/b/lost", "/a/lost");
    await write(files, "/a/there", pattern(10_000, 2));
    await expect.poll(() => files.stat("/a/there")?.isKeptHere).toBe(true);
    await expect.poll(() => contents.kept.size).toBe(2);
    expect(files.stat("/a/lost")?.isKeptHere).toBe(false);
    await files.close();
    const again = await filesNode({ disk, map });
    expect(again.files.stat("/a/there")?.isKeptHere).toBe(true);
    expect(again.files.stat("/a/lost")?.isKeptHere).toBe(false);
    // When the path is removed, the content is released, although it never came.
    contents.kept.forEach((cid) => again.contents.kept.add(cid));
    again.files.remove("/a/lost");
    await expect.poll(() => [...again.contents.kept]).toEqual([again.files.stat("/a/there")?.content?.cid]);
  });
});

describe("watch", () => {
  test("tells of what changes at and under a path, and of nothing else", async () => {
    const { files } = await filesNode();
    const seen: string[] = [];
    const stop = files.watch("/a", (path) => seen.push(path));
    await write(files, "/a/b/c", "1");
    await write(files, "/ab", "1");
    files.rename("/a/b/c", "/d");
    await write(files, "/a", "").catch(() => {});
    stop();
    await write(files, "/a/x", "1");
    expect(new Set(seen)).toEqual(new Set(["/a/b/c", "/a/b"]));
  });
});
