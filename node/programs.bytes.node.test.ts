/**
 * Unmodified programs of others, run over files of the tree, give the same bytes as in another WASI runtime
 * (node:wasi).
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { programNamed } from "../core/shell/programs/table.ts";
import { runWasiCase } from "../test/conformance/wasi-case.ts";
import { outputByNode } from "../test/conformance/wasi-node.ts";
import { packageRoot } from "./package-root.ts";
import { nodePrograms } from "./programs.ts";

const LINES = Array.from({ length: 20_000 }, (_, i) => `${i} ${(i * 7919) % 1009} name-${i % 13}\n`).join("");
const SORTED = Array.from(
  { length: 5_000 },
  (_, i) => `${i} key-${String(i).padStart(5, "0")} é
`,
).join("");

const place = {
  threads: nodePrograms,
  load: () => Promise.reject(new Error("not needed")),
  sha256: () => Promise.reject(new Error("not needed")),
};

test.each([
  ["awk", ['{ sum[$3] += $2 } END { for (k in sum) if (k == "name-4") print k, sum[k] }', "/lines.txt"]],
  ["sed", ["s/name-\\([0-9]*\\)/<\\1>/", "/lines.txt"]],
  ["join", ["-1", "2", "-2", "2", "/sorted.txt", "/sorted.txt"]],
  ["sha256sum", ["/lines.txt", "/sorted.txt"]],
  ["fold", ["-w", "7", "/lines.txt"]],
] as const)("%s", async (name, args) => {
  const module = moduleOf(name);
  const files = { "/lines.txt": Buffer.from(LINES), "/sorted.txt": Buffer.from(SORTED) };
  const wanted = await outputByNode(module, [name, ...args], files);
  expect(wanted.length).toBeGreaterThan(0);
  const got = await runWasiCase(
    { name, module, args, environment: {}, exitCode: 0, stdout: wanted.toString("utf8"), stderr: "", files },
    place,
  );
  expect(got.stderr).toBe("");
  expect(createHash("sha256").update(got.stdout).digest("hex")).toBe(
    createHash("sha256").update(wanted.toString("utf8")).digest("hex"),
  );
  expect(got.isPassed).toBe(true);
});

function moduleOf(name: string): Uint8Array {
  const file = programNamed(name);
  if (file === undefined) throw new Error(`there is no program ${name}`);
  return readFileSync(join(packageRoot, "node_modules", file.package, "wasm", name));
}
