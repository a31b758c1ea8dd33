/** The direction of imports, as core/README.md draws it: each place may import only from those named behind it. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const NET = ["core/base", "core/ports", "core/net"];
const MEMORY = [...NET, "core/memory"];
const DISK = [...MEMORY, "core/disk"];
const CPU = [...DISK, "core/cpu"];
const ALL_PARTS = [...CPU, "core/shell", "core/computer.ts"];
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "core/base": ["core/base"],
  "core/ports": ["core/base", "core/ports"],
  "core/net": NET,
  "core/memory": MEMORY,
  "core/disk": DISK,
  "core/cpu": CPU,
  // The shell knows the computer by its interface alone, which is declared in computer.ts.
  "core/shell": ALL_PARTS,
  "core/computer.ts": ALL_PARTS,
  "core/index.ts": ALL_PARTS,
  "core/transport": ["core/base", "core/ports", "core/transport"],
  "core/platform": ["core/base", "core/ports", "core/platform"],
  browser: ["core", "browser"],
  node: ["core", "node", "browser/csp.ts", "browser/bootstrap.ts"],
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

test("imports follow the arrows", () => {
  const wrong: string[] = [];
  for (const path of files) {
    const place = placeOf(path) ?? "";
    for (const [, target = ""] of readFileSync(path, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      const resolved = normalize(join(dirname(path), target)).split("?")[0] ?? "";
      const isAllowed = (ALLOWED[place] ?? []).some((to) => resolved === to || resolved.startsWith(`${to}/`));
      if (!isAllowed) wrong.push(`${path} -> ${resolved}`);
    }
  }
  expect(wrong).toEqual([]);
});
