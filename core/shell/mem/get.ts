/** mem get: one value, unchanged or as JSON. */
import { utf8 } from "../../base/bytes.ts";
import { bytesWords } from "../format.ts";
import { oneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { TerminalInfo } from "../types.ts";
import { noSuchKey } from "./keys.ts";
import { toJson } from "./value.ts";
import type { MemVerb } from "./verb.ts";

export const get: MemVerb = {
  options: ["--json"],
  keys: "one",
  async run({ args, computer, stdout, terminal }) {
    const { options, operands } = parseArguments(args, { json: "flag" });
    const key = oneOperand(operands, "KEY");
    const entry = computer.memory.entry(key);
    if (entry === undefined) throw noSuchKey(computer.memory, key);
    const { value } = entry;
    if (options.json === true) await stdout.write(utf8(`${toJson(value)}\n`));
    else if (value instanceof Uint8Array) await stdout.write(binary(value, terminal.stdout));
    else await stdout.write(utf8(asText(value)));
    return 0;
  },
};

/** Bytes would upset a terminal; everywhere else they are written unchanged. */
function binary(bytes: Uint8Array, terminal: TerminalInfo | undefined): Uint8Array {
  if (terminal === undefined) return bytes;
  return utf8(`${bytesWords(bytes.length)} of binary data. A pipe gets it as it is, --json shows it as base64.\n`);
}

/** Adds a line break to text, so that two values do not run together. */
function asText(value: unknown): string {
  const text = typeof value === "string" ? value : toJson(value);
  return text.endsWith("\n") ? text : `${text}\n`;
}
