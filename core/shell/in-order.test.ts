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
  const ordered = inOrder(() => next);
  const written: number[] = [];
  const all: Promise<void>[] = [];
  for (const [i, waits] of [false, true, false, true, true, false].entries()) {
    next = waits ? turn().promise : undefined;
    all.push(ordered(async () => void written.push(i)));
  }
  expect(written).toEqual([0]);
  for (const { resolve } of turns.toReversed()) {
    resolve();
    await Promise.resolve();
    next = undefined;
    all.push(ordered(async () => void written.push(written.length)));
  }
  await Promise.all(all);
  expect(written).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test("whom nobody makes wait writes at once", () => {
  const written: string[] = [];
  void inOrder(() => undefined)(async () => void written.push("at once"));
  expect(written).toEqual(["at once"]);
});
