import { expect, test } from "vitest";
import { Faults } from "./faults.ts";

function noted(...errors: unknown[]): { lines: Record<string, unknown>[]; count: number } {
  const lines: Record<string, unknown>[] = [];
  const faults = new Faults({ write: (level, event, fields) => void lines.push({ level, event, ...fields }) });
  for (const error of errors) faults.note("exception", error);
  return { lines, count: faults.count };
}

test("a fault is told with whose it is", () => {
  const library = Object.assign(new Error("no"), {
    stack:
      "Error: no\n    at node:internal/x:1:1\n    at f (file:///a/node_modules/@chainsafe/libp2p-yamux/dist/src/muxer.js:1:2)",
  });
  const { lines, count } = noted(library, new Error("ours"), "a string");
  expect(lines).toMatchObject([
    { level: "error", event: "fault", by: "@chainsafe/libp2p-yamux", count: 1 },
    { by: "starfish", count: 2, error: expect.stringContaining("ours") },
    { count: 3, error: "a string" },
  ]);
  expect(count).toBe(3);
});

test("one that repeats is counted, and does not fill the log", () => {
  const { lines, count } = noted(...Array.from({ length: 1_000 }, () => new Error("again")));
  expect(count).toBe(1_000);
  expect(lines.length).toBeLessThan(50);
});
