/** The runner's connection to a node in a process of its own. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer, Command } from "../commands.ts";
import type { Commands } from "./child.ts";

/** No command takes longer unless something is wrong. */
const TIMEOUT_MS = 180_000;

/** Directories of nodes that have ended. */
const left = new Set<string>();

/** Removes the directories of ended nodes. Call it at the end of the run. */
export async function clearAway(): Promise<void> {
  for (const directory of left) await rm(directory, { recursive: true, force: true });
}

export class RemoteNode implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  private constructor(process: ChildProcess, directory: string) {
    this.#process = process;
    this.#directory = directory;
    process.on("message", (answer: Answer) => this.#settle(answer));
    process.on("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("Its process ended"));
    });
  }

  /** Resolves when the process runs. */
  static async start(): Promise<RemoteNode> {
    const directory = await mkdtemp(join(process.env["BENCH_DIR"] ?? tmpdir(), "starfish-bench-"));
    const child = fork(join(import.meta.dirname, "child.ts"), [], {
      execArgv: ["--expose-gc"],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const node = new RemoteNode(child, directory);
    await node.#answerTo(0);
    return node;
  }

  /** Founds a swarm or joins one; resolves to the link by which others join. */
  open(join?: string): Promise<string> {
    return this.call("open", `${this.#directory}/node`, join);
  }

  async call<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const id = ++this.#lastId;
    const answer = this.#answerTo(id);
    this.#process.send({ id, name, args } satisfies Command);
    return (await answer) as Awaited<ReturnType<Commands[Name]>>;
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }

  /**
   * The node's files stay until the end of the run, because ext4 does not reuse deleted space at once and then searches
   * for free space for long.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    left.add(this.#directory);
  }

  async #answerTo(id: number): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const timer = setTimeout(() => waiting.reject(new Error(`No answer within ${TIMEOUT_MS / 1_000} s`)), TIMEOUT_MS);
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
}
