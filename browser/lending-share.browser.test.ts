import { expect, onTestFinished, test, vi } from "vitest";
import { LendingShare } from "./lending-share.ts";

function share(): LendingShare {
  const one = new LendingShare(navigator.locks, () => {});
  onTestFinished(() => one.want(0));
  return one;
}

test("what one tab lends the other does not", async () => {
  const first = share();
  const second = share();
  first.want(3);
  await vi.waitFor(() => expect(first.held).toBe(3));
  second.want(3);
  first.want(1);
  await vi.waitFor(() => expect([first.held, second.held]).toEqual([1, 2]));
});

test("a tab that waited lends on when the other has gone", async () => {
  const first = share();
  const second = share();
  first.want(2);
  await vi.waitFor(() => expect(first.held).toBe(2));
  second.want(2);
  first.want(0);
  await vi.waitFor(() => expect([first.held, second.held]).toEqual([0, 2]));
});

test("one that changed its mind while it waited gets nothing", async () => {
  const first = share();
  const second = share();
  const third = share();
  first.want(1);
  await vi.waitFor(() => expect(first.held).toBe(1));
  second.want(1);
  second.want(0);
  third.want(1);
  first.want(0);
  await vi.waitFor(() => expect(third.held).toBe(1));
  expect(second.held).toBe(0);
});
