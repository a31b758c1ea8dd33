/**
 * Runs a job's tasks on other members: the asking side of the protocol. The module is sent once to each node that lacks
 * it, however many of its tasks wait for it.
 */
import { type Bytes, concat } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { Net } from "../net/types.ts";
import type { PeerId } from "../ports/network.ts";
import type { SandboxProgram } from "../ports/sandbox.ts";
import { PIECE_BYTES_MAX, PIECE_TIMEOUT_MS, RUN_ALLOWANCE_MS } from "./limits.ts";
import type { PoolResult } from "../sandbox/pool.ts";
import type { TaskLimits } from "../sandbox/types.ts";
import { CPU_PROTOCOL, getReply, type Payload, putReply, type RunRequest, runReply } from "./protocol.ts";

/** How often a node may ask for the module or the input of one task: once for each, and once more. */
const NEEDS_MAX = 3;

interface BorrowedJob {
  readonly id: string;
  readonly module: Bytes;
  readonly sha256: string;
  readonly program: SandboxProgram | undefined;
  readonly limits: TaskLimits;
}

export class Borrower {
  readonly #net: Net;
  readonly #signal: AbortSignal;
  readonly #job: BorrowedJob;
  /** Modules that are being sent, by node. */
  readonly #sending = new Map<PeerId, Promise<void>>();

  /** The signal is the job's, because it ends sending for several tasks. */
  constructor(net: Net, job: BorrowedJob, signal: AbortSignal) {
    this.#net = net;
    this.#job = job;
    this.#signal = signal;
  }

  /**
   * Runs one task on that node. Rejects when the node fails ("unreachable", "busy", …); failures of the task are
   * results.
   */
  async run(peer: PeerId, index: number, input: Bytes, signal: AbortSignal): Promise<PoolResult> {
    const { id, sha256, program, limits } = this.#job;
    const blob = `${id}/${index}`;
    const large = input.length > PIECE_BYTES_MAX;
    const request: RunRequest = {
      op: "run",
      job: id,
      module: sha256,
      memoryBytesMax: limits.memoryBytesMax,
      fuelMax: limits.fuelMax,
      timeMsMax: limits.timeMsMax,
      ...(program === undefined ? {} : { program }),
      input: large ? { blob, size: input.length } : { bytes: input },
    };
    if (large) await this.#put(peer, blob, input, signal);
    for (let needs = 0; needs < NEEDS_MAX; needs++) {
      const timeoutMs = limits.timeMsMax + RUN_ALLOWANCE_MS;
      const reply = await this.#net.request(peer, CPU_PROTOCOL, request, runReply, { signal, timeoutMs });
      if (reply.is === "failed") return { ok: false, code: reply.code, message: reply.message };
      if (reply.is === "done") {
        const output = await this.#fetch(peer, reply.output, signal);
        return { ok: true, output, fuelUsed: reply.fuelUsed, runMs: reply.runMs, waitMs: reply.waitMs };
      }
      if (reply.blobs.includes(sha256)) await this.#sendModule(peer);
      if (large && reply.blobs.includes(blob)) await this.#put(peer, blob, input, signal);
    }
    throw new StarfishError("remote-failure", "The node asks for the same bytes again and again");
  }

  #sendModule(peer: PeerId): Promise<void> {
    let sending = this.#sending.get(peer);
    if (sending === undefined) {
      sending = this.#put(peer, this.#job.sha256, this.#job.module, this.#signal).finally(() =>
        this.#sending.delete(peer),
      );
      this.#sending.set(peer, sending);
    }
    return sending;
  }

  async #put(peer: PeerId, blob: string, bytes: Bytes, signal: AbortSignal): Promise<void> {
    for (let at = 0; at === 0 || at < bytes.length; at += PIECE_BYTES_MAX) {
      const piece = { op: "put", blob, size: bytes.length, at, bytes: bytes.subarray(at, at + PIECE_BYTES_MAX) };
      await this.#net.request(peer, CPU_PROTOCOL, piece, putReply, { signal, timeoutMs: PIECE_TIMEOUT_MS });
    }
  }

  async #fetch(peer: PeerId, output: Payload, signal: AbortSignal): Promise<Uint8Array> {
    if ("bytes" in output) return output.bytes;
    // Memory is taken as bytes arrive, because the size is only what a member claims.
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < output.size;) {
      const request = { op: "get", blob: output.blob, at };
      const piece = await this.#net.request(peer, CPU_PROTOCOL, request, getReply, {
        signal,
        timeoutMs: PIECE_TIMEOUT_MS,
      });
      if (piece.length === 0 || piece.length > output.size - at) {
        throw new StarfishError("malformed", "A piece of the output has another size than was announced");
      }
      pieces.push(piece);
      at += piece.length;
    }
    return concat(pieces);
  }
}
