/** Plain sqlite-wasm in a thread of its own, in memory: the figures of the shared database are ratios to it. */
import { Worker } from "node:worker_threads";

export type PlainValue = string | number | null;

export interface PlainCall {
  readonly id: number;
  readonly sql: string;
  readonly parameters: PlainValue[] | undefined;
  /** If given, the statement is run for each of these rows, one after the other. */
  readonly many: PlainValue[][] | undefined;
}

export class PlainSqlite implements AsyncDisposable {
  readonly #worker = new Worker(new URL("./plain-worker.ts", import.meta.url));
  readonly #waiting = new Map<number, (rows: readonly PlainValue[][]) => void>();
  #lastId = 0;

  constructor() {
    this.#worker.on("message", ({ id, rows }: { id: number; rows: PlainValue[][] }) => this.#waiting.get(id)?.(rows));
  }

  run(sql: string, parameters?: PlainValue[], many?: PlainValue[][]): Promise<readonly PlainValue[][]> {
    const id = ++this.#lastId;
    this.#worker.postMessage({ id, sql, parameters, many } satisfies PlainCall);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
