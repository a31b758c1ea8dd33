/**
 * Real processes for system tests: started, spoken to, and ended by their own id. Everything that was started ends with
 * the test, also when it fails:
 *
 *     await using lab = await openLab();
 *     const node = await lab.up();
 *     const { stdout } = await lab.sh(node, "peers --json");
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT: string = join(import.meta.dirname, "../..");
const CLI: string = join(ROOT, "node/cli.ts");

/**
 * A node with its page and its first links is up in well under a second; two busy cores and a cold cache take longer.
 */
const READY_MS = 30_000;
/** Time limit of a line of the shell; jobs that compute for longer set their own. */
const LINE_MS = 60_000;
/** How much of a process's output is kept: enough to see why a test failed. */
const OUTPUT_CHARS_MAX = 256 * 1024;

interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The output as bytes, for pictures. */
  readonly stdoutBytes: Buffer;
}

/** A process whose output can be waited for. */
class Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout: Buffer[] = [];
  #stderr = "";
  #listeners = new Set<() => void>();

  constructor(
    command: string,
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv; stdin?: string | Uint8Array; keepStdin?: boolean },
  ) {
    const env = { ...process.env, NO_COLOR: "1", ...options.env };
    this.child = spawn(command, args, { cwd: options.cwd ?? ROOT, env, stdio: "pipe" });
    this.child.stdout?.on("data", (data: Buffer) => this.#heard(() => this.#stdout.push(data)));
    this.child.stderr?.on("data", (data: Buffer) =>
      this.#heard(() => (this.#stderr = (this.#stderr + String(data)).slice(-OUTPUT_CHARS_MAX))),
    );
    // The process may end without having read its input.
    this.child.stdin?.on("error", () => {});
    if (options.keepStdin !== true) this.child.stdin?.end(options.stdin ?? "");
    this.finished = this.#finish();
  }

  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The first match in all of stdout and stderr, or an error with both when time is up or the process has ended. */
  async output(pattern: RegExp, timeoutMs: number = READY_MS): Promise<RegExpExecArray> {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.#stderr);
        if (match === null) return;
        settle();
        resolve(match);
      };
      const fail = (why: string): void => {
        settle();
        reject(new Error(`${why} before ${pattern} appeared.\nstdout:\n${this.stdout}\nstderr:\n${this.#stderr}`));
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      const ended = (): void => fail(`Process ${this.child.pid} ended`);
      const settle = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        this.child.off("close", ended);
      };
      this.#listeners.add(look);
      this.child.on("close", ended);
      look();
      if (this.child.exitCode !== null || this.child.signalCode !== null) ended();
    });
  }

  /** Sends the signal to this process alone and waits for its end. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<Finished> {
    this.child.kill(signal);
    return await this.finished;
  }

  #heard(keep: () => void): void {
    keep();
    for (const listener of this.#listeners) listener();
  }

  async #finish(): Promise<Finished> {
    await once(this.child, "close");
    const { exitCode: status, signalCode: signal } = this.child;
    return { status, signal, stdout: this.stdout, stderr: this.#stderr, stdoutBytes: Buffer.concat(this.#stdout) };
  }
}

/**
 * A shell that stays connected to its node and answers line after line: to start one for each line would cost more than
 * the line itself.
 */
class Asker {
  readonly #shell: Running;
  #lines = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(shell: Running) {
    this.#shell = shell;
  }

  /** False once the node, or the shell itself, has gone. */
  get isThere(): boolean {
    return this.#shell.child.exitCode === null && this.#shell.child.signalCode === null;
  }

  /** Runs a line and returns its output and status. Lines wait for each other. */
  ask(line: string): Promise<{ readonly stdout: string; readonly stderr: string; readonly status: number }> {
    const answer = this.#last.then(async () => {
      const mark = `== ${this.#lines++}`;
      const [from, fromStderr] = [this.#shell.stdout.length, this.#shell.stderr.length];
      this.#shell.child.stdin?.write(`${line}\nprintf '%s %s\\n' '${mark}' $?\n`);
      const end = await this.#shell.output(new RegExp(`^${mark} (\\d+)$`, "m"), LINE_MS);
      const stdout = this.#shell.stdout.slice(from, end.index);
      return { stdout, stderr: this.#shell.stderr.slice(fromStderr), status: Number(end[1]) };
    });
    this.#last = answer.catch(() => {});
    return answer;
  }
}

export interface Node {
  readonly process: Running;
  readonly data: string;
  readonly invite: string;
  /** The page's address. */
  readonly url: string;
}

interface UpOptions {
  readonly data?: string;
  /** Words to put before the command, so that it runs elsewhere: see sites.ts. */
  readonly within?: readonly string[];
  readonly args?: readonly string[];
}

export interface Lab extends AsyncDisposable {
  /** A fresh directory. */
  readonly folder: string;
  /** `starfish ARGS…` */
  starfish(
    args: readonly string[],
    options?: {
      cwd?: string;
      stdin?: string | Uint8Array;
      keepStdin?: boolean;
      env?: NodeJS.ProcessEnv;
      within?: readonly string[];
    },
  ): Running;
  /** Starts a node, on any free port unless the arguments say otherwise. */
  up(options?: UpOptions): Promise<Node>;
  /** `starfish sh -c LINE` to its end. */
  sh(
    node: Node,
    line: string,
    options?: { cwd?: string; stdin?: string | Uint8Array; timeoutMs?: number },
  ): Promise<Finished>;
  /** The line's JSON. The lines of a node run one after the other. */
  shJson(node: Node, line: string): Promise<unknown>;
}

/** `program` is the command that runs as `starfish`; by default it is the sources under this Node. */
export async function openLab(
  options: { readonly program?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Lab> {
  const program = options.program ?? [process.execPath, CLI];
  const folder = await mkdtemp(join(tmpdir(), "starfish-lab-"));
  const started: Running[] = [];
  const askers = new WeakMap<Node, Asker>();
  let nodes = 0;
  const starfish: Lab["starfish"] = (args, { env, within: place = [], ...rest } = {}) => {
    const [command = "", ...before] = [...place, ...program];
    const running = new Running(command, [...before, ...args], {
      cwd: folder,
      env: { ...options.env, ...env },
      ...rest,
    });
    started.push(running);
    return running;
  };
  const sh: Lab["sh"] = async (node, line, { timeoutMs = LINE_MS, ...options } = {}) => {
    const running = starfish(["sh", "--data", node.data, "-c", line], options);
    return await within(
      timeoutMs,
      `'${line}'`,
      running.finished,
      () => `stdout:\n${running.stdout}\nstderr:\n${running.stderr}`,
    );
  };
  return {
    folder,
    starfish,
    sh,
    async up({ data = join(folder, `node-${nodes++}`), args = [], within: place = [] } = {}) {
      const port = args.includes("--port") ? [] : ["--port", "0"];
      const running = starfish(["up", "--data", data, ...port, ...args], { within: place });
      const [, invite = "", url = ""] = await running.output(/^invite: ((\S+)#\S+)$/m);
      return { process: running, data, invite, url };
    },
    async shJson(node, line) {
      let asker = askers.get(node);
      if (asker?.isThere !== true) {
        asker = new Asker(starfish(["sh", "--data", node.data], { keepStdin: true }));
        askers.set(node, asker);
      }
      const { status, stdout, stderr } = await asker.ask(line);
      if (status !== 0) throw new Error(`'${line}' ended with ${status}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((running) => running.end("SIGKILL")));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Asks again until the answer is right. For states that depend on messages between processes. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  isRight: (value: T) => boolean,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (isRight(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`After ${timeoutMs} ms still not: ${what}. Last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function within<T>(timeoutMs: number, what: string, promise: Promise<T>, state: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${timeoutMs} ms.\n${state()}`)), timeoutMs);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
