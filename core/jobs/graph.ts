/**
 * Tasks whose inputs are other tasks' results, as one job in which a task runs once its inputs are there. The graph can
 * grow: a task may return further tasks instead of a value (as in CIEL: Murray et al., NSDI'11). Its result is then
 * made of the results of those returned tasks that no other task of its list needs, one after the other. The job's
 * result is made of its first tasks in the same way.
 *
 * All nodes give the tasks the same numbers, whatever they hear first, without asking anybody. Returned lists are taken
 * in a fixed order. A task that may return others enters a queue once everything that could still change its input has
 * been taken. The first task of the queue is taken, and its list gets the next numbers, in order. So a task's number
 * follows from its parent's place in the queue and its own place in the list, and the queue follows from what was taken
 * before. The first task of the queue can always run: nothing that it needs can wait for it. Pure.
 */
import type { Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { has, type Intervals, numbersOf, setOf } from "./intervals.ts";
import { GRAPH_DEPTH_MAX, GRAPH_NEEDS_MAX, GROWN_BYTES_MAX } from "./limits.ts";
import { isReturned, readReturned } from "./returned.ts";

export interface GraphRow {
  /** Tasks whose results precede its own input. They have lower numbers. */
  readonly needs: readonly number[];
  /** 0 is the job's program, others are the graph's further ones. */
  readonly program: number;
  /** Whether it may return tasks. */
  readonly grows: boolean;
}

/** A task that another has returned: `needs` are positions in the list, before its own. */
export interface ReturnedTask extends GraphRow {
  /** Positions in what its parent needs. Their results come first. */
  readonly given: readonly number[];
  readonly input: Bytes;
}

interface Node {
  readonly needs: readonly number[];
  readonly program: number;
  readonly grows: boolean;
  /** The length of the chain of tasks that returned each other, down to this one. */
  readonly depth: number;
  /** The input of a returned task. */
  readonly input: Bytes | undefined;
  /** For a task that has returned tasks: those whose results make up its own, in order. */
  ends: readonly number[] | undefined;
  /** For a task that grows: whether it is known what it has returned. */
  isTaken: boolean;
  /** The number of unsettled tasks that it needs or, once it has returned tasks, among its ends. */
  open: number;
  /** The tasks that wait for it to be settled; a task may be listed several times. */
  readonly waiting: number[];
  /** Whether no more tasks can come from it or from what it needs. */
  isSettled: boolean;
}

export class Graph {
  /** The tasks whose results make up the job's, in order. */
  readonly ends: readonly number[];
  readonly #tasksMax: number;
  readonly #programs: number;
  readonly #nodes: Node[] = [];
  /** In an order in which each task comes after those that its value is made of. */
  readonly #settled: number[] = [];
  readonly #queue: number[] = [];
  #needs = 0;
  #grownBytes = 0;

  /**
   * @param tasksMax how many tasks it may have when it has grown; `programs` is the number of programs for its tasks
   */
  constructor(rows: readonly GraphRow[], tasksMax: number = rows.length, programs = 1) {
    this.#tasksMax = tasksMax;
    this.#programs = programs;
    for (const row of rows) this.#add({ ...row, depth: 0, input: undefined });
    this.ends = unneeded(rows);
    this.#settle(this.#without(0));
  }

  get count(): number {
    return this.#nodes.length;
  }

  /** Whether no more tasks can come. */
  get isWhole(): boolean {
    return this.#queue.length === 0;
  }

  /**
   * The tasks that a task returns with this output; undefined if the output is a value. Throws "malformed",
   * "too-large".
   */
  returnedBy(task: number, output: Bytes): ReturnedTask[] | undefined {
    const { grows, needs } = this.#node(task);
    return grows ? readReturned(output, { needs: needs.length, programs: this.#programs }) : undefined;
  }

  /** The tasks whose outputs precede its own input, in order. Throws "too-large". */
  inputsOf(task: number): number[] {
    return this.outputsOf(this.#node(task).needs);
  }

  /** The results of these tasks, as the tasks whose outputs they consist of, in order. Throws "too-large". */
  outputsOf(tasks: readonly number[]): number[] {
    const outputs: number[] = [];
    const open = tasks.toReversed();
    for (let task = open.pop(); task !== undefined; task = open.pop()) {
      const { ends } = this.#node(task);
      if (ends !== undefined) for (let i = ends.length - 1; i >= 0; i--) open.push(ends[i] ?? 0);
      else outputs.push(task);
      // The same result may be named any number of times.
      if (outputs.length > GRAPH_NEEDS_MAX) throw tooMany(`results that one task takes are ${GRAPH_NEEDS_MAX}`);
    }
    return outputs;
  }

  /** Whether an output that begins with these bytes is a list of tasks. */
  isList(begin: Bytes): boolean {
    return isReturned(begin);
  }

  programOf(task: number): number {
    return this.#node(task).program;
  }

  /** The own input of a returned task. */
  inputOf(task: number): Bytes | undefined {
    return this.#nodes[task]?.input;
  }

  /** The tasks that can begin when the outputs of these are there. */
  ready(done: Intervals): Intervals {
    const { length } = this.#nodes;
    const isDone = new Uint8Array(length);
    for (const task of numbersOf(done)) isDone[task] = 1;
    const hasValue = new Uint8Array(length);
    for (const task of this.#settled) {
      const ends = this.#node(task).ends ?? [];
      const isThere = ends.length === 0 ? isDone[task] === 1 : ends.every((end) => hasValue[end] === 1);
      if (isThere) hasValue[task] = 1;
    }
    const ready: number[] = [];
    this.#nodes.forEach(({ needs }, task) => {
      if (needs.every((need) => hasValue[need] === 1)) ready.push(task);
    });
    return setOf(ready);
  }

  /** The tasks to take next, in order, as far as their outputs are there; at most `most` of them. */
  due(done: Intervals, most: number): number[] {
    const queue = this.#queue.slice(0, most);
    const first = queue.findIndex((task) => !has(done, task));
    return first < 0 ? queue : queue.slice(0, first);
  }

  /**
   * Takes what the first task of the queue has returned: tasks, or a value. Throws "malformed", and "too-large" if the
   * graph would become too large; then it stays as it was.
   */
  take(task: number, output: Bytes): void {
    if (this.#queue[0] !== task) throw new Error(`Task ${task} is not the next to be taken`);
    const node = this.#node(task);
    const returned = this.returnedBy(task, output);
    if (returned !== undefined) this.#checkRoom(node, returned, output.length);
    this.#queue.shift();
    node.isTaken = true;
    if (returned === undefined) return this.#settle([task]);
    this.#grownBytes += output.length;
    const base = this.#nodes.length;
    for (const { needs, given, program, grows, input } of returned) {
      const all = [...given.map((place) => needOf(node, place)), ...needs.map((place) => base + place)];
      this.#add({ needs: all, program, grows, input, depth: node.depth + 1 });
    }
    node.ends = unneeded(returned).map((place) => base + place);
    node.open = node.ends.length;
    for (const end of node.ends) this.#node(end).waiting.push(task);
    this.#settle(this.#without(base));
  }

  #add(row: Pick<Node, "needs" | "program" | "grows" | "depth" | "input">): void {
    const task = this.#nodes.length;
    let open = 0;
    for (const need of row.needs) {
      const { isSettled, waiting } = this.#node(need);
      if (isSettled) continue;
      waiting.push(task);
      open++;
    }
    this.#nodes.push({ ...row, ends: undefined, isTaken: false, open, waiting: [], isSettled: false });
    this.#needs += row.needs.length;
  }

  /** The tasks, from number `from` on, that wait for nothing. */
  #without(from: number): number[] {
    const free: number[] = [];
    for (let task = from; task < this.#nodes.length; task++) if (this.#node(task).open === 0) free.push(task);
    return free;
  }

  /**
   * Everything that these tasks wait for is settled. Those that grow are queued until they are taken; the others are
   * settled too.
   */
  #settle(tasks: readonly number[]): void {
    const next = [...tasks];
    for (const task of next) {
      const node = this.#node(task);
      if (node.grows && !node.isTaken) this.#queue.push(task);
      else {
        node.isSettled = true;
        this.#settled.push(task);
        for (const waiting of node.waiting) if (--this.#node(waiting).open === 0) next.push(waiting);
      }
    }
  }

  #checkRoom({ depth }: Node, returned: readonly ReturnedTask[], bytes: number): void {
    const needs = returned.reduce((sum, task) => sum + task.needs.length + task.given.length, 0);
    if (this.#nodes.length + returned.length > this.#tasksMax) throw tooMany(`tasks of this job are ${this.#tasksMax}`);
    if (this.#needs + needs > GRAPH_NEEDS_MAX) throw tooMany(`needs of all tasks are ${GRAPH_NEEDS_MAX}`);
    if (depth + 1 > GRAPH_DEPTH_MAX) throw tooMany(`tasks that return each other in turn are ${GRAPH_DEPTH_MAX}`);
    if (this.#grownBytes + bytes > GROWN_BYTES_MAX)
      throw tooMany(`bytes of all that tasks return are ${GROWN_BYTES_MAX}`);
  }

  #node(task: number): Node {
    const node = this.#nodes[task];
    if (node === undefined) throw new Error(`There is no task ${task}`);
    return node;
  }
}

function needOf({ needs }: Node, place: number): number {
  const need = needs[place];
  if (need === undefined) throw new Error(`A task gives on result ${place} of ${needs.length}`);
  return need;
}

/** The tasks that no other of them needs. */
function unneeded(rows: readonly { readonly needs: readonly number[] }[]): number[] {
  const needed = new Set(rows.flatMap(({ needs }) => needs));
  return Array.from(rows.keys()).filter((place) => !needed.has(place));
}

function tooMany(what: string): StarfishError {
  return new StarfishError("too-large", `The most ${what}`);
}
