/** cat: files, one after the other, to standard output. */
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { completePath } from "../files/paths.ts";
import { bytesWords } from "../format.ts";
import { oneLine } from "../mem/value.ts";
import { parseArguments } from "../options.ts";
import type { Command, CommandContext } from "../types.ts";

export const cat: Command = {
  name: "cat",
  summary: "show files",
  help: `
usage: cat PATH…

Writes the files one after the other. A pipe gets them to the byte; on a terminal control characters are made visible, and
of what is no text only its size is shown.

  echo hello | put - /hello.txt
  cat /hello.txt
`,
  async run(context) {
    const { operands } = parseArguments(context.args, {});
    if (operands.length === 0) throw new StarfishError("usage", "PATH is missing");
    for (const path of operands) {
      if (context.terminal.stdout === undefined) await pass(path, context);
      else await show(path, context);
    }
    return 0;
  },
  complete: completePath,
};

async function pass(path: string, { computer, signal, stdout }: CommandContext): Promise<void> {
  for await (const chunk of computer.files.read(path, { signal })) await stdout.write(chunk);
}

async function show(path: string, { computer, signal, stdout }: CommandContext): Promise<void> {
  for await (const chunk of computer.files.read(path, { signal })) {
    // As grep and git tell what is no text.
    if (chunk.includes(0)) {
      const size = bytesWords(computer.files.stat(path)?.sizeBytes ?? 0);
      await stdout.write(utf8(`${oneLine(path)} is ${size} of binary data: 'get' brings it to your machine.\n`));
      return;
    }
    await stdout.write(chunk);
  }
}
