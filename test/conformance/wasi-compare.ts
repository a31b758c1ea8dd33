/**
 * Runs a program by other authors on a file of the tree, in Node and in a tab, and says whether it gives the same bytes
 * as with node:wasi.
 *
 *     node test/conformance/wasi-compare.ts MODULE.wasm FILE [ARG …]
 *
 * The program sees the file at the root of its tree, under the last part of its path.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { nodeProgramPlatform } from "../../node/program-platform.ts";
import { runWasiCase } from "./wasi-case.ts";
import { inChromium } from "./wasi-chromium.ts";
import { outputByNode } from "./wasi-node.ts";

const [path, file, ...args] = process.argv.slice(2);
if (path === undefined || file === undefined) {
  process.stderr.write("usage: node test/conformance/wasi-compare.ts MODULE.wasm FILE [ARG …]\n");
  process.exit(64);
}
const module = readFileSync(path);
const files = { [`/${basename(file)}`]: readFileSync(file) };
const wanted = (await outputByNode(module, ["program", ...args], files)).toString("utf8");
const one = { suite: "", name: basename(path), module, args, environment: {}, exitCode: 0, stderr: undefined, files };
await using tab = await inChromium();
process.stdout.write(`${one.name}: ${module.length} bytes; node:wasi gives ${shown(wanted)}\n`);
for (const [place, outcome] of [
  ["Node", await runWasiCase({ ...one, stdout: wanted }, nodeProgramPlatform)],
  ["a tab", await tab.run({ ...one, stdout: wanted })],
] as const) {
  process.stdout.write(
    `in ${place}: ${outcome.isPassed ? "the same" : `${shown(outcome.stdout)}, status ${outcome.status}`}\n`,
  );
  if (!outcome.isPassed) process.stdout.write(outcome.stderr);
}
process.exit(0);

function shown(text: string): string {
  return `${Buffer.byteLength(text)} bytes, SHA-256 ${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}
