/**
 * Checks and compiles modules in a worker of its own, one after the other. A module of 15 MiB takes a second or more,
 * which would block the node's own thread. This node's own modules go first. A worker that takes too long is ended; an
 * idle one is ended after a while.
 */
import type { Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { CompileOutcome, ProgramKind, Sandbox, SandboxWorker } from "../ports/sandbox.ts";
import { COMPILE_MS_MAX, WORKER_IDLE_MS } from "./limits.ts";

interface Waiting {
  readonly bytes: Bytes;
  readonly memoryBytesMax: number;
  readonly kind: ProgramKind;
  readonly own: boolean;
  readonly resolve: (module: WebAssembly.Module) => void;
  readonly reject: (error: StarfishError) => void;
}

export class Compiler {
  readonly #sandbox: Sandbox;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #worker: SandboxWorker | undefined;
  #busy = false;
  #idle: Timer | undefined;
  /** Ends the current compilation. */
  #stop: (() => void) | undefined;
  #closed = false;

  constructor(sandbox: Sandbox, clock: Clock) {
    this.#sandbox = sandbox;
    this.#clock = clock;
  }

  /**
   * Rejects with the fault of the module, with "timeout", with "unsupported" if there are no workers, or with "closed".
   * The caller bounds the number of its modules.
   */
  compile(bytes: Bytes, memoryBytesMax: number, kind: ProgramKind, own: boolean): Promise<WebAssembly.Module> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closed());
      const waiting: Waiting = { bytes, memoryBytesMax, kind, own, resolve, reject };
      const place = own ? this.#waiting.findIndex((other) => !other.own) : -1;
      if (place < 0) this.#waiting.push(waiting);
      else this.#waiting.splice(place, 0, waiting);
      void this.#work();
    });
  }

  close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
    this.#stop?.();
    this.#rest();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#idle?.cancel();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { resolve, reject } = next;
      try {
        const outcome = await this.#compile(next);
        if (outcome.ok) resolve(outcome.module);
        else reject(new StarfishError(outcome.code, outcome.message));
      } catch (error) {
        reject(error instanceof StarfishError ? error : new StarfishError("unsupported", String(error)));
      }
    }
    this.#busy = false;
    if (this.#closed) this.#rest();
    else this.#idle = this.#clock.timer(WORKER_IDLE_MS, () => this.#rest());
  }

  async #compile({ bytes, memoryBytesMax, kind }: Waiting): Promise<CompileOutcome> {
    const worker = (this.#worker ??= await this.#sandbox.spawn());
    if (this.#closed) throw closed();
    const stopped = Promise.withResolvers<CompileOutcome>();
    const end = (outcome: CompileOutcome): void => {
      this.#rest();
      stopped.resolve(outcome);
    };
    const seconds = COMPILE_MS_MAX / 1_000;
    const deadline = this.#clock.timer(COMPILE_MS_MAX, () =>
      end({ ok: false, code: "timeout", message: `The module took longer than ${seconds} s to check and to compile` }),
    );
    this.#stop = () => end({ ok: false, code: "closed", message: closed().message });
    const outcome = await Promise.race([worker.compile(bytes, memoryBytesMax, kind), stopped.promise]);
    deadline.cancel();
    this.#stop = undefined;
    // A worker that has died is of no further use.
    if (!outcome.ok && outcome.code === "closed") this.#rest();
    return outcome;
  }

  #rest(): void {
    this.#idle?.cancel();
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

function closed(): StarfishError {
  return new StarfishError("closed", "This node runs no tasks any more");
}
