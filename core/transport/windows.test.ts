import type { Stream } from "@libp2p/interface";
import { expect, test } from "vitest";
import { sparingUpdates } from "./windows.ts";

test("the other end is told of room when half of the window is used", () => {
  let updates = 0;
  const stream = { recvWindow: 100, recvWindowCapacity: 100, sendWindowUpdate: () => void updates++ };
  sparingUpdates(stream as unknown as Stream);
  const told = [100, 80, 51, 50, 10, 0].map((left) => {
    stream.recvWindowCapacity = left;
    stream.sendWindowUpdate();
    return updates;
  });
  expect(told).toEqual([0, 0, 0, 1, 2, 3]);
});

test("streams without windows are left as they are", () => {
  const stream = { send: () => true };
  sparingUpdates(stream as unknown as Stream);
  expect(Object.keys(stream)).toEqual(["send"]);
});
