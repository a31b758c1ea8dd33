import { expect, test } from "vitest";
import { encode } from "../base/codec.ts";
import { Graph } from "./graph.ts";
import { GRAPH_TASKS_MAX } from "./limits.ts";

test("a task is ready when all that it needs is done, and the result is made of what nobody needs", () => {
  const graph = new Graph(encode([[], [], [0, 1], [0], [2, 3], []]), 6);
  expect(graph.ready([])).toEqual([0, 2, 5, 6]);
  expect(graph.ready([0, 1])).toEqual([0, 2, 3, 4, 5, 6]);
  expect(graph.ready([0, 4])).toEqual([0, 6]);
  expect(graph.ends).toEqual([4, 6]);
  expect(graph.needs(2)).toEqual([0, 1]);
});

test.each([
  ["one that needs itself", [[0]], 1],
  ["one that needs what follows", [[1], []], 2],
  ["one that needs what is not there", [[], [7]], 2],
  ["another number of tasks", [[]], 2],
  ["no list", "none", 1],
  ["more tasks than a graph has", Array.from({ length: GRAPH_TASKS_MAX + 1 }, () => []), GRAPH_TASKS_MAX + 1],
])("no graph: %s", (_, needs, count) => {
  expect(() => new Graph(encode(needs), count)).toThrow(expect.objectContaining({ code: "malformed" }));
});
