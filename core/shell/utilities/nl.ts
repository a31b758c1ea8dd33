/** nl: lines with their numbers. */
import { StarfishError } from "../../base/errors.ts";
import type { Command } from "../types.ts";
import { linesOf, textBlocks } from "./lines.ts";
import { numberValue, utility } from "./utility.ts";

export const nl: Command = utility({
  name: "nl",
  summary: "lines with their numbers",
  help: `
usage: nl [-b a|t|n] [-n ln|rn|rz] [-s TEXT] [-v FIRST] [-i STEP] [-w WIDTH] [FILE…]

Numbers the lines that are not empty; -b a numbers all, -b n none. -n ln aligns the numbers to the left, rn to the right
(the default), rz to the right with zeros. -s TEXT stands between number and line.

  printf 'a\\n\\nb\\n' | nl
`,
  specs: {
    b: { long: "body-numbering", value: true },
    i: { long: "line-increment", value: true },
    n: { long: "number-format", value: true },
    s: { long: "number-separator", value: true },
    v: { long: "starting-line-number", value: true },
    w: { long: "number-width", value: true },
  },
  async run({ options, eachInput, out, flush }) {
    const body = options.value("b") ?? "t";
    const matching = body.startsWith("p") ? new RegExp(body.slice(1), "u") : undefined;
    if (matching === undefined && !/^[atn]$/.test(body))
      throw new StarfishError("usage", `invalid body numbering style: '${body}'`);
    const width = numberValue(options.value("w") ?? "6", "line number field width");
    const step = numberValue(options.value("i") ?? "1", "line number increment");
    const style = options.value("n") ?? "rn";
    let number = Number(options.value("v") ?? 1);
    await eachInput(async (input) => {
      for await (const block of textBlocks(input)) {
        for (const line of linesOf(block)) {
          const isNumbered =
            matching === undefined ? body === "a" || (body === "t" && line !== "") : matching.test(line);
          if (!isNumbered) {
            await out(`${" ".repeat(width)} ${line}\n`.replace(/^\s+\n$/, `${" ".repeat(width + 1)}\n`));
            continue;
          }
          const text =
            style === "ln"
              ? String(number).padEnd(width)
              : style === "rz"
                ? String(number).padStart(width, "0")
                : String(number).padStart(width);
          await out(`${text}${options.value("s") ?? "\t"}${line}\n`);
          number += step;
        }
        await flush();
      }
    });
    return 0;
  },
});
