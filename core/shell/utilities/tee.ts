/** tee: copies standard input to standard output and to files. */
import { isStarfishError } from "../../base/errors.ts";
import { FileWriter } from "../namespace/file-writer.ts";
import { reasonOf } from "../language/redirect.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const tee: Command = utility({
  name: "tee",
  summary: "copy standard input to files and to standard output",
  help: `
usage: tee [-ai] [FILE…]

Copies standard input to standard output and to each FILE; -a appends.

  echo hello | tee /tmp/a
`,
  specs: { a: { long: "append" }, i: { long: "ignore-interrupts" } },
  async run({ options, operands, names, path, stdin, outBytes, problem }) {
    const writers: { writer: FileWriter; name: string }[] = [];
    const attempt = async (name: string, work: () => Promise<void>): Promise<boolean> => {
      try {
        await work();
        return true;
      } catch (error) {
        if (!isStarfishError(error) || error.code === "cancelled") throw error;
        await problem(`${name}: ${reasonOf(error)}`);
        return false;
      }
    };
    for (const name of operands) {
      const writer = new FileWriter(names, path(name), { isAppend: options.has("a") });
      if (await attempt(name, () => writer.begin())) writers.push({ writer, name });
    }
    for await (const piece of stdin) {
      for (const { writer, name } of writers) await attempt(name, () => writer.write(piece));
      await outBytes(piece);
    }
    for (const { writer, name } of writers) await attempt(name, () => writer.close());
    return 0;
  },
});
