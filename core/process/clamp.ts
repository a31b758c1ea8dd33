/**
 * Writes the bound of a program's memory into its binary, because engines have no other way to bound it. The rest of
 * the module stays as it is; the engine validates it. Unlike tasks (sandbox/wasm/prepare.ts), programs are run by the
 * user who chose them, and not by strangers who lend a core.
 */
import { concat, copyOf, type Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { leb, Reader } from "../sandbox/wasm/reader.ts";
import { PROGRAM_BYTES_MAX } from "./limits.ts";

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [1, 0, 0, 0];
const MEMORY_SECTION = 5;
const PAGE_BYTES = 65_536;

export function isModule(head: Bytes): boolean {
  return MAGIC.every((byte, i) => head[i] === byte);
}

/** Throws "too-large", "not-wasm", "wasm-unsupported", "out-of-memory". */
export function clampMemory(bytes: Bytes, memoryBytesMax: number): Uint8Array<ArrayBuffer> {
  if (bytes.length > PROGRAM_BYTES_MAX)
    throw new StarfishError("too-large", `the program has ${bytes.length} bytes, the most is ${PROGRAM_BYTES_MAX}`);
  if (!isModule(bytes)) throw new StarfishError("not-wasm", "it is no WebAssembly module");
  if (!VERSION.every((byte, i) => bytes[MAGIC.length + i] === byte))
    throw new StarfishError("wasm-unsupported", "it is a component or of another version; only preview 1 modules run");
  const reader = new Reader(bytes, MAGIC.length + VERSION.length);
  while (!reader.done) {
    const start = reader.at;
    const id = reader.byte();
    const section = reader.sized();
    if (id !== MEMORY_SECTION) continue;
    const content = clamped(section, memoryBytesMax);
    return concat([
      bytes.subarray(0, start),
      Uint8Array.from([id, ...leb(content.length), ...content]),
      bytes.subarray(section.end),
    ]);
  }
  return copyOf(bytes);
}

function clamped(section: Reader, memoryBytesMax: number): number[] {
  const count = section.count();
  if (count === 0) return [0];
  if (count > 1) throw new StarfishError("wasm-unsupported", "it has several memories");
  const flags = section.byte();
  if (flags > 1) throw new StarfishError("wasm-unsupported", "its memory is shared, 64-bit or of another page size");
  const initial = section.u32();
  const pagesMax = Math.floor(memoryBytesMax / PAGE_BYTES);
  const maximum = flags === 1 ? section.u32() : pagesMax;
  if (initial > pagesMax) {
    throw new StarfishError(
      "out-of-memory",
      `it starts with ${(initial * PAGE_BYTES) / 2 ** 20} MiB of memory, the limit is ${memoryBytesMax / 2 ** 20} MiB`,
    );
  }
  return [1, 1, ...leb(initial), ...leb(Math.min(maximum, pagesMax))];
}
