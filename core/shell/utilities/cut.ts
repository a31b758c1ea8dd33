/** cut: parts of lines. */
import { StarfishError } from "../../base/errors.ts";
import type { Command } from "../types.ts";
import { linesOf, textBlocks } from "./lines.ts";
import { utility } from "./utility.ts";

export const cut: Command = utility({
  name: "cut",
  summary: "parts of lines",
  help: `
usage: cut -f LIST [-d DELIMITER] [-s] [FILE…]
       cut -c LIST | -b LIST [FILE…]

Writes fields (-f, separated by tabs or DELIMITER), characters (-c) or bytes (-b) of each line. LIST is like 1,3-5,7-.
--complement writes all others instead; -s leaves out lines without a delimiter; --output-delimiter=TEXT goes between fields.

  echo a:b:c | cut -d: -f2
`,
  specs: {
    f: { long: "fields", value: true },
    c: { long: "characters", value: true },
    b: { long: "bytes", value: true },
    d: { long: "delimiter", value: true },
    s: { long: "only-delimited" },
    n: {},
    z: { long: "zero-terminated" },
    complement: {},
    "output-delimiter": { value: true },
  },
  async run({ options, eachInput, out, flush }) {
    const kind = options.last("f", "c", "b");
    if (kind === undefined) throw new StarfishError("usage", "you must specify a list of bytes, characters, or fields");
    const ranges = rangesOf(options.value(kind) ?? "");
    const delimiter = options.value("d") ?? "\t";
    if (options.has("d") && Array.from(delimiter).length > 1)
      throw new StarfishError("usage", "the delimiter must be a single character");
    const isWanted = (index: number): boolean =>
      ranges.some(([from, to]) => index >= from && index <= to) !== options.has("complement");
    const joined = options.value("output-delimiter") ?? (kind === "f" ? delimiter : "");
    const end = options.has("z") ? "\0" : "\n";
    const cutLine = (line: string): string | undefined => {
      if (kind !== "f") return partsOf(line, isWanted, joined);
      if (!line.includes(delimiter)) return options.has("s") ? undefined : line;
      return line
        .split(delimiter)
        .filter((_, i) => isWanted(i + 1))
        .join(joined);
    };
    await eachInput(async (input) => {
      for await (const block of textBlocks(input, end.charCodeAt(0))) {
        for (const line of linesOf(block, end)) {
          const text = cutLine(line);
          if (text !== undefined) await out(text + end);
        }
        await flush();
      }
    });
    return 0;
  },
});

/** The wanted runs of characters, with the output delimiter between them, if there is one. */
function partsOf(line: string, isWanted: (index: number) => boolean, joined: string): string {
  const runs: string[] = [];
  let run: string | undefined;
  for (const [i, character] of Array.from(line).entries()) {
    if (isWanted(i + 1)) run = (run ?? "") + character;
    else if (run !== undefined) {
      runs.push(run);
      run = undefined;
    }
  }
  if (run !== undefined) runs.push(run);
  return runs.join(joined);
}

function rangesOf(list: string): [number, number][] {
  return list.split(/[, \t]+/).map((part) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(part);
    const [, from = "", dash = "", to = ""] = match ?? [];
    if (match === null || (from === "" && to === "")) throw new StarfishError("usage", `invalid field value '${part}'`);
    const range: [number, number] = [
      from === "" ? 1 : Number(from),
      dash === "" ? Number(from) : to === "" ? Infinity : Number(to),
    ];
    if (range[0] < 1) throw new StarfishError("usage", "fields and positions are numbered from 1");
    if (range[1] < range[0]) throw new StarfishError("usage", "invalid decreasing range");
    return range;
  });
}
