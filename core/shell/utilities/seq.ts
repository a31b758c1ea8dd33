/** seq: numbers in a row. */
import { StarfishError } from "../../base/errors.ts";
import { format } from "../language/printf.ts";
import { noMoreOperands } from "../operands.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const seq: Command = utility({
  name: "seq",
  summary: "numbers in a row",
  help: `
usage: seq [-w] [-s SEPARATOR] [-f FORMAT] [FIRST [STEP]] LAST

Writes the numbers from FIRST (1) to LAST in steps of STEP (1). -w makes all equally wide; FORMAT is as in printf.

  seq 1 2 9
`,
  specs: { w: { long: "equal-width" }, s: { long: "separator", value: true }, f: { long: "format", value: true } },
  parsing: { isPosix: true, number: "number" },
  async run({ options, operands, out, flush }) {
    const numbers = [
      ...options.given.filter(({ name }) => name === "number").map(({ value }) => `-${value ?? ""}`),
      ...operands,
    ];
    if (numbers.length === 0) throw new StarfishError("usage", "missing operand");
    noMoreOperands(numbers, 3);
    for (const word of numbers)
      if (!Number.isFinite(Number(word)) || word.trim() === "")
        throw new StarfishError("usage", `invalid floating point argument: '${word}'`);
    const [first, step, last] =
      numbers.length === 1
        ? ["1", "1", numbers[0] ?? ""]
        : numbers.length === 2
          ? [numbers[0] ?? "", "1", numbers[1] ?? ""]
          : numbers;
    const places = Math.max(placesOf(first ?? ""), placesOf(step ?? ""));
    const [from, by, to] = [Number(first), Number(step), Number(last)];
    if (by === 0) throw new StarfishError("usage", "invalid Zero increment value: '0'");
    const pattern = options.value("f");
    const width = options.has("w") ? Math.max(from.toFixed(places).length, to.toFixed(places).length) : 0;
    const separator = options.value("s") ?? "\n";
    // The number of steps, computed so that rounding neither adds nor loses one.
    const count = Math.floor((to - from) / by + 1e-10);
    for (let i = 0; i <= count; i++) {
      const value = from + i * by;
      const text =
        pattern === undefined
          ? padded(value.toFixed(places), width)
          : format(pattern, [String(value)], { nowMs: 0, startedMs: 0 }).text;
      await out(i === 0 ? text : separator + text);
    }
    if (count >= 0) await out("\n");
    await flush();
    return 0;
  },
});

function placesOf(text: string): number {
  return /\.(\d+)$/.exec(text)?.[1]?.length ?? 0;
}

function padded(text: string, width: number): string {
  return text.startsWith("-") ? `-${text.slice(1).padStart(width - 1, "0")}` : text.padStart(width, "0");
}
