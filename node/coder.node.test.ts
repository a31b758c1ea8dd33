import { execFileSync } from "node:child_process";
import type { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { coderContract } from "../core/ports/coder.contract.ts";
import { nodeCoder, startCoderWorker } from "./coder.ts";

coderContract(
  "worker_threads",
  () => {
    let last: Worker | undefined;
    const coder = nodeCoder({ startWorker: (module) => (last = startCoderWorker(module)) });
    return { coder, crash: () => last?.postMessage(null) };
  },
  { hasThreads: true },
);

test("a process ends while its coder has nothing to do, and not before it has done what there is", () => {
  const program = `
    import { nodeCoder } from "./node/coder.ts";
    const { shards } = await nodeCoder().encode([new Uint8Array(200_000), new Uint8Array(200_000)], 6);
    console.log(shards.length);
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(output).toBe("8\n");
});
