/** tail: the last lines or bytes, and with -f what is added later. */
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import type { Command } from "../types.ts";
import { announced } from "./lines.ts";
import { sizeValue, utility, type UtilityContext } from "./utility.ts";

export const tail: Command = utility({
  name: "tail",
  summary: "the last lines of files, and what is appended to them",
  help: `
usage: tail [-n LINES] [-c BYTES] [-fFqv] [FILE…]

Writes the last 10 lines of each FILE, or of standard input; -n and -c say how many lines or bytes. -n +5 writes all from
line 5 on. -f goes on and writes what anybody appends to the file, until Ctrl-C.

  seq 100 | tail -n 3
`,
  specs: {
    n: { long: "lines", value: true },
    c: { long: "bytes", value: true },
    f: { long: "follow", value: "optional" },
    F: {},
    q: { long: "quiet" },
    v: { long: "verbose" },
    z: { long: "zero-terminated" },
  },
  parsing: { number: "n" },
  async run(context) {
    const { options, operands, eachInput, outBytes } = context;
    const kind = options.last("n", "c") ?? "n";
    const text = options.value(kind) ?? "10";
    const isFrom = text.startsWith("+");
    const amount = sizeValue(text.replace(/^[-+]/, ""), kind === "c" ? "number of bytes" : "number of lines");
    const hasTitles = options.has("v") || (operands.length > 1 && !options.has("q"));
    const follows = options.has("f") || options.has("F");
    const sizes = new Map<string, number>();
    let isFirst = true;
    const title = async (name: string): Promise<void> => {
      await outBytes(utf8(`${isFirst ? "" : "\n"}==> ${name === "-" ? "standard input" : name} <==\n`));
      isFirst = false;
    };
    await eachInput(async (stream, name) => {
      const input = hasTitles ? announced(stream, () => title(name)) : stream;
      const size = isFrom ? await from(input, kind, amount, context) : await last(input, kind, amount, context);
      sizes.set(name, size);
    });
    if (follows) await follow(sizes, hasTitles, context);
    return 0;
  },
});

/** Returns the number of bytes that were read. */
async function from(
  input: AsyncIterable<Uint8Array>,
  kind: string,
  amount: number,
  { outBytes }: UtilityContext,
): Promise<number> {
  let skip = Math.max(0, amount - 1);
  let size = 0;
  for await (const piece of input) {
    size += piece.length;
    let at = 0;
    if (kind === "c") {
      at = Math.min(skip, piece.length);
      skip -= at;
    } else {
      while (skip > 0) {
        const next = piece.indexOf(0x0a, at);
        at = next < 0 ? piece.length : next + 1;
        if (next < 0) break;
        skip--;
      }
    }
    if (at < piece.length) await outBytes(piece.subarray(at));
  }
  return size;
}

async function last(
  input: AsyncIterable<Uint8Array>,
  kind: string,
  amount: number,
  { outBytes }: UtilityContext,
): Promise<number> {
  const kept: { piece: Uint8Array; count: number }[] = [];
  let count = 0;
  let size = 0;
  for await (const piece of input) {
    size += piece.length;
    const own = kind === "c" ? piece.length : breaksIn(piece);
    kept.push({ piece: Uint8Array.from(piece), count: own });
    count += own;
    // One line more than wanted is kept, because the last may have no line break.
    while (kept.length > 1 && count - (kept[0]?.count ?? 0) > amount) count -= kept.shift()?.count ?? 0;
  }
  if (amount === 0) return size;
  let skip =
    kind === "c" ? count - amount : count - amount + (kept.at(-1)?.piece.at(-1) === 0x0a || kept.length === 0 ? 0 : 1);
  for (const { piece } of kept) {
    let at = 0;
    if (kind === "c") {
      at = Math.max(0, Math.min(skip, piece.length));
      skip -= at;
    } else {
      while (skip > 0) {
        const next = piece.indexOf(0x0a, at);
        at = next < 0 ? piece.length : next + 1;
        if (next < 0) break;
        skip--;
      }
    }
    if (at < piece.length) await outBytes(piece.subarray(at));
  }
  return size;
}

function breaksIn(piece: Uint8Array): number {
  let count = 0;
  for (let at = piece.indexOf(0x0a); at >= 0; at = piece.indexOf(0x0a, at + 1)) count++;
  return count;
}

async function follow(sizes: Map<string, number>, hasTitles: boolean, context: UtilityContext): Promise<void> {
  const names = [...sizes.keys()].filter((name) => name !== "-");
  let shown = names.at(-1);
  await context.flush();
  const show = async (name: string): Promise<void> => {
    const path = context.path(name);
    const before = sizes.get(name) ?? 0;
    const size = (await context.names.stat(path, { signal: context.signal }))?.sizeBytes ?? 0;
    if (size < before) await context.problem(`${name}: file truncated`);
    const start = size < before ? 0 : before;
    if (size === start) return void sizes.set(name, size);
    if (hasTitles && shown !== name) await context.outBytes(utf8(`\n==> ${name} <==\n`));
    shown = name;
    let at = start;
    for await (const piece of context.names.read(path, { from: start, to: size, signal: context.signal })) {
      at += piece.length;
      await context.outBytes(piece);
    }
    sizes.set(name, at);
  };
  await Promise.all(
    names.map(async (name) => {
      // Includes what was added between the first reading and the beginning of the watch.
      const changes = context.names.watch(context.path(name), { signal: context.signal });
      const iterator = changes[Symbol.asyncIterator]();
      let next = iterator.next();
      for (;;) {
        try {
          await show(name);
        } catch (error) {
          if (!isStarfishError(error, "not-found")) throw error;
        }
        const { done } = await next;
        if (done === true) return;
        next = iterator.next();
      }
    }),
  );
}
