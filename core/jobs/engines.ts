/**
 * The modules of the scripts' engines, fetched when one is first needed: from where this node's own code came, or else
 * from the swarm's files. A node that is to run a script and lacks its engine is sent it like any module.
 */
import { type Bytes, concat, toHex } from "../base/bytes.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import type { Files } from "../disk/types.ts";
import type { Crypto } from "../ports/crypto.ts";
import { engineFile, ENGINES, type ScriptKind } from "../sandbox/languages/engines.ts";

/**
 * The folder of the swarm's files that has engines and the shell's programs, for nodes that can get them nowhere else.
 */
export const PROGRAMS_FOLDER = "/.programs";

export interface EngineParts {
  /** A file of dist/page/programs by name. Rejects with "not-found", "io", "unreachable". */
  readonly load: (name: string) => Promise<Bytes>;
  readonly files: Pick<Files, "read">;
  readonly crypto: Pick<Crypto, "sha256">;
}

export class Engines {
  readonly #parts: EngineParts;
  readonly #loading = new Map<ScriptKind, Promise<Bytes>>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Rejects with "not-found" if it is not available now. */
  load(kind: ScriptKind): Promise<Bytes> {
    const known = this.#loading.get(kind);
    if (known !== undefined) return known;
    const loading = this.#fetch(kind);
    this.#loading.set(kind, loading);
    loading.catch(() => this.#loading.delete(kind));
    return loading;
  }

  async #fetch(kind: ScriptKind): Promise<Bytes> {
    const engine = ENGINES[kind];
    const name = engineFile(engine);
    const reasons: string[] = [];
    for (const load of [() => this.#parts.load(name), () => this.#kept(name, engine.sizeBytes)]) {
      try {
        const bytes = await load();
        if (toHex(this.#parts.crypto.sha256(bytes)) === engine.sha256) return bytes;
        reasons.push("what came is not what its hash says");
      } catch (error) {
        if (!isStarfishError(error)) throw error;
        reasons.push(error.message);
      }
    }
    throw new StarfishError("not-found", `${engine.name}, which runs this, could not be had: ${reasons.join("; ")}`);
  }

  async #kept(name: string, sizeBytes: number): Promise<Bytes> {
    const parts: Bytes[] = [];
    // The file of that name may have any size.
    for await (const part of this.#parts.files.read(`${PROGRAMS_FOLDER}/${name}`, { to: sizeBytes })) parts.push(part);
    return concat(parts);
  }
}
