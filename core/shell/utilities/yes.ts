/** yes: prints a line again and again. */
import { encodeText } from "../language/bytes.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

/** Characters that are written at once. */
const BLOCK_CHARS = 16_384;

export const yes: Command = utility({
  name: "yes",
  summary: "a line, again and again",
  help: `
usage: yes [WORD…]

Writes its words, or y, until nobody reads any more.

  yes | head -n 3
`,
  async run({ operands, outBytes, signal }) {
    const line = `${operands.length === 0 ? "y" : operands.join(" ")}\n`;
    const block = encodeText(line.repeat(Math.max(1, Math.floor(BLOCK_CHARS / line.length))));
    while (!signal.aborted) await outBytes(block);
    return 0;
  },
});
