/**
 * Checks what a module imports. A task of ABI 1 may import nothing. A WASI command may import the functions of preview
 * 1, and those that common coreutils import besides (sandbox/wasi). The engine of a script may import what its driver
 * provides (sandbox/languages). No module may import a memory, table or global.
 */
import { StarfishError } from "../../base/errors.ts";
import type { ProgramKind } from "../../ports/sandbox.ts";
import type { Reader } from "./reader.ts";

export const PREVIEW_1 = "wasi_snapshot_preview1";

const FUNCTION = 0;
const MODULES: Readonly<Record<ProgramKind, readonly string[]>> = {
  bytes: [],
  command: [PREVIEW_1, "host_fs", "host_user", "host_process"],
  javascript: [PREVIEW_1, "env"],
  python: [PREVIEW_1, "env"],
};
/** Imports that a message names; a module of Emscripten may have hundreds. */
const NAMED_MAX = 5;

/** The types of the imported functions, by number: they come before a module's own functions. Throws "wasm-imports". */
export function readImports(section: Reader, kind: ProgramKind): number[] {
  const types: number[] = [];
  const refused: string[] = [];
  let refusals = 0;
  for (let left = section.count(); left > 0; left--) {
    const from = readName(section);
    const name = readName(section);
    const what = section.byte();
    const type = what === FUNCTION ? section.u32() : undefined;
    if (type === undefined) skipDescription(section, what);
    if (type !== undefined && MODULES[kind].includes(from)) types.push(type);
    else if (refusals++ < NAMED_MAX) refused.push(`${from}.${name}`);
  }
  if (refusals === 0) return types;
  const more = refusals > refused.length ? ` and ${refusals - refused.length} more` : "";
  throw new StarfishError("wasm-imports", `The module imports ${refused.join(", ")}${more}; ${RULES[kind]}`);
}

const RULES: Readonly<Record<ProgramKind, string>> = {
  bytes: "a task may import nothing (AssemblyScript: --use abort=)",
  command: "a program is given WASI preview 1, and nothing else",
  javascript: "an engine may import no more than its driver gives",
  python: "an engine may import no more than its driver gives",
};

function skipDescription(section: Reader, what: number): void {
  if (what === 3) return section.skip(2); // global
  if (what === 4) {
    section.skip(1); // tag
    return section.skipLeb(32);
  }
  if (what === 1) section.skip(1); // table
  const flags = section.byte();
  section.skipLeb(64);
  if ((flags & 1) !== 0) section.skipLeb(64);
}

function readName(section: Reader): string {
  const name = section.sized();
  return new TextDecoder().decode(section.bytes.subarray(name.at, name.end));
}
