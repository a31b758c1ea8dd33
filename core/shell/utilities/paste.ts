/** paste: lines of files side by side. */
import { isStarfishError } from "../../base/errors.ts";
import { unescape } from "../language/ansi-c.ts";
import { reasonOf } from "../language/redirect.ts";
import type { Command } from "../types.ts";
import { lines } from "./lines.ts";
import { utility } from "./utility.ts";

export const paste: Command = utility({
  name: "paste",
  summary: "lines of files side by side",
  help: `
usage: paste [-s] [-d DELIMITERS] [FILE…]

Writes the first lines of all FILEs as one line, then the second lines, and so on. Between them are tabs, or the DELIMITERS
in turn. -s joins all lines of each file into one.

  seq 4 | paste - -
`,
  specs: { d: { long: "delimiters", value: true }, s: { long: "serial" }, z: { long: "zero-terminated" } },
  async run({ options, operands, stdin, input, out, problem }) {
    const end = options.has("z") ? "\0" : "\n";
    const delimiters = Array.from(unescape(options.value("d") ?? "\t", { style: "printf" }).text);
    const between = (i: number): string =>
      delimiters.length === 0 ? "" : (delimiters[i % delimiters.length] ?? "").replace("\0", "");
    // Several '-' take turns in reading standard input.
    const shared = lines(stdin, end);
    const files = operands.length === 0 ? ["-"] : operands;
    const sources = files.map((file) => (file === "-" ? shared : lines(input(file), end)));
    if (options.has("s")) {
      for (const [i, source] of sources.entries()) {
        try {
          let count = 0;
          for await (const line of source) await out((count++ === 0 ? "" : between(count - 2)) + line);
          await out(end);
        } catch (error) {
          if (!isStarfishError(error) || error.code === "closed" || error.code === "cancelled") throw error;
          await problem(`${files[i] ?? ""}: ${reasonOf(error)}`);
        }
      }
      return 0;
    }
    for (;;) {
      const row: (string | undefined)[] = [];
      for (const source of sources) {
        const { done, value } = await source.next();
        row.push(done === true ? undefined : value);
      }
      if (row.every((cell) => cell === undefined)) return 0;
      await out(row.map((cell, i) => (i === 0 ? "" : between(i - 1)) + (cell ?? "")).join("") + end);
    }
  },
});
