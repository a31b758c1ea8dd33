/**
 * Small commands that Oils' cases call to look at words, the environment and streams; there they are Python scripts.
 */
import { utf8 } from "../../core/base/bytes.ts";
import { encodeText } from "../../core/shell/language/bytes.ts";
import type { Command, CommandContext } from "../../core/shell/types.ts";

function fixture(name: string, run: (context: CommandContext) => Promise<number>): Command {
  return { name, summary: "for conformance cases", help: `usage: ${name} [WORD…]`, verbatim: true, run };
}

export const fixtures: readonly Command[] = [
  fixture("argv.py", async ({ args, stdout }) => {
    await stdout.write(utf8(`[${args.map(pythonText).join(", ")}]\n`));
    return 0;
  }),
  fixture("printenv.py", async ({ args, stdout, environment }) => {
    for (const name of args) await stdout.write(encodeText(`${environment.get(name) ?? "None"}\n`));
    return 0;
  }),
  fixture("stdout_stderr.py", async ({ args, stdout, stderr }) => {
    const [out = "STDOUT", error = "STDERR", status = "0"] = args;
    await stdout.write(encodeText(`${out}\n`));
    await stderr.write(encodeText(`${error}\n`));
    return Number(status);
  }),
  fixture("read_from_fd.py", async ({ args, input, stdout, stderr }) => {
    for (const number of args) {
      try {
        let text = "";
        for await (const piece of input(`/dev/fd/${number}`)) {
          text += new TextDecoder().decode(piece);
          break;
        }
        await stdout.write(encodeText(`${number}: ${text}`));
      } catch {
        await stderr.write(utf8(`FATAL: Error reading from fd ${number}\n`));
        return 1;
      }
    }
    return 0;
  }),
];

/** A byte string as Python 2's repr writes it. */
function pythonText(word: string): string {
  const bytes = encodeText(word);
  const quote = word.includes("'") && !word.includes('"') ? '"' : "'";
  let text = "";
  for (const byte of bytes) {
    if (byte === 0x5c) text += "\\\\";
    else if (byte === 0x0a) text += "\\n";
    else if (byte === 0x0d) text += "\\r";
    else if (byte === 0x09) text += "\\t";
    else if (byte < 0x20 || byte >= 0x7f) text += `\\x${byte.toString(16).padStart(2, "0")}`;
    else if (String.fromCharCode(byte) === quote) text += `\\${quote}`;
    else text += String.fromCharCode(byte);
  }
  return quote + text + quote;
}
