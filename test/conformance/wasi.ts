/**
 * Runs the public test suite of WASI (WebAssembly/wasi-testsuite, branch prod/testsuite-base) and says which of its
 * modules pass: each runs as a program of a shell, over a tree that holds what the suite gives it.
 *
 *     node test/conformance/wasi.ts CHECKOUT [--failures] [--chromium] [NAME …]
 *
 * In Node, or with --chromium in a tab, whose programs run in a Web Worker. The suite is not part of the project.
 */
import { parseArgs } from "node:util";
import { nodeProgramPlatform } from "../../node/program-platform.ts";
import { readSuite } from "./wasi-suite.ts";
import { runWasiCase } from "./wasi-case.ts";
import { inChromium, type WasiPlace } from "./wasi-chromium.ts";

const { values, positionals } = parseArgs({
  options: { failures: { type: "boolean", default: false }, chromium: { type: "boolean", default: false } },
  allowPositionals: true,
});
const [path, ...only] = positionals;
if (path === undefined) {
  process.stderr.write("usage: node test/conformance/wasi.ts CHECKOUT [--failures] [--chromium] [NAME …]\n");
  process.exit(64);
}
const cases = readSuite(path).filter(({ name }) => only.length === 0 || only.includes(name));
await using place = values.chromium ? await inChromium() : inNode();
let passed = 0;
for (const one of cases) {
  const { isPassed, status, stdout, stderr } = await place.run(one);
  if (isPassed) passed++;
  else process.stdout.write(`failed ${one.suite}/${one.name}: status ${status}\n`);
  if (!isPassed && values.failures) process.stdout.write(`${stdout}${stderr}\n`);
}
process.stdout.write(`${passed} of ${cases.length} modules\n`);

function inNode(): WasiPlace {
  return {
    run: (one) => runWasiCase(one, nodeProgramPlatform),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
