/**
 * Runs tasks for other members on the cores that this node lends. It trusts nothing that they send: modules are checked
 * and limited here again, and tasks, bytes and time are bounded for each asker and in all ("busy").
 */
import { toHex } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import type { Net, RequestContext } from "../net/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { PeerId } from "../ports/network.ts";
import { COMPILING_MAX, FUEL_MAX, MEMORY_BYTES_MAX, TIME_MS_MAX } from "../sandbox/limits.ts";
import type { CompiledModule, Modules } from "../sandbox/modules.ts";
import type { Pool } from "../sandbox/pool.ts";
import { TASK_FAULTS } from "../sandbox/types.ts";
import { Blobs } from "./blobs.ts";
import { PIECE_BYTES_MAX, TASKS_MAX, TASKS_PER_ASKER_MAX } from "./limits.ts";
import { CPU_PROTOCOL, type CpuRequest, cpuRequest, type Payload, type RunReply, type RunRequest } from "./protocol.ts";

export class Lender {
  readonly #pool: Pool;
  readonly #modules: Modules;
  readonly #crypto: Crypto;
  readonly #blobs: Blobs;
  readonly #stop: Unsubscribe;
  /** The number of waiting and running tasks of each asker. */
  readonly #tasks = new Map<PeerId, number>();
  #total = 0;
  /** Askers whose modules are being compiled. */
  readonly #compiling = new Set<PeerId>();
  /** The number of the last output that waits to be fetched. */
  #outputs = 0;

  constructor(options: { net: Net; pool: Pool; modules: Modules; clock: Clock; crypto: Crypto }) {
    this.#pool = options.pool;
    this.#modules = options.modules;
    this.#crypto = options.crypto;
    this.#blobs = new Blobs(options.clock);
    this.#stop = options.net.handle(CPU_PROTOCOL, cpuRequest, (request, context) => this.#serve(request, context));
  }

  close(): void {
    this.#stop();
    this.#blobs.close();
  }

  async #serve(request: CpuRequest, context: RequestContext): Promise<unknown> {
    if (request.op === "get") return this.#blobs.get(context.from, request.blob, request.at);
    if (this.#pool.lent === 0) throw new StarfishError("no-cores", "This node lends no cores now");
    if (request.op === "put") {
      this.#blobs.put(context.from, request);
      return null;
    }
    const tasks = this.#tasks.get(context.from) ?? 0;
    if (tasks >= TASKS_PER_ASKER_MAX || this.#total >= TASKS_MAX) {
      throw new StarfishError("busy", "This node has too many tasks for now", { retryable: true });
    }
    this.#tasks.set(context.from, tasks + 1);
    this.#total++;
    try {
      return await this.#run(request, context);
    } catch (error) {
      const code = error instanceof StarfishError ? TASK_FAULTS.find((fault) => fault === error.code) : undefined;
      if (code === undefined || !(error instanceof StarfishError)) throw error;
      return { is: "failed", code, message: error.message } satisfies RunReply;
    } finally {
      this.#total--;
      const left = (this.#tasks.get(context.from) ?? 1) - 1;
      if (left > 0) this.#tasks.set(context.from, left);
      else this.#tasks.delete(context.from);
    }
  }

  async #run(request: RunRequest, { from, signal }: RequestContext): Promise<RunReply> {
    const module = await this.#module(request, from);
    const input = "bytes" in request.input ? request.input.bytes : this.#blobs.take(from, request.input.blob);
    const needed: string[] = [];
    if (module === undefined) needed.push(request.module);
    if (input === undefined && "blob" in request.input) needed.push(request.input.blob);
    if (module === undefined || input === undefined) return { is: "need", blobs: needed };
    const result = await this.#pool.run(
      {
        job: request.job,
        for: from,
        own: false,
        moduleId: module.id,
        module: module.module,
        program: request.program,
        input,
        fuelMax: Math.min(request.fuelMax, FUEL_MAX),
        timeMsMax: Math.min(request.timeMsMax, TIME_MS_MAX),
      },
      signal,
    );
    if (!result.ok) throw new StarfishError(result.code, result.message);
    const { fuelUsed, runMs, waitMs } = result;
    return { is: "done", output: this.#payload(from, result.output), fuelUsed, runMs, waitMs };
  }

  async #module(request: RunRequest, from: PeerId): Promise<CompiledModule | undefined> {
    const memoryBytesMax = Math.min(request.memoryBytesMax, MEMORY_BYTES_MAX);
    const kind = request.program?.kind ?? "bytes";
    const known = this.#modules.find(request.module, memoryBytesMax, kind);
    if (known !== undefined) return known;
    if (this.#compiling.has(from) || this.#compiling.size >= COMPILING_MAX) {
      throw new StarfishError("busy", "This node is compiling other modules", { retryable: true });
    }
    const bytes = this.#blobs.take(from, request.module);
    if (bytes === undefined) return undefined;
    if (toHex(this.#crypto.sha256(bytes)) !== request.module) {
      throw new StarfishError("malformed", "The module's bytes do not have the hash that names it");
    }
    this.#compiling.add(from);
    try {
      return await this.#modules.add(request.module, bytes, memoryBytesMax, false, kind);
    } finally {
      this.#compiling.delete(from);
    }
  }

  #payload(asker: PeerId, bytes: Uint8Array): Payload {
    if (bytes.length <= PIECE_BYTES_MAX) return { bytes };
    const blob = `output/${this.#outputs++}`;
    this.#blobs.offer(asker, blob, bytes);
    return { blob, size: bytes.length };
  }
}
