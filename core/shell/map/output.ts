/** Where the outputs of a user's own program go: standard output, or a file each. */
import { type Bytes, text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { join, nameOf } from "../namespace/paths.ts";
import type { CommandContext } from "../types.ts";
import type { Options } from "./task.ts";

/** The input files, by the number of their task. */
export class Named {
  readonly #names: string[] = [];
  readonly #last = new Set<string>();
  readonly #mustDiffer: boolean;

  /** @param mustDiffer whether the last parts of their names become names of outputs, and so must differ */
  constructor(mustDiffer: boolean) {
    this.#mustDiffer = mustDiffer;
  }

  /** Throws "usage" if two outputs would have the same name. */
  add(name: string): void {
    const last = nameOf(name);
    if (this.#mustDiffer && this.#last.has(last)) {
      throw new StarfishError("usage", `two of the files are called ${last}: in --out one would replace the other`);
    }
    this.#last.add(last);
    this.#names.push(name);
  }

  of(index: number): string {
    return this.#names[index] ?? "";
  }
}

/** Writes outputs into a folder, under the names of their input files. */
export async function intoFolder(
  { out }: Options,
  named: Named,
  { names, path, signal }: CommandContext,
): Promise<(index: number, output: Bytes) => Promise<void>> {
  const folder = path(typeof out === "string" ? out : ".");
  if ((await names.entry(folder, { signal })) === undefined) await names.makeDirectory(folder, { signal });
  return async (index, output) => {
    await names.write(join(folder, nameOf(named.of(index))), once(output), { signal });
  };
}

/** The value of a script's reduction: a text unchanged, anything else as JSON. */
export function shown(output: Bytes): Bytes {
  const line = text(output);
  if (!line.startsWith('"')) return output;
  return utf8(`${JSON.parse(line)}\n`);
}

async function* once(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
  yield bytes;
}
