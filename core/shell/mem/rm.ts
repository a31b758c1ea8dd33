/** mem rm: deletes keys, all at once if they fit into a batch. */
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { inBatches } from "../../memory/in-batches.ts";
import { parseArguments } from "../options.ts";
import { STATUS } from "../status.ts";
import { noSuchKey } from "./keys.ts";
import type { MemVerb } from "./verb.ts";

export const rm: MemVerb = {
  options: [],
  keys: "many",
  async run(context) {
    const { args, stderr } = context;
    const { memory } = context.computer;
    const keys = new Set(parseArguments(args, {}).operands);
    if (keys.size === 0) throw new StarfishError("usage", "KEY is missing");
    const there: string[] = [];
    const missing: string[] = [];
    for (const key of keys) (memory.entry(key) === undefined ? missing : there).push(key);
    await memory.ready(context);
    inBatches(
      memory,
      there.map((key) => [{ key, deleted: true }]),
    );
    for (const key of missing) await stderr.write(utf8(`mem: ${noSuchKey(memory, key).message}\n`));
    return missing.length === 0 ? STATUS.ok : STATUS.failed;
  },
};
