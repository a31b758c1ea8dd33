/**
 * Checks the direction of imports, as core/README.md draws it: `ALLOWED` lists for each folder the places from which it
 * may import. Inside some parts, such as net and disk, each folder has such a list too (`ROOMS`).
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const NET = ["core/base", "core/ports", "core/net"];
const MEMORY = [...NET, "core/memory"];
const DISK = [...MEMORY, "core/disk"];
const SANDBOX = ["core/base", "core/ports", "core/sandbox"];
const PROCESS = [...DISK, "core/sandbox/wasm", "core/sandbox/wasi", "core/sandbox/limits.ts", "core/process"];
const UPPER = ["core/sandbox", "core/jobs", "core/io", "core/db", "core/process", "core/shell", "core/computer.ts"];
const ALL_PARTS = [...DISK, ...UPPER];
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "core/base": ["core/base"],
  "core/ports": ["core/base", "core/ports"],
  "core/net": NET,
  "core/memory": MEMORY,
  "core/disk": DISK,
  // Tasks know nothing of the swarm: everything that they need is in their bytes.
  "core/sandbox": SANDBOX,
  "core/jobs": [...DISK, "core/sandbox", "core/jobs"],
  "core/process": PROCESS,
  "core/io": [...DISK, "core/io"],
  "core/db": [...DISK, "core/db"],
  // The shell knows the computer by its interface alone, which is declared in computer.ts.
  "core/shell": ALL_PARTS,
  "core/computer.ts": ALL_PARTS,
  "core/index.ts": ALL_PARTS,
  "core/transport": ["core/base", "core/ports", "core/transport"],
  "core/platform": ["core/base", "core/ports", "core/platform"],
  browser: ["core", "browser"],
  node: ["core", "node", "browser/csp.ts", "browser/bootstrap.ts"],
};

/**
 * Which folders of the same part each folder may import from, the lowest first. All of them may import the files in
 * `shared`; the other files on top, which wire the folders, may import everything.
 */
const ROOMS: Readonly<
  Record<string, { shared: readonly string[]; folders: Readonly<Record<string, readonly string[]>> }>
> = {
  "core/net": {
    shared: ["limits.ts", "types.ts"],
    folders: {
      identity: [],
      time: ["identity"],
      links: ["identity", "time"],
      requests: ["identity", "time", "links"],
      gossip: ["links"],
      membership: ["identity", "time", "links", "gossip"],
      overlay: ["links", "membership"],
    },
  },
  "core/disk": {
    shared: ["limits.ts", "types.ts", "acknowledged.ts"],
    folders: {
      content: [],
      code: ["content"],
      placement: ["content", "code"],
      shards: ["content", "code", "placement"],
      repair: ["content", "code", "placement", "shards"],
      files: ["content"],
    },
  },
};

function placeOf(path: string): string | undefined {
  return Object.keys(ALLOWED).find((place) => path === place || path.startsWith(`${place}/`));
}

const files = globSync(["core/**/*.ts", "browser/**/*.ts", "node/**/*.ts"]).filter(
  (path) => !/\.(test|contract)\.ts$|\.d\.ts$/.test(path),
);

test("every file is in a place with a rule", () => {
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((path) => placeOf(path) === undefined)).toEqual([]);
});

/** The files of this repository that a file imports. */
function importsOf(path: string): string[] {
  const specifiers = [...readFileSync(path, "utf8").matchAll(/(?:from|import\(|import)\s*"(\.[^"]+)"/g)];
  return specifiers.map(([, target = ""]) => normalize(join(dirname(path), target)).split("?")[0] ?? "");
}

test("imports follow the arrows", () => {
  const wrong: string[] = [];
  for (const path of files) {
    const place = placeOf(path) ?? "";
    for (const target of importsOf(path)) {
      const isAllowed = (ALLOWED[place] ?? []).some((to) => target === to || target.startsWith(`${to}/`));
      if (!isAllowed) wrong.push(`${path} -> ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test.each(Object.entries(ROOMS))("so do those inside %s", (part, { shared, folders }) => {
  const wrong: string[] = [];
  const rooms = new Set<string>();
  for (const path of files.filter((file) => file.startsWith(`${part}/`))) {
    const room = path.slice(part.length + 1).split("/")[0] ?? "";
    const isOnTop = room.endsWith(".ts");
    if (!isOnTop) rooms.add(room);
    if (isOnTop && !shared.includes(room)) continue;
    const allowed = new Set([...shared, ...(isOnTop ? [] : [room, ...(folders[room] ?? [])])]);
    for (const target of importsOf(path).filter((file) => file.startsWith(`${part}/`))) {
      const to = target.slice(part.length + 1).split("/")[0] ?? "";
      if (!allowed.has(to)) wrong.push(`${path} -> ${target}`);
    }
  }
  expect([...rooms].toSorted()).toEqual(Object.keys(folders).toSorted());
  expect(wrong).toEqual([]);
});
