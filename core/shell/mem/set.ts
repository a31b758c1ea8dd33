/** mem set: writes a value. With --sync it waits until the value can't be lost with this node. */
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { VALUE_BYTES_MAX } from "../../memory/limits.ts";
import { count } from "../format.ts";
import { parseArguments, timeSpan } from "../options.ts";
import { readAll } from "../pipe.ts";
import type { CommandContext } from "../types.ts";
import { parseJson } from "./json.ts";
import { textOrBytes } from "./value.ts";
import type { MemVerb } from "./verb.ts";

export const set: MemVerb = {
  options: ["--for", "--json", "--sync"],
  keys: "one",
  async run(context) {
    const { options, operands } = parseArguments(context.args, { for: "value", json: "flag", sync: "flag" });
    const [key, word, extra] = operands;
    if (key === undefined || key === "") throw new StarfishError("usage", "KEY is missing");
    if (word === undefined) throw new StarfishError("usage", "VALUE is missing; '-' takes it from standard input");
    if (extra !== undefined) {
      throw new StarfishError("usage", `'${extra}' is one word too many; quote a value that holds blanks`);
    }
    const expiresInMs = options.for === undefined ? undefined : timeSpan(options.for, "--for");
    const value = await valueOf(word, options.json === true, context);
    const { memory } = context.computer;
    await memory.ready(context);
    memory.set(key, value, { expiresInMs });
    if (options.sync === true) await sync(context);
    return 0;
  },
};

async function valueOf(word: string, isJson: boolean, { stdin }: CommandContext): Promise<unknown> {
  if (word !== "-") return isJson ? parseJson(word) : word;
  const value = textOrBytes(await readInput(stdin));
  if (!isJson) return value;
  if (typeof value !== "string") throw new StarfishError("usage", "the value is not JSON: it is not UTF-8");
  return parseJson(value);
}

async function readInput(stdin: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  try {
    return await readAll(stdin, VALUE_BYTES_MAX);
  } catch (error) {
    if (!isStarfishError(error, "too-large")) throw error;
    throw new StarfishError("too-large", "the value is larger than 64 KiB, which is the most that memory takes");
  }
}

async function sync({ computer, signal, stdout }: CommandContext): Promise<void> {
  await computer.memory.sync({ signal });
  const awake = computer.net.members().filter((member) => member.status === "awake").length;
  const holders =
    awake === 1
      ? "this node holds it, the only one that is awake"
      : `more than half of ${count(awake, "member")} hold it`;
  await stdout.write(utf8(`Acknowledged: ${holders}.\n`));
}
