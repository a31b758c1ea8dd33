import { expect, test } from "vitest";
import { coderContract } from "../core/ports/coder.contract.ts";
import { browserCoder, startCoderWorker } from "./coder.ts";

coderContract(
  "Web Workers",
  () => {
    let last: Worker | undefined;
    const coder = browserCoder({ startWorker: () => (last = startCoderWorker()) });
    return { coder, crash: () => last?.postMessage(null) };
  },
  { hasThreads: true },
);

test("a program that cannot be loaded fails its calls, and is tried again", async () => {
  let starts = 0;
  const missing = (): Worker => new Worker("/there-is-no-such-program.js", { type: "module" });
  const coder = browserCoder({ lanes: 1, startWorker: () => (starts++ === 0 ? missing() : startCoderWorker()) });
  const call = (): Promise<unknown> => coder.encode([new Uint8Array(10)], 1);
  await expect(call()).rejects.toMatchObject({ code: "closed", retryable: true });
  await expect(call()).resolves.toMatchObject({ shards: { length: 2 } });
  await coder[Symbol.asyncDispose]();
});
