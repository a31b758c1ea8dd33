/** The runner's connection to a node in a process of its own. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer, Command } from "../commands.ts";
import type { Commands } from "./child.ts";

/** No command is given longer than this. */
const TIMEOUT_MS = 120_000;

/** A command took longer than it may, or its process died. */
export class GaveUp extends Error {
  override name = "GaveUp";
}

type Called<Command> = Command extends (...args: infer Args) => infer Result
  ? { args: Args; result: Awaited<Result> }
  : never;

export class RemoteNode<All = Commands> implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  private constructor(process: ChildProcess, directory: string) {
    this.#process = process;
    this.#directory = directory;
    process.on("message", (answer: Answer) => this.#settle(answer));
    process.on("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new GaveUp("its process ended"));
    });
  }

  /**
   * Resolves when the process runs and has loaded the file, which exports `system`. `program` is the program that runs,
   * if it is not child.ts.
   */
  static async start<All = Commands>(
    file: string,
    program: string = join(import.meta.dirname, "child.ts"),
  ): Promise<RemoteNode<All>> {
    const directory = await mkdtemp(join(tmpdir(), "starfish-bench-"));
    const child = fork(program, [file], {
      cwd: directory,
      execArgv: ["--disable-warning=TimeoutNegativeWarning"],
      serialization: "advanced",
      // The systems' own output does not belong in the table.
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const node = new RemoteNode<All>(child, directory);
    await node.#answerTo(0, TIMEOUT_MS);
    return node;
  }

  /** Rejects with GaveUp after `timeoutMs`. */
  async call<Name extends keyof All & string>(
    name: Name,
    ...args: Called<All[Name]>["args"]
  ): Promise<Called<All[Name]>["result"]> {
    const id = ++this.#lastId;
    const answer = this.#answerTo(id, TIMEOUT_MS);
    this.#process.send({ id, name, args } satisfies Command);
    return await answer;
  }

  async #answerTo(id: number, timeoutMs: number): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const timer = setTimeout(() => waiting.reject(new GaveUp(`not within ${timeoutMs / 1_000} s`)), timeoutMs);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  #settle({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill("SIGKILL");
      await once(this.#process, "exit");
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
