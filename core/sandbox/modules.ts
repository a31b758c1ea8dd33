/**
 * The modules that this node has compiled, each once for each memory limit, and the errors of those that it could not
 * compile. The least recently used ones are dropped first.
 */
import type { Bytes } from "../base/bytes.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { Compiler } from "./compiler.ts";
import {
  MODULE_CACHE_BYTES_MAX,
  MODULE_CACHE_COUNT_MAX,
  MODULE_FAILURES_MAX,
  MODULE_RETRY_MS,
  PAGE_BYTES,
} from "./limits.ts";
import type { ProgramKind, Sandbox } from "../ports/sandbox.ts";
import { ENGINES, isScript } from "./languages/engines.ts";
import { TASK_FAULTS } from "./types.ts";

export interface CompiledModule {
  /** Identifies module and limits, for the sandbox. */
  readonly id: string;
  readonly module: WebAssembly.Module;
}

interface Entry {
  readonly compiled: Promise<CompiledModule>;
  readonly bytes: number;
}

interface Failure {
  readonly error: StarfishError;
  /** The time from which on it may be tried again. */
  readonly untilMs: number;
}

export class Modules {
  readonly #compiler: Compiler;
  readonly #clock: Clock;
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #failures = new Map<string, Failure>();
  #bytes = 0;

  constructor(sandbox: Sandbox, clock: Clock) {
    this.#compiler = new Compiler(sandbox, clock);
    this.#clock = clock;
  }

  /** The module with this hash, if it is here or being compiled. Rejects with its fault, if that is known. */
  find(sha256: string, memoryBytesMax: number, kind: ProgramKind = "bytes"): Promise<CompiledModule> | undefined {
    const id = idOf(sha256, memoryBytesMax, kind);
    const failure = this.#failures.get(id);
    if (failure !== undefined && this.#clock.monotonic() < failure.untilMs) return Promise.reject(failure.error);
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry.compiled;
  }

  /**
   * Checks, limits and compiles a module; the node's own ones go first. Rejects like `Compiler.compile`, and with
   * "wasm-abi" if the engine of a script is not a known one.
   */
  add(
    sha256: string,
    bytes: Bytes,
    memoryBytesMax: number,
    own: boolean,
    kind: ProgramKind = "bytes",
  ): Promise<CompiledModule> {
    const known = this.find(sha256, memoryBytesMax, kind);
    if (known !== undefined) return known;
    if (isScript(kind) && ENGINES[kind].sha256 !== sha256) {
      return Promise.reject(
        new StarfishError("wasm-abi", `The module is not ${ENGINES[kind].name} as it is known here`),
      );
    }
    const id = idOf(sha256, memoryBytesMax, kind);
    const entry: Entry = {
      compiled: this.#compiler.compile(bytes, memoryBytesMax, kind, own).then((module) => ({ id, module })),
      bytes: bytes.length,
    };
    this.#entries.set(id, entry);
    this.#bytes += entry.bytes;
    entry.compiled.catch((error: unknown) => {
      this.#drop(id, entry);
      this.#remember(id, error);
    });
    for (const [oldId, old] of this.#entries) {
      if (this.#bytes <= MODULE_CACHE_BYTES_MAX && this.#entries.size <= MODULE_CACHE_COUNT_MAX) break;
      if (old !== entry) this.#drop(oldId, old);
    }
    return entry.compiled;
  }

  close(): void {
    this.#compiler.close();
  }

  /**
   * A fault of the module itself is final; a failure that may come from a lack of time or memory is tried again later.
   */
  #remember(id: string, error: unknown): void {
    const fault = isStarfishError(error) ? TASK_FAULTS.find((code) => code === error.code) : undefined;
    if (fault === undefined || !isStarfishError(error)) return;
    const forNow = fault === "timeout" || fault === "out-of-memory";
    this.#failures.delete(id);
    this.#failures.set(id, {
      error,
      untilMs: forNow ? this.#clock.monotonic() + MODULE_RETRY_MS : Number.POSITIVE_INFINITY,
    });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MODULE_FAILURES_MAX && oldest !== undefined) this.#failures.delete(oldest);
  }

  #drop(id: string, entry: Entry): void {
    if (this.#entries.get(id) !== entry) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
  }
}

function idOf(sha256: string, memoryBytesMax: number, kind: ProgramKind): string {
  return `${sha256}/${Math.floor(memoryBytesMax / PAGE_BYTES)}/${kind}`;
}
