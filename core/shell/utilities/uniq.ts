/** uniq: the lines that differ from the line before. */
import { FileWriter } from "../namespace/file-writer.ts";
import { encodeText } from "../language/bytes.ts";
import { noMoreOperands } from "../operands.ts";
import type { Command } from "../types.ts";
import { lines } from "./lines.ts";
import { numberValue, utility } from "./utility.ts";

export const uniq: Command = utility({
  name: "uniq",
  summary: "write repeated lines once",
  help: `
usage: uniq [-cdDiuz] [-f FIELDS] [-s CHARS] [-w CHARS] [INPUT [OUTPUT]]

Writes each line that differs from the one before it. -c adds how often the line was repeated; -d writes only lines that
were repeated, -u only those that were not. -f and -s skip that many fields and characters; -i ignores case.

  printf 'a\\na\\nb\\n' | uniq -c
`,
  specs: {
    c: { long: "count" },
    d: { long: "repeated" },
    D: { long: "all-repeated", value: "optional" },
    i: { long: "ignore-case" },
    u: { long: "unique" },
    z: { long: "zero-terminated" },
    f: { long: "skip-fields", value: true },
    s: { long: "skip-chars", value: true },
    w: { long: "check-chars", value: true },
  },
  async run({ options, operands, input, out, names, path }) {
    noMoreOperands(operands, 2);
    const end = options.has("z") ? "\0" : "\n";
    const fields = numberValue(options.value("f") ?? "0", "number of fields to skip");
    const characters = numberValue(options.value("s") ?? "0", "number of bytes to skip");
    const width = options.has("w") ? numberValue(options.value("w") ?? "", "number of bytes to compare") : Infinity;
    const keyOf = (line: string): string => {
      const rest = line.replace(new RegExp(`^(?:[ \\t]*[^ \\t]*){${fields}}`, "s"), "").slice(characters);
      const key = rest.slice(0, width);
      return options.has("i") ? key.toLowerCase() : key;
    };
    const [, target] = operands;
    const writer = target === undefined ? undefined : new FileWriter(names, path(target), { isAppend: false });
    await writer?.begin();
    const write = (text: string): Promise<void> => (writer === undefined ? out(text) : writer.write(encodeText(text)));
    const tell = async (group: readonly string[], count: number): Promise<void> => {
      if (count === 0 || (options.has("d") && count === 1) || (options.has("u") && count > 1)) return;
      if (options.has("D")) {
        if (count > 1) for (const line of group) await write(line + end);
        return;
      }
      await write(`${options.has("c") ? `${String(count).padStart(7)} ` : ""}${group[0] ?? ""}${end}`);
    };
    let group: string[] = [];
    let count = 0;
    let key: string | undefined;
    for await (const line of lines(input(operands[0] ?? "-"), end)) {
      const own = keyOf(line);
      if (count > 0 && own === key) {
        count++;
        if (options.has("D")) group.push(line);
        continue;
      }
      await tell(group, count);
      group = [line];
      count = 1;
      key = own;
    }
    await tell(group, count);
    await writer?.close();
    return 0;
  },
});
