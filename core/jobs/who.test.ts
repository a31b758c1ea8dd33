import { describe, expect, test } from "vitest";
import { doneBy, NOBODY, sharesOf } from "./who.ts";

describe("who did a task", () => {
  test("is who ran it, not who holds a copy", () => {
    const { by, again } = doneBy(
      new Map([
        ["a", { held: [0, 10], copies: [5, 10] }],
        ["b", { held: [0, 10], copies: [0, 5] }],
      ]),
    );
    expect([...by]).toEqual([
      ["a", [0, 5]],
      ["b", [5, 10]],
    ]);
    expect(again).toEqual([]);
  });

  test("is one node, however many ran it; those are told", () => {
    const { by, again } = doneBy(
      new Map([
        ["b", { held: [0, 6], copies: [] }],
        ["a", { held: [4, 10], copies: [] }],
      ]),
    );
    expect([...by]).toEqual([
      ["a", [4, 10]],
      ["b", [0, 4]],
    ]);
    expect(again).toEqual([4, 6]);
  });

  test("is who holds it, where who ran it is gone", () => {
    const { by } = doneBy(new Map([["a", { held: [0, 3], copies: [0, 2] }]]));
    expect([...by]).toEqual([["a", [0, 3]]]);
  });
});

test("an outcome keeps how much each did, and of each part who did most", () => {
  const shares = sharesOf(
    128,
    new Map([
      ["a", { held: [0, 32], copies: [] }],
      ["b", { held: [32, 127], copies: [32, 33] }],
    ]),
  );
  expect(shares.nodes).toEqual([
    { peer: "b", tasks: 95 },
    { peer: "a", tasks: 32 },
  ]);
  expect([...shares.parts]).toEqual([...Array.from({ length: 16 }, () => 1), ...Array.from({ length: 48 }, () => 0)]);
  expect(sharesOf(4, new Map([["a", { held: [0, 2], copies: [] }]])).parts).toEqual(
    Uint8Array.of(0, 0, NOBODY, NOBODY),
  );
});
