import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTask } from "../run.ts";

/** The compiler takes some seconds, more on a busy machine. */
const COMPILE_TIMEOUT_MS = 60_000;

let run: (input: Uint8Array) => Promise<Uint8Array>;

beforeAll(async () => {
  run = await loadTask("sha256", { debug: false });
}, COMPILE_TIMEOUT_MS);

describe("sha256", () => {
  test.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000, 100_000])("of %i bytes", async (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);
    expect(await run(bytes)).toEqual(new Uint8Array(createHash("sha256").update(bytes).digest()));
  });
});
