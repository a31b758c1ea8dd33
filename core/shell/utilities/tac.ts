/** tac, rev: lines in reverse order, and the characters of lines in reverse order. */
import type { Command } from "../types.ts";
import { allLines, linesOf, textBlocks } from "./lines.ts";
import { utility } from "./utility.ts";

export const tac: Command = utility({
  name: "tac",
  summary: "lines in reverse order",
  help: `
usage: tac [FILE…]

  seq 3 | tac
`,
  async run({ eachInput, out }) {
    await eachInput(async (input) => {
      const all = await allLines(input);
      for (let i = all.length - 1; i >= 0; i--) await out(`${all[i] ?? ""}\n`);
    });
    return 0;
  },
});

export const rev: Command = utility({
  name: "rev",
  summary: "each line backwards",
  help: `
usage: rev [FILE…]

  echo stressed | rev
`,
  async run({ eachInput, out, flush }) {
    await eachInput(async (input) => {
      for await (const block of textBlocks(input)) {
        for (const line of linesOf(block)) await out(`${Array.from(line).reverse().join("")}\n`);
        await flush();
      }
    });
    return 0;
  },
});
