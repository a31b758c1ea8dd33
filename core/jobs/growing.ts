/**
 * The graph of one running job on this node. It reads the graph, and takes what tasks return as their results arrive
 * (graph.ts tells the order). Each node does so for itself, from the results that any node holds; in a verified job,
 * from those on which enough devices agree.
 */
import { concat } from "../base/bytes.ts";
import { isStarfishError } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import type { Gatherer } from "./gather.ts";
import type { Graph } from "./graph.ts";
import { type Intervals, interval, NONE, setOf, within } from "./intervals.ts";
import { FAILURE_CHARS_MAX, GROWING_AT_ONCE, RETURNED_BEGIN_BYTES } from "./limits.ts";
import type { Output } from "./results.ts";
import type { Inputs } from "./spec.ts";
import type { FailedTask } from "./types.ts";

interface GrowingParts {
  readonly contents: Contents;
  readonly gatherer: Gatherer;
  /** Tasks whose results are there. */
  readonly held: () => Intervals;
  readonly signal: AbortSignal;
  /** Called when there are more tasks, or when it is known that there are none. */
  readonly onGrown: () => void;
  /** Called when the graph could not be read. */
  readonly onFault: (error: unknown) => void;
}

const NOTHING = new Uint8Array();

export class Growing {
  readonly #inputs: Extract<Inputs, { from: "graph" }>;
  readonly #parts: GrowingParts;
  #graph: Graph | undefined;
  #failure: Omit<FailedTask, "by"> | undefined;
  #isReading = false;

  constructor(inputs: Extract<Inputs, { from: "graph" }>, parts: GrowingParts) {
    this.#inputs = inputs;
    this.#parts = parts;
  }

  /** Undefined until the graph has been read. */
  get graph(): Graph | undefined {
    return this.#graph;
  }

  /** The number of known tasks. */
  get count(): number {
    return this.#graph?.count ?? this.#inputs.count;
  }

  /** Whether no more tasks can come. */
  get isWhole(): boolean {
    return this.#graph?.isWhole === true;
  }

  /** A task that returned something impossible. From then on nothing more is taken. */
  get failure(): Omit<FailedTask, "by"> | undefined {
    return this.#failure;
  }

  get failed(): Intervals {
    return this.#failure === undefined ? NONE : interval(this.#failure.task, this.#failure.task + 1);
  }

  /** The tasks that can begin. */
  ready(): Intervals {
    return this.#graph?.ready(this.#parts.held()) ?? NONE;
  }

  /** Of these tasks, those that are known here: other nodes may be ahead. */
  known(tasks: Intervals): Intervals {
    return within(tasks, 0, this.count);
  }

  /** Reads the graph, and takes what can be taken. */
  look(): void {
    if (this.#isReading || this.#failure !== undefined || this.isWhole) return;
    if (this.#graph !== undefined && this.#due(this.#graph).length === 0) return;
    this.#isReading = true;
    this.#read()
      .catch((error: unknown) => {
        // The holder of a result may have gone. Another node holds it, or it is run again.
        if (!isStarfishError(error, "lost")) this.#parts.onFault(error);
      })
      .finally(() => {
        this.#isReading = false;
      });
  }

  #due(graph: Graph): number[] {
    return graph.due(this.#parts.held(), GROWING_AT_ONCE);
  }

  async #read(): Promise<void> {
    const { contents, gatherer, signal, onGrown } = this.#parts;
    if (this.#graph === undefined) {
      const { readGraph } = await import("./graph-table.ts");
      this.#graph = await readGraph(contents, this.#inputs, { signal });
      onGrown();
    }
    const graph = this.#graph;
    for (let due = this.#due(graph); due.length > 0 && this.#failure === undefined; due = this.#due(graph)) {
      const found = await gatherer.collect(setOf(due), { signal });
      for (const task of due) {
        const output = found.get(task)?.output;
        if (output === undefined || !(await this.#take(graph, task, output))) break;
      }
      onGrown();
    }
  }

  /** The beginning of a large output tells whether it is a value. */
  async #isValue(graph: Graph, output: Output): Promise<boolean> {
    if (output instanceof Uint8Array) return false;
    const { contents, signal } = this.#parts;
    const begin = contents.read(output, { from: 0, to: Math.min(output.sizeBytes, RETURNED_BEGIN_BYTES), signal });
    return !graph.isList(concat(await Array.fromAsync(begin)));
  }

  /** Returns false if it could not be taken. */
  async #take(graph: Graph, task: number, output: Output): Promise<boolean> {
    const { gatherer, signal } = this.#parts;
    const bytes = (await this.#isValue(graph, output)) ? NOTHING : await gatherer.bytesOf(output, { signal });
    try {
      graph.take(task, bytes);
      return true;
    } catch (error) {
      if (!isStarfishError(error, "too-large") && !isStarfishError(error, "malformed")) throw error;
      const code = error.code === "too-large" ? "too-large" : "malformed";
      this.#failure = { task, code, message: error.message.slice(0, FAILURE_CHARS_MAX) };
      return false;
    }
  }
}
