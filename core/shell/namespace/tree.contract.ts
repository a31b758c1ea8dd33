/**
 * What every mounted tree must do. A tree that takes no changes refuses each with a reason; the rest is the same for
 * all. `create` gives a new tree for each test.
 */
import { describe, expect, it } from "vitest";
import { concat, text, utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { join, nameOf } from "./paths.ts";
import type { Tree, TreeEntry } from "./tree.ts";

export interface TreeHarness {
  readonly tree: Tree;
  /** An existing directory with a file or a device in it. */
  readonly directory: string;
  /** An existing file whose content does not change. */
  readonly file: string;
  /** Changes something at or under `path`, so that watchers are told; absent if nothing ever changes. */
  readonly change?: (path: string) => Promise<void> | void;
}

/** The changes that the tree supports; each other one must be refused with a reason. */
export interface TreeAbilities {
  /** "some": existing files can be written, but no new ones made. */
  readonly writes?: boolean | "some";
  readonly makesDirectories?: boolean;
  readonly removes?: boolean;
  readonly renames?: boolean;
  readonly modes?: boolean;
  /** False if it can't tell of changes; then it says why. */
  readonly watches?: boolean;
}

const ENTRIES_MAX = 300;
const FILES_READ_MAX = 20;

export function treeContract(
  name: string,
  abilities: TreeAbilities,
  create: () => Promise<TreeHarness> | TreeHarness,
): void {
  describe(`Tree: ${name}`, () => {
    looks(create);
    if (abilities.writes === true) writes(create);
    else refusesToWrite(abilities, create);
    if (abilities.makesDirectories === true) directories(abilities, create);
    else refusesDirectories(create);
    if (abilities.removes !== true) refusesToRemove(create);
    else if (abilities.writes === true) removes(create);
    if (abilities.renames === true) renames(abilities, create);
    else refusesToRename(create);
    if (abilities.modes === true) modes(create);
    if (abilities.watches === false) refusesToWatch(create);
    else watches(create);
  });
}

function looks(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("has a root, and names that are parts of paths", async () => {
    const { tree } = await create();
    expect(await tree.stat("/")).toMatchObject({ name: "", kind: "directory" });
    const seen = await everything(tree);
    expect(seen.size).toBeGreaterThan(0);
    for (const [path, entry] of seen) {
      expect(entry.name).toBe(nameOf(path));
      expect(entry.name).not.toMatch(/^\.{0,2}$|[/\0]/);
      expect(entry.about ?? "").not.toMatch(/\p{Cc}/u);
      const alone = await tree.stat(path);
      expect(alone).toMatchObject({ name: entry.name, kind: entry.kind });
    }
  });

  it("lists each name once", async () => {
    const { tree, directory } = await create();
    for (const path of ["/", directory]) {
      const names = (await tree.list(path)).map((entry) => entry.name);
      expect(new Set(names).size).toBe(names.length);
    }
    expect((await tree.list(directory)).length).toBeGreaterThan(0);
  });

  it("reads files whole and in parts, and says how long they are", async () => {
    const { tree, file } = await create();
    const files = [...(await everything(tree))].filter(([, { kind, mode }]) => kind === "file" && mode !== 0o222);
    for (const path of new Set([file, ...files.map(([path]) => path).slice(0, FILES_READ_MAX)])) {
      const whole = await read(tree, path);
      const size = (await tree.stat(path))?.sizeBytes;
      if (size !== undefined) expect(size, path).toBe(whole.length);
      const [from, to] = [Math.min(1, whole.length), Math.max(1, whole.length - 1)];
      expect(await read(tree, path, { from, to }), path).toEqual(whole.slice(from, to));
      expect(await read(tree, path, { from: whole.length })).toEqual(new Uint8Array(0));
      expect(await read(tree, path, { from: whole.length + 10 })).toEqual(new Uint8Array(0));
    }
  });

  it("knows what is not there, and what is something else", async () => {
    const { tree, file, directory } = await create();
    for (const path of ["/no", "/no/such", join(directory, "no such"), join(file, "below"), "/\u{10FFFF}", "/\ud800"]) {
      expect(await tree.stat(path), path).toBeUndefined();
    }
    await expectCode(tree.list("/no such"), "not-found");
    await expectCode(tree.list(file), "not-a-directory");
    await expectCode(read(tree, "/no such"), "not-found");
    await expectCode(read(tree, directory), "is-a-directory");
    await expectCode(read(tree, "/"), "is-a-directory");
  });

  it("goes on when a reader leaves early", async () => {
    const { tree, file } = await create();
    for await (const _ of tree.read(file)) break;
    expect((await read(tree, file)).length).toBeGreaterThan(0);
  });
}

function refusesToWrite({ writes: isWriting }: TreeAbilities, create: () => Promise<TreeHarness> | TreeHarness): void {
  it("says why it takes no writes", async () => {
    const { tree, file, directory } = await create();
    const before = await read(tree, file);
    if (isWriting !== "some") await expectRefusal(tree.write(file, source("x")));
    await expectRefusal(tree.write("/new", source("x")));
    await expectCode(tree.write(directory, source("x")), "is-a-directory");
    expect(await tree.stat("/new")).toBeUndefined();
    expect(await read(tree, file)).toEqual(before);
  });
}

function writes(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("keeps what is written, replaces, and appends", async () => {
    const { tree, directory } = await create();
    const path = join(directory, "written");
    await tree.write(path, source("one"));
    expect(await readText(tree, path)).toBe("one");
    await tree.write(path, source("two\n", "", "three"));
    expect(await readText(tree, path)).toBe("two\nthree");
    await tree.write(path, source("!"), { isAppend: true });
    expect(await readText(tree, path)).toBe("two\nthree!");
    expect(await tree.stat(path)).toMatchObject({ name: "written", kind: "file", sizeBytes: 10 });
    await tree.write(join(directory, "appended"), source("a"), { isAppend: true });
    expect(await readText(tree, join(directory, "appended"))).toBe("a");
    await tree.write(path, source());
    expect(await readText(tree, path)).toBe("");
  });

  it("keeps bytes, and names, as they are", async () => {
    const { tree, directory } = await create();
    const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) & 0xff);
    for (const name of [
      "b",
      "with space",
      "-x",
      "%25",
      "%",
      "a\nb",
      "ü😀",
      "a\\b",
      "'\"$",
      "x".repeat(200),
      "...",
      ".x",
    ]) {
      const path = join(directory, name);
      await tree.write(path, source(bytes));
      expect(await read(tree, path), name).toEqual(bytes);
      expect((await tree.list(directory)).filter((entry) => entry.name === name)).toHaveLength(1);
    }
  });

  it("leaves what was there when a source fails", async () => {
    const { tree, directory } = await create();
    const path = join(directory, "kept");
    await tree.write(path, source("old"));
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(utf8("new"));
      throw new StarfishError("io", "The source broke");
    };
    await expectCode(tree.write(path, broken()), "io");
    expect(await readText(tree, path)).toBe("old");
    await expectCode(tree.write(join(directory, "none"), broken()), "io");
    expect(await tree.stat(join(directory, "none"))).toBeUndefined();
  });

  it("writes into directories only", async () => {
    const { tree, file, directory } = await create();
    await expectCode(tree.write(directory, source("x")), "is-a-directory");
    await expectCode(tree.write(join(file, "below"), source("x")), "not-a-directory");
    if (tree.makesDirectories === true) {
      await tree.write(join(directory, "new/deep"), source("x"));
      expect(await tree.stat(join(directory, "new"))).toMatchObject({ kind: "directory" });
    } else {
      await expectCode(tree.write(join(directory, "no/file"), source("x")), "not-found");
      expect(await tree.stat(join(directory, "no"))).toBeUndefined();
    }
  });
}

function directories({ removes: isRemoving }: TreeAbilities, create: () => Promise<TreeHarness> | TreeHarness): void {
  it("makes directories, each once and within others", async () => {
    const { tree, file, directory } = await create();
    const path = join(directory, "made");
    await tree.makeDirectory(path);
    expect(await tree.stat(path)).toMatchObject({ name: "made", kind: "directory" });
    expect(await tree.list(path)).toEqual([]);
    expect((await tree.list(directory)).map((entry) => entry.name)).toContain("made");
    await tree.makeDirectory(join(path, "inner"));
    await expectCode(tree.makeDirectory(path), "exists");
    await expectCode(tree.makeDirectory("/"), "exists");
    await expectCode(tree.makeDirectory(file), "exists");
    await expectCode(tree.makeDirectory(join(directory, "no/inner")), "not-found");
    await expectCode(tree.makeDirectory(join(file, "inner")), "not-a-directory");
    if (isRemoving !== true) return;
    await expectCode(tree.remove(path), "not-empty");
    await tree.remove(join(path, "inner"));
    await tree.remove(path);
    expect(await tree.stat(path)).toBeUndefined();
  });
}

function removes(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("removes files, and directories with what is in them if told so", async () => {
    const { tree, directory } = await create();
    const place = join(directory, "place");
    if (tree.makesDirectories !== true) await tree.makeDirectory(place);
    await tree.write(join(place, "a"), source("a"));
    await tree.write(join(place, "b"), source("b"));
    await expectCode(tree.remove(place), "not-empty");
    await tree.remove(join(place, "a"));
    expect((await tree.list(place)).map(({ name }) => name)).toEqual(["b"]);
    await expectCode(tree.remove(join(place, "a")), "not-found");
    await tree.remove(place, { isRecursive: true });
    expect(await tree.stat(place)).toBeUndefined();
    expect(await tree.stat(directory)).toMatchObject({ kind: "directory" });
  });
}

function renames({ makesDirectories }: TreeAbilities, create: () => Promise<TreeHarness> | TreeHarness): void {
  it("renames files, over others too", async () => {
    const { tree, directory } = await create();
    const [a, b] = [join(directory, "a"), join(directory, "b")];
    await tree.write(a, source("a"));
    await tree.write(b, source("b"));
    await tree.rename(a, b);
    expect(await tree.stat(a)).toBeUndefined();
    expect(await readText(tree, b)).toBe("a");
    await tree.rename(b, b);
    expect(await readText(tree, b)).toBe("a");
    await expectCode(tree.rename(a, b), "not-found");
  });

  if (makesDirectories !== true) return;
  it("renames directories with what is in them, and mixes up nothing", async () => {
    const { tree, directory, file } = await create();
    const [one, two] = [join(directory, "one"), join(directory, "two")];
    await tree.makeDirectory(one);
    await tree.write(join(one, "x"), source("x"));
    await tree.rename(one, two);
    expect(await readText(tree, join(two, "x"))).toBe("x");
    expect(await tree.stat(one)).toBeUndefined();
    await expectCode(tree.rename(file, two), "is-a-directory");
    await expectCode(tree.rename(two, file), "not-a-directory");
    await expectCode(tree.rename(two, join(two, "inner")), "unsupported");
    await tree.makeDirectory(one);
    await tree.rename(two, one);
    expect(await readText(tree, join(one, "x"))).toBe("x");
  });
}

function modes(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("keeps that a file may be run, also when it is written anew and copied", async () => {
    const { tree, directory } = await create();
    const path = join(directory, "script");
    await tree.write(path, source("echo"));
    expect(((await tree.stat(path))?.mode ?? 0) & 0o111).toBe(0);
    await tree.setMode?.(path, 0o755);
    expect((await tree.stat(path))?.mode).toBe(0o755);
    await tree.write(path, source("echo again"));
    expect(((await tree.stat(path))?.mode ?? 0) & 0o111).toBe(0o111);
    await tree.write(join(directory, "born"), source("x"), { mode: 0o755 });
    expect(((await tree.stat(join(directory, "born")))?.mode ?? 0) & 0o111).toBe(0o111);
    await tree.setMode?.(path, 0o644);
    expect((await tree.stat(path))?.mode).toBe(0o644);
    await expectCode(Promise.resolve(tree.setMode?.("/no such", 0o755)), "not-found");
  });
}

function refusesDirectories(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("says why it makes no directories", async () => {
    const { tree } = await create();
    await expectRefusal(tree.makeDirectory("/new"));
    expect(await tree.stat("/new")).toBeUndefined();
  });
}

function refusesToRemove(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("says why it removes nothing", async () => {
    const { tree, file, directory } = await create();
    await expectRefusal(tree.remove(file));
    if (directory !== "/") await expectRefusal(tree.remove(directory, { isRecursive: true }));
    await expectCode(tree.remove("/no/such"), "not-found");
    expect(await tree.stat(file)).toBeDefined();
  });
}

function refusesToRename(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("says why it renames nothing", async () => {
    const { tree, file } = await create();
    await expectRefusal(tree.rename(file, `${file}2`));
    await expectCode(tree.rename("/no/such", "/x"), "not-found");
    expect(await tree.stat(file)).toBeDefined();
  });
}

function refusesToWatch(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("says why it tells of no changes", async () => {
    const { tree } = await create();
    const changes = tree.watch("/", { signal: new AbortController().signal })[Symbol.asyncIterator]();
    await expectRefusal(changes.next());
  });
}

function watches(create: () => Promise<TreeHarness> | TreeHarness): void {
  it("ends a watch with its signal, also one that heard of nothing", async () => {
    const { tree, directory } = await create();
    const stop = new AbortController();
    const next = tree.watch(directory, { signal: stop.signal })[Symbol.asyncIterator]().next();
    stop.abort();
    expect((await next).done).toBe(true);
  });

  it("tells of changes where one watches, until one stops", async () => {
    const { tree, directory, change } = await create();
    if (change === undefined) return;
    const stop = new AbortController();
    for (const path of ["/", directory]) {
      const changes = tree.watch(path, { signal: stop.signal })[Symbol.asyncIterator]();
      const next = changes.next();
      await change(directory);
      const { value, done } = await next;
      expect(done).toBe(false);
      expect(path === "/" || value === path || String(value).startsWith(`${path}/`)).toBe(true);
      await changes.return?.();
    }
    stop.abort();
  });
}

/** Everything in the tree (a bounded number of entries), by path. */
async function everything(tree: Tree): Promise<Map<string, TreeEntry>> {
  const found = new Map<string, TreeEntry>();
  const open = ["/"];
  for (let path = open.shift(); path !== undefined && found.size < ENTRIES_MAX; path = open.shift()) {
    for (const entry of await tree.list(path)) {
      const inner = join(path, entry.name);
      found.set(inner, entry);
      if (entry.kind === "directory") open.push(inner);
    }
  }
  return found;
}

async function* source(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const part of parts) yield await Promise.resolve(typeof part === "string" ? utf8(part) : part);
}

async function read(
  tree: Tree,
  path: string,
  options: { readonly from?: number; readonly to?: number } = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of tree.read(path, options)) parts.push(part);
  return concat(parts);
}

async function readText(tree: Tree, path: string): Promise<string> {
  return text(await read(tree, path));
}

async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  const error: unknown = await promise.then(
    () => "it was done",
    (reason: unknown) => reason,
  );
  expect(isStarfishError(error) ? error.code : error).toBe(code);
}

/** The message says why it is refused, in words for people. */
async function expectRefusal(promise: Promise<unknown>): Promise<void> {
  const error: unknown = await promise.then(
    () => "it was done",
    (reason: unknown) => reason,
  );
  expect(isStarfishError(error) ? error.code : error).toBe("unsupported");
  expect(error instanceof Error ? error.message : "").toMatch(/.{20}/);
}
