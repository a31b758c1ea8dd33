/** expr: arithmetic and matching by words (POSIX "expr"). Its code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const expr: Command = utility({
  name: "expr",
  summary: "evaluate an expression",
  help: `
usage: expr EXPRESSION

Calculates with numbers and texts: | & < <= = != >= > + - * / % : ( ), and match, substr, index, length. Each number, text
and operator is a word of its own.

  expr 4 + 4
`,
  isVerbatim: true,
  failed: 2,
  async run({ args, out }) {
    const words = args[0] === "--" ? args.slice(1) : args;
    const { valueOf } = await import("../seldom/expr-run.ts");
    const value = valueOf(words);
    await out(`${value}\n`);
    return value === "" || /^-?0+$/.test(value) ? 1 : 0;
  },
});
