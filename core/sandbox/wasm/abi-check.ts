/**
 * Checks that a module exports what a task needs (ABI 1), and nothing that shows that it wants to be run in another
 * way. A module whose constructors nobody calls gives wrong answers without any error.
 */
import { StarfishError } from "../../base/errors.ts";
import type { ProgramKind } from "../../ports/sandbox.ts";
import { RESERVED } from "./added.ts";
import type { FunctionType } from "./types.ts";

export interface Exported {
  readonly kind: number;
  readonly index: number;
}

interface Found {
  readonly types: readonly FunctionType[];
  /** The types of the functions, the imported ones first. */
  readonly functions: readonly number[];
  readonly exports: ReadonlyMap<string, Exported>;
}

/**
 * Functions that are called once after instantiation, before anything else: the first of these that exists.
 * `_initialize` is that of a reactor (WASI), which calls the constructors itself; linkers leave the other one to the
 * host (`--export-all`, Emscripten).
 */
export const INITIALIZERS = ["_initialize", "__wasm_call_ctors"] as const;
/** The export of a WASI command: its `main` runs here, once, and ends the program. */
const COMMAND = "_start";

const FUNCTION = 0;
const MEMORY = 2;

/** Throws "wasm-abi". */
export function checkAbi(found: Found, kind: ProgramKind): void {
  const memory = found.exports.get("memory");
  if (memory?.kind !== MEMORY) throw abi("does not export its memory as `memory`");
  for (const name of found.exports.keys())
    if (name.startsWith(RESERVED)) throw abi(`exports \`${name}\`, a name that Starfish needs itself`);
  if (kind === "command") requireFunction(found, COMMAND, ">", `${COMMAND}()`);
  if (kind !== "bytes") return;
  requireFunction(found, "alloc", "i>i", "alloc(len: i32) -> i32");
  requireFunction(found, "run", "ii>I", "run(ptr: i32, len: i32) -> i64");
  if (found.exports.has("reduce")) requireFunction(found, "reduce", "ii>I", "reduce(ptr: i32, len: i32) -> i64");
  for (const name of INITIALIZERS) if (found.exports.has(name)) requireFunction(found, name, ">", `${name}()`);
  if (found.exports.get(COMMAND)?.kind === FUNCTION) {
    throw abi(
      "exports `_start`: it is a program with a `main`, not a task, and without `main` its parts are not set up; build " +
        "it as a reactor (clang: -mexec-model=reactor; AssemblyScript: without --exportStart)",
    );
  }
}

function requireFunction(found: Found, name: string, type: string, signature: string): void {
  const exported = found.exports.get(name);
  if (exported?.kind !== FUNCTION) throw abi(`does not export a function \`${signature}\``);
  const actual = found.types[found.functions[exported.index] ?? -1];
  if (actual?.signature !== type) throw abi(`exports \`${name}\` with another type than \`${signature}\``);
}

function abi(what: string): StarfishError {
  return new StarfishError("wasm-abi", `The module ${what}; see wasm-tasks/README.md for what a task has to export`);
}
