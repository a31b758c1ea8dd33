/**
 * Runs the programs of a session in one thread of their own, which starts with the first of them and ends when none has
 * run for a while. If a program does not stop when told to, its thread is ended, and with it all other programs that
 * run there; their errors say so.
 */
import { cancelled, isStarfishError, StarfishError, throwIfAborted } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Programs } from "../ports/programs.ts";
import type { Thread } from "../ports/thread.ts";
import { END_GRACE_MS, IDLE_MS, MEMORY_BYTES_MAX, MODULES_BYTES_MAX, PROGRAMS_MAX } from "./limits.ts";
import type { CompileReply, FromThread, ProgramEnd, Reply, Request, ToThread } from "./messages.ts";
import { NodeSide } from "./node-side.ts";
import { OpenFiles } from "./open-files.ts";
import type { FileTree, ProgramRun, TextCodec } from "./types.ts";
import { errnoOf, ERRNO } from "../sandbox/wasi/errno.ts";

export interface RunnerOptions {
  readonly programs: Programs;
  readonly tree: FileTree;
  readonly clock: Clock;
  readonly text: TextCodec;
}

interface Running {
  readonly name: string;
  readonly side: NodeSide;
  /** Calls that are not answered yet; true if the program waits for the answer. */
  readonly calls: Map<number, boolean>;
  isAsleep: boolean;
  ended(end: ProgramEnd): void;
}

export class ProgramRunner {
  readonly #options: RunnerOptions;
  readonly #files: OpenFiles;
  #thread: Thread | undefined;
  readonly #running = new Map<number, Running>();
  readonly #compiling = new Map<number, (reply: CompileReply) => void>();
  /** The least recently used first. */
  readonly #modules = new Map<string, { module: WebAssembly.Module; sizeBytes: number }>();
  #ids = 0;
  #idle: Timer | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#files = new OpenFiles(options.tree, options.clock);
  }

  /**
   * Runs a program to its end. Rejects with the error that kept it from starting ("not-wasm", "wasm-imports",
   * "unsupported", …), or with "cancelled". Otherwise the result says how it ended.
   */
  async run(run: ProgramRun): Promise<ProgramEnd> {
    if (this.#running.size >= PROGRAMS_MAX)
      throw new StarfishError("busy", `${PROGRAMS_MAX} programs run in this session already`);
    throwIfAborted(run.signal);
    const module = await this.#module(run);
    throwIfAborted(run.signal);
    const process = ++this.#ids;
    const side = new NodeSide(this.#files, run, this.#options.text);
    const stop = new AbortController();
    let end: ProgramEnd;
    try {
      end = await new Promise<ProgramEnd>((resolve) => {
        this.#running.set(process, { name: run.name, side, calls: new Map(), isAsleep: false, ended: resolve });
        this.#idle?.cancel();
        run.signal.addEventListener("abort", () => this.#kill(process), { once: true, signal: stop.signal });
        this.#post(startMessage(process, module, run, this.#options.text));
      });
    } finally {
      stop.abort();
      this.#running.delete(process);
      this.#rest();
    }
    const failure = await side.end().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (end.is === "killed") throw cancelled(run.signal);
    if (failure === undefined) return end;
    if (!isStarfishError(failure)) throw failure;
    return { is: "failed", code: failure.code, message: failure.message };
  }

  /** Ends the thread and all programs in it. */
  close(): void {
    this.#idle?.cancel();
    this.#end("the session has ended");
  }

  async #module(run: ProgramRun): Promise<WebAssembly.Module> {
    const key = `${run.moduleKey} ${run.memoryBytesMax ?? MEMORY_BYTES_MAX}`;
    const known = this.#modules.get(key);
    if (known !== undefined) {
      this.#modules.delete(key);
      this.#modules.set(key, known);
      return known.module;
    }
    const bytes = await run.load();
    const id = ++this.#ids;
    const reply = await new Promise<CompileReply>((resolve) => {
      this.#compiling.set(id, resolve);
      this.#post({ is: "compile", id, bytes, memoryBytesMax: run.memoryBytesMax ?? MEMORY_BYTES_MAX });
    });
    if (!("module" in reply)) throw new StarfishError(reply.code, reply.message);
    this.#modules.set(key, { module: reply.module, sizeBytes: bytes.length });
    let sum = 0;
    for (const [other, { sizeBytes }] of [...this.#modules].reverse()) {
      sum += sizeBytes;
      if (sum > MODULES_BYTES_MAX && other !== key) this.#modules.delete(other);
    }
    return reply.module;
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#thread ??= this.#options.programs.spawn({
      receive: (reply) => this.#receive(reply as FromThread),
      died: (why) => this.#end(`its thread ended: ${why}`),
    });
    this.#thread.setBusy(true);
    this.#thread.post(message, transfer);
  }

  #receive(message: FromThread): void {
    if (message.is === "compiled") {
      const resolve = this.#compiling.get(message.id);
      this.#compiling.delete(message.id);
      this.#rest();
      return resolve?.(message.reply);
    }
    const running = this.#running.get(message.process);
    if (message.is === "ended") return running?.ended(message.end);
    if (running === undefined) return;
    if (message.is === "sleeps") {
      running.isAsleep = message.isAsleep;
      return;
    }
    const { process, call } = message;
    if (message.is === "waits") {
      if (running.calls.has(call)) running.calls.set(call, true);
      return;
    }
    running.calls.set(call, !message.isAhead);
    void this.#answer(process, running, call, message.request);
  }

  async #answer(process: number, running: Running, call: number, request: Request): Promise<void> {
    let reply: Reply;
    let value: unknown;
    let transfer: ArrayBuffer[] = [];
    try {
      value = await running.side.answer(request);
      reply = value === undefined ? ERRNO.success : { value };
      if (request.is === "read" || request.is === "give") transfer = buffersOf([value]);
    } catch (error) {
      reply = errnoOf(error) ?? ERRNO.io;
    }
    running.calls.delete(call);
    if (this.#running.get(process) === running) this.#post({ is: "reply", process, call, reply }, transfer);
    running.side.posted(request, value);
  }

  #kill(process: number): void {
    const running = this.#running.get(process);
    if (running === undefined) return;
    this.#post({ is: "kill", process });
    // The program is suspended. It will hear of its end when its thread has time; nobody needs to wait for that.
    if (running.isAsleep || [...running.calls.values()].includes(true)) return running.ended({ is: "killed" });
    this.#options.clock.timer(END_GRACE_MS, () => {
      if (this.#running.get(process) !== running) return;
      running.ended({ is: "killed" });
      this.#running.delete(process);
      this.#end(`it shared a thread with ${running.name}, which could not be stopped otherwise`);
    });
  }

  #end(why: string): void {
    const thread = this.#thread;
    this.#thread = undefined;
    thread?.terminate();
    for (const resolve of this.#compiling.values()) resolve({ code: "closed", message: why });
    this.#compiling.clear();
    for (const running of this.#running.values()) running.ended({ is: "failed", code: "closed", message: why });
  }

  /** Ends a thread that has had nothing to do for a while. */
  #rest(): void {
    this.#idle?.cancel();
    if (this.#running.size > 0 || this.#compiling.size > 0 || this.#thread === undefined) return;
    this.#thread.setBusy(false);
    this.#idle = this.#options.clock.timer(IDLE_MS, () => {
      if (this.#running.size === 0 && this.#compiling.size === 0) this.#end("it was idle");
    });
  }
}

function buffersOf(pieces: readonly unknown[]): ArrayBuffer[] {
  return pieces.flatMap((piece) => (piece instanceof Uint8Array ? [piece.buffer as ArrayBuffer] : []));
}

function startMessage(process: number, module: WebAssembly.Module, run: ProgramRun, text: TextCodec): ToThread {
  return {
    is: "start",
    process,
    module,
    memoryBytesMax: run.memoryBytesMax ?? MEMORY_BYTES_MAX,
    args: run.args.map((word) => text.encode(word)),
    environment: [...run.environment].map(([name, value]) => text.encode(`${name}=${value}`)),
    streams: [...run.streams].map(([handle, stream]) => ({
      handle,
      type: stream.type,
      reads: stream.read !== undefined,
      writes: stream.write !== undefined,
    })),
    directories: run.cwd === "/" ? [text.encode("/")] : [text.encode("/"), text.encode(".")],
  };
}
