import { expect, test } from "vitest";
import { inOrder } from "./in-order.ts";

test("what waits for its turn is not overtaken, whoever of the later ones has to wait as well", async () => {
  const turns: PromiseWithResolvers<void>[] = [];
  const turn = (): PromiseWithResolvers<void> => {
    const made = Promise.withResolvers<void>();
    turns.push(made);
    return made;
  };
  let next: Promise<void> | undefined;
  const { write } = inOrder(() => next);
  const written: number[] = [];
  const all: Promise<void>[] = [];
  for (const [i, waits] of [false, true, false, true, true, false].entries()) {
    next = waits ? turn().promise : undefined;
    all.push(write(async () => void written.push(i)));
  }
  expect(written).toEqual([0]);
  for (const { resolve } of turns.toReversed()) {
    resolve();
    await Promise.resolve();
    next = undefined;
    all.push(write(async () => void written.push(written.length)));
  }
  await Promise.all(all);
  expect(written).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test("whom nobody makes wait writes at once", () => {
  const written: string[] = [];
  const { write, written: all } = inOrder(() => undefined);
  void write(async () => void written.push("at once"));
  expect(all()).toBeUndefined();
  expect(written).toEqual(["at once"]);
});

test("a command can wait for all that it has not waited for", async () => {
  const [turn, reader] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { write, written } = inOrder(() => turn.promise);
  const seen: string[] = [];
  void write(async () => {
    await reader.promise;
    seen.push("written");
  });
  const failing = write(() => Promise.reject(new Error("the reader has gone")));
  failing.catch(() => seen.push("failed"));
  const all = written()?.then(() => seen.push("all"));
  turn.resolve();
  await expect(failing).rejects.toThrow("gone");
  expect(seen).toEqual(["failed"]);
  reader.resolve();
  await all;
  expect(seen).toEqual(["failed", "written", "all"]);
  expect(written()).toBeUndefined();
});
