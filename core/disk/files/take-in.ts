/** Stores the bytes of a new file: a small file goes into its entry, a larger one becomes a content of its own. */
import { concat } from "../../base/bytes.ts";
import { throwIfAborted } from "../../base/errors.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { cidOf, RAW } from "../content/block.ts";
import type { Contents, WriteOptions } from "../types.ts";
import type { NewContent } from "./changes.ts";
import { INLINE_BYTES_MAX } from "./limits.ts";

interface Taken {
  readonly content: NewContent;
  /** As in Contents.put; resolved at once for a file that goes into its entry. */
  readonly safe: Promise<void>;
}

/** Rejects with what the source or the contents reject with, and with "cancelled". */
export async function takeIn(
  source: AsyncIterable<Uint8Array>,
  { contents, crypto }: { readonly contents: Contents; readonly crypto: Crypto },
  options: WriteOptions,
): Promise<Taken> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let bytes = 0;
  try {
    while (bytes <= INLINE_BYTES_MAX) {
      throwIfAborted(options.signal);
      const next = await iterator.next();
      if (next.done === true) return { content: inline(concat(head), crypto), safe: Promise.resolve() };
      head.push(next.value);
      bytes += next.value.length;
    }
  } catch (error) {
    await iterator.return?.();
    throw error;
  }
  const { ref, safe } = await contents.put(rest(head, iterator), options);
  return { content: { cid: ref.cid, size: ref.sizeBytes }, safe };
}

function inline(bytes: Uint8Array, crypto: Crypto): NewContent {
  return { size: bytes.length, cid: cidOf(RAW, crypto.sha256(bytes)).toString(), inline: bytes };
}

/** First the bytes that were read already, then the rest. */
async function* rest(
  head: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* head;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
