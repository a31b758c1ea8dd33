/** Seals and opens letters and files, with the bounds of what is read from others. */
import { type Bytes, concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Contents, ContentRef } from "../../disk/types.ts";
import type { Age } from "../../ports/age.ts";
import type { MailEntry } from "./entries.ts";
import { type Letter, readLetter } from "./letter.ts";
import { LETTER_BYTES_MAX } from "./limits.ts";

export interface SealParts {
  readonly age: Age;
  readonly contents: Contents;
  /** The secrets with which this node can open mail, its own first. */
  readonly secrets: () => readonly Bytes[];
}

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** Rejects with "malformed" if it is not that mail's letter, or is for other readers; else as `Contents.read`. */
export async function openLetter(
  { age, contents, secrets }: SealParts,
  mail: MailEntry,
  options: Options,
): Promise<Letter> {
  const [ref] = mail.contents;
  if (ref === undefined || ref.sizeBytes > LETTER_BYTES_MAX) {
    throw new StarfishError("malformed", `a letter has at most ${LETTER_BYTES_MAX} bytes`);
  }
  const parts: Uint8Array[] = [];
  for await (const piece of age.open(exactly(contents, ref, options), secrets())) parts.push(piece);
  return readLetter(concat(parts), mail);
}

/** Rejects with "malformed" if its length is not the one in the letter; else as `Contents.read`. */
export async function* openFile(
  { age, contents, secrets }: SealParts,
  ref: ContentRef,
  sizeBytes: number,
  options: Options,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  for await (const piece of age.open(exactly(contents, ref, options), secrets())) {
    length += piece.length;
    if (length > sizeBytes) break;
    yield piece;
  }
  if (length !== sizeBytes) throw new StarfishError("malformed", "it is not as long as the letter says");
}

/** The content under that CID may be longer than the entry says; the rest is not read. */
function exactly(contents: Contents, ref: ContentRef, options: Options): AsyncIterable<Uint8Array> {
  return contents.read(ref, { to: ref.sizeBytes, ...options });
}
