/** What a node lends: it asks once, remembers the answer, and never guesses the unit of a number. */
import { mkdtemp } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { askLending, coresOffer, databaseFrom, rememberedLending, rememberLending, storageFrom } from "./lending.ts";
import { freeBytesAt, storageOffer } from "./storage.ts";

const directory = (): Promise<string> => mkdtemp(join(tmpdir(), "starfish-lending-"));

async function asked(
  typed: readonly string[],
  said: Parameters<typeof askLending>[1] = {},
): Promise<{ lending: ReturnType<typeof askLending>; shown: () => string }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = "";
  const answers = [...typed];
  output.on("data", (data: Buffer) => {
    shown += String(data);
    // Answers as a person does: when the question is there.
    if (!String(data).endsWith("]: ")) return;
    if (answers.length > 0) input.write(answers.shift());
    else input.end();
  });
  const lending = askLending(await directory(), said, { input, output });
  return { lending, shown: () => shown };
}

test("what is typed is taken, what is wrong is asked again, and Enter takes what is proposed", async () => {
  const { lending, shown } = await asked(["many\r", "0\r", "5\r", "3G\r"]);
  expect(await lending).toEqual({ cores: 0, storageBytes: 3_000_000_000 });
  expect(shown()).toMatch(/whole number from 0 to 1024, not 'many'/);
  expect(shown()).toMatch(/needs a unit: 5G for 5 GB/);
  const proposed = await asked(["\r", "\r"]);
  const { cores, storageBytes } = await proposed.lending;
  expect(cores).toBe(Math.max(1, Math.floor(availableParallelism() / 2)));
  expect(storageBytes).toBeGreaterThan(0);
  expect(storageBytes).toBeLessThanOrEqual(2_000_000_000);
  expect(storageOffer(await freeBytesAt(tmpdir()))).toBeLessThanOrEqual(2_000_000_000);
});

test("the end of the input takes what is proposed, a flag is not asked again, and Ctrl-C starts nothing", async () => {
  const { lending, shown } = await asked([], { storageBytes: 7 });
  expect(await lending).toEqual({ cores: coresOffer(), storageBytes: 7 });
  expect(shown()).not.toMatch(/Disk to keep/);
  await expect((await asked(["\x03"])).lending).rejects.toMatchObject({ code: "cancelled" });
});

test("the answers are remembered in the directory; what is damaged there counts as none", async () => {
  const dataDir = await directory();
  expect(await rememberedLending(dataDir)).toBeUndefined();
  await rememberLending(dataDir, { cores: 3, storageBytes: 5_000_000 });
  expect(await rememberedLending(dataDir)).toEqual({ cores: 3, storageBytes: 5_000_000 });
  await rememberLending(dataDir, { cores: -1, storageBytes: 5_000_000 });
  expect(await rememberedLending(dataDir)).toBeUndefined();
});

test("a size needs its unit", () => {
  for (const text of ["5", "500", "007"]) expect(() => storageFrom(text, "--storage")).toThrow(/needs a unit/);
  expect([databaseFrom("1G", "--database"), databaseFrom("64M", "--database")]).toEqual([1_000_000_000, 64_000_000]);
  for (const text of ["1M", "0", "100G"])
    expect(() => databaseFrom(text, "--database")).toThrow(/must be 16\.8 MB to 8\.59 GB/);
  expect(() => databaseFrom("512", "--database")).toThrow(/needs a unit/);
  expect([storageFrom("500M", "--storage"), storageFrom("0", "--storage")]).toEqual([500_000_000, 0]);
});
