/** The memory that this process holds, for computing differences. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** The heap and the memory outside it: buffers, and WebAssembly's memory, which never shrinks. */
export async function heldBytes(): Promise<number> {
  // A slice of Node.js's pool of buffers would count as the whole 64 KiB that it keeps.
  Buffer.poolSize = 0;
  for (let i = 0; i < 3; i++) {
    await nextTurn();
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
