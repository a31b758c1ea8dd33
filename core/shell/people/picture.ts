/** Giving the person at the shell a picture. Its code is loaded when it is first needed. */
import { concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { PICTURE_BYTES_MAX, PICTURE_FILE_BYTES_MAX } from "../../io/people/limits.ts";
import { streamOf } from "../files/host-streams.ts";
import { bytesWords } from "../format.ts";
import type { CommandContext } from "../types.ts";

/** Undefined: the person has no picture any more. */
export async function setPicture(file: string | undefined, context: CommandContext): Promise<void> {
  const { computer, stdout } = context;
  const self = computer.people.self();
  if (self === undefined) throw new StarfishError("not-found", "first say who you are, as in 'me name anna'");
  const pictures = await computer.people.pictures();
  if (file === undefined) {
    pictures.set(undefined);
    return await stdout.print("You have no picture now.\n");
  }
  const bytes = await readPicture(file, context);
  pictures.set(bytes);
  await stdout.print(`You have a picture now (${bytesWords(bytes.length)}). All members see it beside your name.\n`);
}

/** A file of a tree or of the person's machine, made small where the place of the shell can do that. */
async function readPicture(operand: string, context: CommandContext): Promise<Uint8Array> {
  const { names, host, path, signal } = context;
  const place = path(operand);
  const entry = await names.stat(place, { signal });
  if (entry?.kind === "directory") throw new StarfishError("is-a-directory", `${operand} is a directory`);
  const source =
    entry === undefined ? streamOf(await host.openFile(operand, { signal }), signal) : names.read(place, { signal });
  const bytesMax = host.shrinkPicture === undefined ? PICTURE_BYTES_MAX : PICTURE_FILE_BYTES_MAX;
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source) {
    length += piece.length;
    if (length > bytesMax) throw tooLarge(bytesMax, host.shrinkPicture !== undefined);
    parts.push(piece.slice());
  }
  const bytes = concat(parts);
  return host.shrinkPicture === undefined ? bytes : await host.shrinkPicture(bytes);
}

function tooLarge(bytesMax: number, isShrinking: boolean): StarfishError {
  const how = isShrinking ? "" : "; 'me --picture' in a tab makes any picture fit";
  return new StarfishError("too-large", `a person's picture has at most ${bytesMax / 1024} KiB here${how}`);
}
