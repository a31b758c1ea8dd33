/**
 * The engines of scripts: WebAssembly modules from npm packages (MIT), pinned by the hash of their bytes and built into
 * no bundle. Only the modules in this file run as engines, because only these get the imports of the drivers. Only the
 * module of each package is used: the JavaScript of quickjs-wasi uses the real clock and randomness, and that of
 * MicroPython gives programs the whole page through `import js`.
 */
import type { ProgramKind } from "../../ports/sandbox.ts";

export interface Engine {
  /** For people. */
  readonly name: string;
  /** The npm package that it comes from, and its file there. */
  readonly package: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export type ScriptKind = Extract<ProgramKind, "javascript" | "python">;

export const ENGINES: Readonly<Record<ScriptKind, Engine>> = {
  javascript: {
    name: "QuickJS-ng",
    package: "quickjs-wasi",
    file: "quickjs.wasm",
    sizeBytes: 638_148,
    sha256: "c0bd8f296e18cf074969f6401b9ecb72609a1323818ec2b9bf7a8f8d740d1363",
  },
  python: {
    name: "MicroPython",
    package: "@micropython/micropython-webassembly-pyscript",
    file: "micropython.wasm",
    sizeBytes: 433_743,
    sha256: "06338c955b03c5700aa0069015d3e392d76836ef8e2ce25bedbe59b88ccd373c",
  },
};

export function isScript(kind: ProgramKind): kind is ScriptKind {
  return kind === "javascript" || kind === "python";
}

/** The name under which an engine is served and kept, as programs are (shell/programs/table.ts). */
export function engineFile({ sha256 }: Engine): string {
  return `${sha256}.wasm`;
}
