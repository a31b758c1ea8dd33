/**
 * A program's connection to the node: calls and their answers. All calls end when the program is killed.
 */
import { ERRNO, WasiError } from "../../sandbox/wasi/errno.ts";
import type { FromThread, Reply, Request } from "../messages.ts";

/** Thrown to unwind a program that has ended or was killed. */
export class Unwind extends Error {
  override readonly name = "Unwind";
  readonly end: "exit" | "killed" | "broken-pipe";
  readonly status: number;

  constructor(end: "exit" | "killed" | "broken-pipe", status = 0) {
    super(end);
    this.end = end;
    this.status = status;
  }
}

class CallFailed extends WasiError {
  override readonly errno: number;

  constructor(errno: number) {
    super("io");
    this.errno = errno;
  }
}

/** A call for whose answer the program does not wait yet. */
export interface Begun {
  /** Rejects with CallFailed, or with Unwind once the program is killed. */
  readonly answer: Promise<unknown>;
  /** Tells the node that the program is suspended until the answer comes. */
  waits(): void;
}

export class Channel {
  readonly #process: number;
  readonly #post: (message: FromThread, transfer: ArrayBuffer[]) => void;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  readonly #killed: Set<(error: Unwind) => void> = new Set();
  #calls = 0;
  #isKilled = false;

  constructor(process: number, post: (message: FromThread, transfer: ArrayBuffer[]) => void) {
    this.#process = process;
    this.#post = post;
  }

  /** Rejects with CallFailed, or with Unwind once the program is killed. */
  call(request: Request, transfer: ArrayBuffer[] = []): Promise<unknown> {
    return this.begin(request, { transfer, isAhead: false }).answer;
  }

  /** With `isAhead` the program goes on. */
  begin(request: Request, options: { readonly transfer?: ArrayBuffer[]; readonly isAhead: boolean }): Begun {
    this.check();
    const call = ++this.#calls;
    const { transfer = [], isAhead } = options;
    const process = this.#process;
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      this.#post({ is: "call", process, call, request, isAhead }, transfer);
    });
    let isTold = !isAhead;
    return {
      answer,
      waits: () => {
        if (isTold || !this.#waiting.has(call)) return;
        isTold = true;
        this.#post({ is: "waits", process, call }, []);
      },
    };
  }

  /** Tells the node that the program is suspended without a call, or goes on. */
  sleeps(isAsleep: boolean): void {
    this.#post({ is: "sleeps", process: this.#process, isAsleep }, []);
  }

  replied(call: number, reply: Reply): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (typeof reply === "number" && reply !== ERRNO.success) waiting?.reject(new CallFailed(reply));
    else waiting?.resolve(typeof reply === "number" ? undefined : reply.value);
  }

  kill(): void {
    this.#isKilled = true;
    const error = new Unwind("killed");
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    for (const stop of this.#killed) stop(error);
    this.#killed.clear();
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Throws once the program is killed. */
  check(): void {
    if (this.#isKilled) throw new Unwind("killed");
  }

  /** Calls `stop` when the program is killed; returns the function that removes it. */
  onKill(stop: (error: Unwind) => void): () => void {
    this.#killed.add(stop);
    return () => void this.#killed.delete(stop);
  }
}
