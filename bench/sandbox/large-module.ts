/** A module of that many bytes that looks like a compiler's output: the bundled tasks' functions, repeated. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { concat } from "../../core/base/bytes.ts";
import { leb, Reader } from "../../core/sandbox/wasm/reader.ts";

const CODE = 10;
const FUNCTION = 3;

/** Repeats the functions of a real program, which is small enough to be in the dependencies. */
export function largeModule(bytesMin: number): Uint8Array<ArrayBuffer> {
  const source = new Uint8Array(readFileSync(join(import.meta.dirname, "../../dist/tasks/primes.wasm")));
  const sections: { id: number; content: Uint8Array }[] = [];
  const reader = new Reader(source, 8);
  while (!reader.done) {
    const id = reader.byte();
    const { at, end } = reader.sized();
    sections.push({ id, content: source.subarray(at, end) });
  }
  const code = sections.find(({ id }) => id === CODE)?.content ?? source;
  const copies = Math.ceil(bytesMin / code.length);
  return concat([
    source.subarray(0, 8),
    ...sections.flatMap(({ id, content }) => {
      const changed = id === CODE || id === FUNCTION ? repeatedElements(content, copies) : content;
      return [Uint8Array.from([id, ...leb(changed.length)]), changed];
    }),
  ]);
}

function repeatedElements(content: Uint8Array, copies: number): Uint8Array {
  const reader = new Reader(content);
  const count = reader.u32();
  const elements = content.subarray(reader.at);
  return concat([Uint8Array.from(leb(count * copies)), ...Array.from({ length: copies }, () => elements)]);
}
