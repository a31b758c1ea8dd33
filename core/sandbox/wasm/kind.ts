/** What kind of program a module is, by its exports: a WASI command has `_start`. */
import type { Bytes } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import { Reader } from "./reader.ts";

const HEADER_BYTES = 8;
const EXPORTS = 7;
const START = "_start";

/** "bytes" also for something that is not a module: preparing it reports the fault. */
export function kindOf(bytes: Bytes): "bytes" | "command" {
  try {
    const reader = new Reader(bytes, Math.min(HEADER_BYTES, bytes.length));
    while (!reader.done) {
      const id = reader.byte();
      const section = reader.sized();
      if (id === EXPORTS) return exportsStart(section) ? "command" : "bytes";
    }
  } catch (error) {
    if (!isStarfishError(error)) throw error;
  }
  return "bytes";
}

function exportsStart(section: Reader): boolean {
  for (let left = section.count(); left > 0; left--) {
    const name = section.sized();
    const isStart = name.end - name.at === START.length;
    if (isStart && new TextDecoder().decode(section.bytes.subarray(name.at, name.end)) === START) return true;
    section.skip(1);
    section.skipLeb(32);
  }
  return false;
}
