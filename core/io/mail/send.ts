/**
 * Sends mail: the files and the letter are sealed and put on the disk, and only then an entry is written that names
 * them. Whatever goes wrong before, nobody sees any of it; contents that were put are collected like all contents that
 * nothing refers to.
 */
import { type Bytes, utf8 } from "../../base/bytes.ts";
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { Contents, ContentRef } from "../../disk/types.ts";
import type { Age } from "../../ports/age.ts";
import type { PeerId } from "../../ports/network.ts";
import type { PersonNews } from "../people/people.ts";
import type { MailEntry } from "./entries.ts";
import { type Letter, writeLetter } from "./letter.ts";
import { FILE_NAME_CHARS_MAX, FILES_MAX, LETTER_BYTES_MAX, SUBJECT_CHARS_MAX, TEXT_CHARS_MAX } from "./limits.ts";
import type { Address, Draft, MailFile, SendProgress } from "./types.ts";

export interface SealParts {
  readonly age: Age;
  readonly contents: Contents;
  readonly self: PeerId;
  readonly now: () => number;
  /** Told of each content as soon as it is stored. */
  readonly onPut: (cid: string) => void;
}

export interface Sealed {
  readonly says: Omit<MailEntry, "id">;
  readonly letter: Letter;
  /** Resolves when all of it is placed as the disk promises. */
  readonly safe: Promise<void>;
}

interface Options {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SendProgress) => void) | undefined;
}

/** Throws "too-large". */
export function checkDraft({ subject = "", text = "" }: Draft): void {
  if (subject.length > SUBJECT_CHARS_MAX)
    throw new StarfishError("too-large", `a subject has at most ${SUBJECT_CHARS_MAX} characters`);
  if (text.length > TEXT_CHARS_MAX || utf8(text).length > LETTER_BYTES_MAX / 2)
    throw new StarfishError("too-large", `a mail's text has at most ${TEXT_CHARS_MAX} characters; send it as a file`);
}

/** Rejects with "too-large", and with whatever reading the files and storing reject with. */
export async function sealDraft(
  draft: Draft & { readonly to: readonly Address[]; readonly news?: PersonNews | undefined },
  keys: readonly Bytes[],
  parts: SealParts,
  { signal, onProgress }: Options,
): Promise<Sealed> {
  const { age, contents, self, now, onPut } = parts;
  const progress = new Progress(onProgress);
  const files: MailFile[] = [];
  const refs: ContentRef[] = [];
  const safes: Promise<void>[] = [];
  const put = async (source: AsyncIterable<Bytes>): Promise<ContentRef> => {
    const place = refs.length;
    const onSafe = ({ safeBytes }: { safeBytes: number }): void => progress.safe(place, safeBytes);
    const { ref, safe } = await contents.put(age.seal(source, keys), { signal, onProgress: onSafe });
    safe.catch(() => {});
    onPut(ref.cid);
    safes.push(safe);
    return ref;
  };
  for await (const { name, bytes } of draft.files ?? []) {
    throwIfAborted(signal);
    if (files.length === FILES_MAX)
      throw new StarfishError("too-large", `a mail has at most ${FILES_MAX} files; pack them into one ('tar c')`);
    let sizeBytes = 0;
    progress.begin(name);
    const counted = counting(bytes, (length) => {
      sizeBytes += length;
      progress.taken(length);
    });
    refs.push(await put(counted));
    files.push({ name: name.slice(0, FILE_NAME_CHARS_MAX).toWellFormed(), sizeBytes });
  }
  progress.begin(undefined);
  const letter: Letter = {
    from: self,
    to: draft.to,
    sentAtMs: Math.round(now()),
    subject: (draft.subject ?? "").toWellFormed(),
    text: (draft.text ?? "").toWellFormed(),
    files,
    inReplyTo: draft.inReplyTo,
    news: draft.news,
  };
  const first = await put(once(writeLetter(letter)));
  throwIfAborted(signal);
  const says = { from: self, to: draft.to, contents: [first, ...refs], sentAtMs: letter.sentAtMs };
  return { says, letter, safe: Promise.all(safes).then(() => undefined) };
}

class Progress {
  readonly #tell: Options["onProgress"];
  readonly #safe = new Map<number, number>();
  #file: string | undefined;
  #takenBytes = 0;

  constructor(tell: Options["onProgress"]) {
    this.#tell = tell;
  }

  begin(file: string | undefined): void {
    this.#file = file;
    this.#told();
  }

  taken(bytes: number): void {
    this.#takenBytes += bytes;
    this.#told();
  }

  safe(place: number, bytes: number): void {
    this.#safe.set(place, bytes);
    this.#told();
  }

  #told(): void {
    const safeBytes = [...this.#safe.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.#tell?.({ file: this.#file, takenBytes: this.#takenBytes, safeBytes });
  }
}

async function* counting(
  source: AsyncIterable<Bytes>,
  count: (bytes: number) => void,
): AsyncGenerator<Bytes, void, undefined> {
  for await (const piece of source) {
    count(piece.length);
    yield piece;
  }
}

async function* once(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
  yield bytes;
}
