/** head: the first lines or bytes. */
import { utf8 } from "../../base/bytes.ts";
import type { Command } from "../types.ts";
import { announced } from "./lines.ts";
import { sizeValue, utility, type UtilityContext } from "./utility.ts";

export const head: Command = utility({
  name: "head",
  summary: "the first lines of files",
  help: `
usage: head [-n LINES] [-c BYTES] [-qvz] [FILE…]

Writes the first 10 lines of each FILE, or of standard input; -n and -c say how many lines or bytes. -n -5 writes all but
the last 5. The lines of several files have the file's name above them; -q writes no names, -v always does.

  seq 100 | head -n 3
`,
  specs: {
    n: { long: "lines", value: true },
    c: { long: "bytes", value: true },
    q: { long: "quiet" },
    v: { long: "verbose" },
    z: { long: "zero-terminated" },
  },
  parsing: { number: "n" },
  async run(context) {
    const { options, operands, eachInput, outBytes } = context;
    const kind = options.last("n", "c") ?? "n";
    const text = options.value(kind) ?? "10";
    const isRest = text.startsWith("-");
    const digits = text.replace(/^[-+]/, "");
    const amount = kind === "c" ? sizeValue(digits, "number of bytes") : sizeValue(digits, "number of lines");
    const hasTitles = options.has("v") || (operands.length > 1 && !options.has("q"));
    let isFirst = true;
    const title = async (name: string): Promise<void> => {
      await outBytes(utf8(`${isFirst ? "" : "\n"}==> ${name === "-" ? "standard input" : name} <==\n`));
      isFirst = false;
    };
    await eachInput(async (stream, name) => {
      const input = hasTitles ? announced(stream, () => title(name)) : stream;
      if (isRest) await allBut(input, kind, amount, context);
      else if (kind === "c") await firstBytes(input, amount, context);
      else await firstLines(input, amount, options.has("z") ? 0 : 0x0a, context);
    });
    return 0;
  },
});

async function firstBytes(
  input: AsyncIterable<Uint8Array>,
  amount: number,
  { outBytes }: UtilityContext,
): Promise<void> {
  let left = amount;
  if (left === 0) return;
  for await (const piece of input) {
    await outBytes(piece.subarray(0, left));
    left -= piece.length;
    if (left <= 0) return;
  }
}

async function firstLines(
  input: AsyncIterable<Uint8Array>,
  amount: number,
  end: number,
  { outBytes }: UtilityContext,
): Promise<void> {
  let left = amount;
  if (left === 0) return;
  for await (const piece of input) {
    let at = 0;
    while (left > 0) {
      const next = piece.indexOf(end, at);
      if (next < 0) break;
      at = next + 1;
      left--;
    }
    await outBytes(left === 0 ? piece.subarray(0, at) : piece);
    if (left === 0) return;
  }
}

/** Keeps the lines or bytes that may be the end. */
async function allBut(
  input: AsyncIterable<Uint8Array>,
  kind: string,
  amount: number,
  { outBytes }: UtilityContext,
): Promise<void> {
  let kept: Uint8Array[] = [];
  let count = 0;
  const sizeOf = (piece: Uint8Array): number =>
    kind === "c" ? piece.length : piece.reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0);
  const counts: number[] = [];
  for await (const piece of input) {
    kept.push(Uint8Array.from(piece));
    counts.push(sizeOf(piece));
    count += counts.at(-1) ?? 0;
    while (kept.length > 1 && count - (counts[0] ?? 0) > amount) {
      await outBytes(kept.shift() ?? new Uint8Array());
      count -= counts.shift() ?? 0;
    }
  }
  let left = count - amount;
  // A last line without a line break counts as a line.
  if (kind === "n" && kept.at(-1)?.at(-1) !== 0x0a) left++;
  for (const piece of kept) {
    if (left <= 0) return;
    if (kind === "c") {
      await outBytes(piece.subarray(0, left));
      left -= piece.length;
      continue;
    }
    let at = 0;
    while (left > 0) {
      const next = piece.indexOf(0x0a, at);
      if (next < 0) break;
      at = next + 1;
      left--;
    }
    await outBytes(left > 0 ? piece : piece.subarray(0, at));
  }
  kept = [];
}
