/** The modules that this node has compiled, each once for a memory limit; the least recently used go first. */
import type { Bytes } from "../base/bytes.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { MODULE_CACHE_BYTES_MAX, MODULE_CACHE_COUNT_MAX, PAGE_BYTES } from "./limits.ts";
import { prepareModule } from "./wasm/prepare.ts";

export interface CompiledModule {
  /** Names module and limits, for the sandbox. */
  readonly id: string;
  readonly module: WebAssembly.Module;
}

interface Entry {
  readonly compiled: Promise<CompiledModule>;
  readonly bytes: number;
}

export class Modules {
  readonly #sandbox: Sandbox;
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** The module of this hash, if it is here or being compiled. */
  find(sha256: string, memoryBytesMax: number): Promise<CompiledModule> | undefined {
    const id = idOf(sha256, memoryBytesMax);
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry.compiled;
  }

  /** Checks, limits and compiles. Rejects with what `prepareModule` and `Sandbox.compile` do. */
  async add(sha256: string, bytes: Bytes, memoryBytesMax: number): Promise<CompiledModule> {
    const known = this.find(sha256, memoryBytesMax);
    if (known !== undefined) return known;
    const id = idOf(sha256, memoryBytesMax);
    const prepared = prepareModule(bytes, memoryBytesMax);
    const entry: Entry = {
      compiled: this.#sandbox.compile(prepared).then((module) => ({ id, module })),
      bytes: bytes.length,
    };
    this.#entries.set(id, entry);
    this.#bytes += entry.bytes;
    entry.compiled.catch(() => this.#drop(id, entry));
    for (const [oldId, old] of this.#entries) {
      if (this.#bytes <= MODULE_CACHE_BYTES_MAX && this.#entries.size <= MODULE_CACHE_COUNT_MAX) break;
      if (old !== entry) this.#drop(oldId, old);
    }
    return entry.compiled;
  }

  #drop(id: string, entry: Entry): void {
    if (this.#entries.get(id) !== entry) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
  }
}

function idOf(sha256: string, memoryBytesMax: number): string {
  return `${sha256}/${Math.floor(memoryBytesMax / PAGE_BYTES)}`;
}
