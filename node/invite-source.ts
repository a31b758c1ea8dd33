/**
 * Where an invite is read from. Whoever has it can join, and every user of the machine sees the command line (ps). So
 * it can also come from standard input, a file or the environment.
 */
import { open } from "node:fs/promises";
import { messageOf, StarfishError } from "../core/base/errors.ts";

/** Many times the longest invite. */
const BYTES_MAX = 64 * 1024;
const VARIABLE = "STARFISH_JOIN";

/**
 * The invite of `--join`: a link, "-" for standard input, or "@FILE"; without `--join` that of STARFISH_JOIN, if it is
 * set.
 */
export async function inviteFrom(
  join: string | undefined,
  { env, stdin }: { readonly env: NodeJS.ProcessEnv; readonly stdin: AsyncIterable<Uint8Array> },
): Promise<string | undefined> {
  const fromEnv = env[VARIABLE];
  // Processes that this one starts need not know it.
  delete env[VARIABLE];
  if (join === undefined) return fromEnv === "" ? undefined : fromEnv?.trim();
  if (join === "-") return await textOf(stdin, "standard input");
  if (!join.startsWith("@")) return join;
  const path = join.slice(1);
  try {
    await using file = await open(path, "r");
    return await textOf(file.createReadStream({ end: BYTES_MAX }), path);
  } catch (error) {
    if (error instanceof StarfishError) throw error;
    throw new StarfishError("usage", `--join @${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function textOf(bytes: AsyncIterable<Uint8Array>, where: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    parts.push(part);
    length += part.length;
    if (length > BYTES_MAX) throw new StarfishError("usage", `--join: ${where} holds more than an invite`);
  }
  const text = Buffer.concat(parts).toString("utf8").trim();
  if (text === "") throw new StarfishError("usage", `--join: ${where} is empty`);
  return text;
}
