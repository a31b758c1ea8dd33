import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { text, utf8 } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import { Graph, type GraphRow } from "./graph.ts";
import { graphOf } from "./graph-table.ts";
import { add, has, type Intervals, interval, NONE, numbersOf, setOf, sizeOf, subtract } from "./intervals.ts";
import { GRAPH_NEEDS_MAX, GRAPH_TASKS_MAX, RETURNED_BYTES_MAX } from "./limits.ts";

function rows(...needs: number[][]): GraphRow[] {
  return needs.map((each) => ({ needs: each, program: 0, grows: false }));
}

/** The output of a task that returns these. */
function list(...tasks: readonly object[]): Uint8Array {
  return utf8(JSON.stringify({ tasks }));
}

const VALUE = utf8("a value");

/** Each task returns another. */
function turns(graph: Graph, task: object): void {
  for (let i = 0; i < GRAPH_TASKS_MAX; i++) graph.take(i, list(task));
}

const GROWS = { needs: [], program: 0, grows: true };

describe("a graph", () => {
  test("a task is ready when all that it needs is done, and the result is made of what nobody needs", () => {
    const graph = new Graph(rows([], [], [0, 1], [0], [2, 3], []));
    expect(graph.ready([])).toEqual([0, 2, 5, 6]);
    expect(graph.ready([0, 1])).toEqual([0, 2, 3, 4, 5, 6]);
    expect(graph.ready([0, 4])).toEqual([0, 6]);
    expect(graph.ends).toEqual([4, 5]);
    expect(graph.inputsOf(2)).toEqual([0, 1]);
    expect(graph.isWhole).toBe(true);
  });

  test.each([
    ["one that needs itself", [[[0], 0, false]], {}],
    [
      "one that needs what follows",
      [
        [[1], 0, false],
        [[], 0, false],
      ],
      {},
    ],
    [
      "one that needs what is not there",
      [
        [[], 0, false],
        [[7], 0, false],
      ],
      {},
    ],
    ["another number of tasks", [[[], 0, false]], { count: 2 }],
    ["no list", "none", {}],
    ["a program that is not there", [[[], 1, false]], {}],
    ["one that grows where none may", [[[], 0, true]], {}],
    ["more tasks than a graph has", Array.from({ length: GRAPH_TASKS_MAX + 1 }, () => [[], 0, false]), {}],
  ])("is none: %s", (_, table, more) => {
    const count = Array.isArray(table) ? table.length : 1;
    expect(() => graphOf(encode(table), { count, ...more })).toThrow(expect.objectContaining({ code: "malformed" }));
  });
});

describe("a graph that grows", () => {
  test("has the tasks of a list in the place of the one that returned it", () => {
    const graph = new Graph([GROWS, GROWS, ...rows([0, 1])], 10);
    expect(graph.ready(NONE)).toEqual([0, 2]);
    expect(graph.due([1, 2], 9)).toEqual([]);
    expect(graph.due([0, 2], 9)).toEqual([0, 1]);
    graph.take(0, list({ input: "a" }, {}, { needs: [0] }));
    expect(graph.count).toBe(6);
    expect(graph.isWhole).toBe(false);
    graph.take(1, VALUE);
    expect(graph.isWhole).toBe(true);
    // The task that needed the first one gets the results of those tasks of its list that no other task needs.
    expect(graph.inputsOf(2)).toEqual([4, 5, 1]);
    expect(graph.ready([0, 4])).toEqual([0, 2, 3, 6]);
    expect(graph.ready([0, 6])).toEqual([0, 6]);
    expect(text(graph.inputOf(3) ?? utf8("none"))).toBe("a");
    expect(graph.outputsOf(graph.ends)).toEqual([2]);
  });

  test("waits with a task that grows until nothing can change its input", () => {
    const graph = new Graph([GROWS, { ...GROWS, needs: [0] }, GROWS], 10);
    graph.take(0, list({ grows: true }));
    expect(graph.due([0, 10], 9)).toEqual([2, 3]);
    graph.take(2, VALUE);
    graph.take(3, VALUE);
    expect(graph.due([0, 10], 9)).toEqual([1]);
    expect(graph.inputsOf(1)).toEqual([3]);
    graph.take(1, list({ given: [0] }));
    expect(graph.inputsOf(4)).toEqual([3]);
    expect(graph.outputsOf(graph.ends)).toEqual([4, 2]);
  });

  test.each<[string, (graph: Graph) => void, RegExp]>([
    ["tasks", (graph) => graph.take(0, list(...Array.from({ length: 5_000 }, () => ({})))), /tasks of this job/],
    [
      "needs",
      (graph) => graph.take(0, list({}, { needs: Array.from({ length: GRAPH_NEEDS_MAX }, () => 0) }, { needs: [0] })),
      /needs/,
    ],
    ["bytes", (graph) => turns(graph, { input: "x".repeat(RETURNED_BYTES_MAX - 100), grows: true }), /bytes/],
    ["turns", (graph) => turns(graph, { grows: true }), /in turn/],
  ])("has no more %s than it may, and stays as it was", (_, grow, why) => {
    const graph = new Graph([GROWS], 4_096);
    let count = 0;
    const grown = (): void => {
      try {
        grow(graph);
      } catch (error) {
        count = graph.count;
        throw error;
      }
    };
    expect(grown).toThrow(expect.objectContaining({ code: "too-large", message: expect.stringMatching(why) }));
    expect(graph.due(interval(0, 5_000), 9)).toEqual([count - 1]);
  });

  test("gives no task more results than a graph has, however often they are named", () => {
    const graph = new Graph([GROWS, ...rows(Array.from({ length: 100 }, () => 0))], 4_096);
    graph.take(0, list(...Array.from({ length: 1_000 }, () => ({}))));
    expect(() => graph.inputsOf(1)).toThrow(expect.objectContaining({ code: "too-large" }));
  });
});

/** Numbers that follow from a seed alone. */
function drawsOf(seed: string): (most: number) => number {
  let state = 2_166_136_261;
  for (const char of seed) state = Math.imul(state ^ char.charCodeAt(0), 16_777_619);
  return (most) => {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e37_79b9;
    return ((state ^ (state >>> 13)) >>> 0) % most;
  };
}

interface Listed {
  readonly needs: readonly number[];
  readonly given: readonly number[];
  readonly grows: boolean;
  readonly input: string;
}

/** What the task of this name returns, the same wherever it runs. The name says how many results the task takes. */
function listOf(name: string): Listed[] | undefined {
  const draw = drawsOf(name);
  const [path = "", taken = "0"] = name.split(":");
  if (path.length > 8 || draw(3) === 0) return undefined;
  return Array.from({ length: 1 + draw(4) }, (_, place) => {
    const needs = Array.from({ length: place === 0 ? 0 : draw(3) }, () => draw(place));
    const given = Array.from({ length: taken === "0" ? 0 : draw(2) }, () => draw(Number(taken)));
    return { needs, given, grows: draw(3) > 0, input: `${path}.${place}:${needs.length + given.length}` };
  });
}

/** The result of a task, computed by plain recursion. */
function valueOf(name: string, grows: boolean, given: readonly string[]): string {
  const list = grows ? listOf(name) : undefined;
  if (list === undefined) return `[${given.join("")}${name}]`;
  const values: string[] = [];
  for (const task of list) {
    const inputs = [
      ...task.given.map((place) => given[place] ?? ""),
      ...task.needs.map((place) => values[place] ?? ""),
    ];
    values.push(valueOf(task.input, task.grows, inputs));
  }
  const needed = new Set(list.flatMap(({ needs }) => needs));
  return values.filter((_, place) => !needed.has(place)).join("");
}

function rootName(task: number, roots: readonly GraphRow[]): Uint8Array {
  return utf8(`r${task}:${roots[task]?.needs.length ?? 0}`);
}

/** Runs a graph of these roots in an order that `pick` chooses. Results are taken late or at once. */
function run(
  roots: readonly GraphRow[],
  pick: (most: number) => number,
): { graph: Graph; result: string; log: string[] } {
  const graph = new Graph(roots, 4_096);
  const outputs = new Map<number, string>();
  const log: string[] = [];
  let done: Intervals = NONE;
  const named = (task: number): string => text(graph.inputOf(task) ?? rootName(task, roots));
  for (;;) {
    const open = [...numbersOf(subtract(graph.ready(done), done))];
    const due = graph.due(done, 1 + pick(3));
    if (open.length === 0 && due.length === 0) break;
    if (due.length > 0 && (open.length === 0 || pick(2) === 0)) {
      for (const task of due) {
        const tasks = listOf(named(task));
        graph.take(task, tasks === undefined ? utf8(outputs.get(task) ?? "missing") : list(...tasks));
      }
      continue;
    }
    const task = open[pick(open.length)] ?? 0;
    const input = graph.inputsOf(task).map((need) => outputs.get(need) ?? "missing");
    outputs.set(task, `[${input.join("")}${named(task)}]`);
    log.push(`${task} ${named(task)}`);
    done = add(done, task);
  }
  expect(graph.isWhole).toBe(true);
  expect(done).toEqual(interval(0, graph.count));
  const result = graph.outputsOf(graph.ends).map((task) => outputs.get(task) ?? "missing");
  return { graph, result: result.join(""), log: log.toSorted() };
}

test("gives what plain recursion gives and numbers its tasks alike, in whatever order they are done and taken", () => {
  const needs = fc.array(fc.nat(), { maxLength: 2 });
  const roots = fc.array(fc.record({ needs, grows: fc.boolean() }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(roots, fc.string(), fc.string(), (drawn, one, other) => {
      const all = drawn.map(({ needs: named, grows }, task) => {
        return { needs: task === 0 ? [] : named.map((need) => need % task), program: 0, grows };
      });
      const values: string[] = [];
      all.forEach(({ needs: named, grows }, task) => {
        values.push(
          valueOf(
            text(rootName(task, all)),
            grows,
            named.map((need) => values[need] ?? ""),
          ),
        );
      });
      const first = run(all, drawsOf(one));
      const second = run(all, drawsOf(other));
      expect(first.result).toBe(first.graph.ends.map((task) => values[task]).join(""));
      expect(second.log).toEqual(first.log);
      expect(second.result).toBe(first.result);
    }),
    { numRuns: 200 },
  );
});

test("a set of numbers in any order is as if each were added", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60)), (numbers) => {
      const set = setOf(numbers);
      expect(set).toEqual(numbers.reduce((all: Intervals, number) => add(all, number), NONE));
      expect(sizeOf(set)).toBe(new Set(numbers).size);
      expect(numbers.every((number) => has(set, number))).toBe(true);
    }),
  );
});
