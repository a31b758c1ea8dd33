/**
 * Sealing with the library of age's author (age-encryption), which is loaded when something is first sealed or opened.
 * The library's own X25519 needs WebCrypto, which a page over plain http lacks. So noble wraps the keys here, in age's
 * format (https://github.com/C2SP/C2SP/blob/main/age.md, "X25519 recipient stanza").
 */
import type { Identity, Recipient, Stanza } from "age-encryption";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { base64 } from "multiformats/bases/base64";
import { type Bytes, concat, copyOf, utf8 } from "../base/bytes.ts";
import { StarfishError, toStarfishError } from "../base/errors.ts";
import { type Age, AGE_HEADER_BYTES_MAX, AGE_RECIPIENTS_MAX } from "../ports/age.ts";
import type { Random } from "../ports/random.ts";

const KIND = "X25519";
const KEY_BYTES = 32;
const SECRET_BYTES = 32;
const WRAPPED_BYTES = 32;
/** Each wrapping key is used once. */
const NONCE: Uint8Array = new Uint8Array(12);

export function realAge(random: Random): Age {
  return {
    publicKey: (secret) => x25519.getPublicKey(secret),

    async *seal(source, readers) {
      if (readers.length > AGE_RECIPIENTS_MAX)
        throw new StarfishError("too-large", `Sealed for at most ${AGE_RECIPIENTS_MAX} readers`);
      const { Encrypter, Stanza } = await import("./age-library.ts");
      const encrypter = new Encrypter();
      for (const reader of readers) encrypter.addRecipient(recipientOf(reader, random, Stanza));
      const failure: Failure = {};
      const sealing = encrypter.encrypt(streamOf(source, failure));
      yield* chunksOf(await sealing.catch(notSealed), failure);
    },

    async *open(sealed, secrets) {
      const { Decrypter } = await import("./age-library.ts");
      const decrypter = new Decrypter();
      for (const secret of secrets) decrypter.addIdentity(identityOf(secret));
      const failure: Failure = {};
      const opening = decrypter.decrypt(streamOf(withBoundedHeader(sealed), failure));
      const opened = await opening.catch((error: unknown) => {
        throw failure.error ?? notOpened(error);
      });
      yield* chunksOf(opened, failure);
    },
  };
}

function recipientOf(key: Bytes, random: Random, Made: typeof Stanza): Recipient {
  if (key.length !== KEY_BYTES) throw new StarfishError("malformed", "A reader's key has 32 bytes");
  return {
    wrapFileKey(fileKey) {
      const secret = random.bytes(SECRET_BYTES);
      const share = x25519.getPublicKey(secret);
      const wrapping = wrappingKey(x25519.getSharedSecret(secret, copyOf(key)), share, key);
      const body = chacha20poly1305(wrapping, NONCE).encrypt(fileKey);
      return [new Made([KIND, base64.baseEncode(share)], body)];
    },
  };
}

function identityOf(secret: Bytes): Identity {
  const key = x25519.getPublicKey(secret);
  return {
    unwrapFileKey(stanzas) {
      for (const { args, body } of stanzas) {
        const [kind, encoded] = args;
        if (kind !== KIND || encoded === undefined || args.length !== 2 || body.length !== WRAPPED_BYTES) continue;
        try {
          const share = base64.baseDecode(encoded);
          const wrapping = wrappingKey(x25519.getSharedSecret(copyOf(secret), share), share, key);
          return chacha20poly1305(wrapping, NONCE).decrypt(body);
        } catch {
          // The stanza is for somebody else, or is malformed.
        }
      }
      return null;
    },
  };
}

function wrappingKey(shared: Bytes, share: Bytes, key: Bytes): Uint8Array {
  return hkdf(sha256, shared, concat([share, key]), utf8("age-encryption.org/v1/X25519"), KEY_BYTES);
}

/** The error of the source. Streams pass errors on, but the library adds errors of its own, which would hide it. */
interface Failure {
  error?: StarfishError;
}

function streamOf(source: AsyncIterable<Bytes>, failure: Failure): ReadableStream<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await pieces.next();
          if (next.done === true) controller.close();
          else controller.enqueue(copyOf(next.value));
        } catch (error) {
          failure.error = toStarfishError(error, "io");
          controller.error(failure.error);
        }
      },
      async cancel() {
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

async function* chunksOf(stream: ReadableStream<Uint8Array>, failure: Failure): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) return;
      if (next.value.length > 0) yield next.value;
    }
  } catch (error) {
    throw failure.error ?? notOpened(error);
  } finally {
    // A broken stream rejects with the error that was thrown already.
    await reader.cancel().catch(() => undefined);
  }
}

function notSealed(error: unknown): never {
  throw error instanceof StarfishError ? error : new StarfishError("malformed", "A reader's key is invalid");
}

function notOpened(error: unknown): StarfishError {
  if (error instanceof StarfishError) return error;
  return new StarfishError("malformed", "It is sealed for somebody else, or has been changed", { cause: error });
}

/** Bounds the header, because the library itself reads on for the end of a header without limit. */
async function* withBoundedHeader(sealed: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  let head: Bytes | undefined = new Uint8Array();
  for await (const piece of sealed) {
    if (head === undefined) {
      yield piece;
      continue;
    }
    head = concat([head, piece]);
    if (endsWithin(head)) {
      yield head;
      head = undefined;
    } else if (head.length > AGE_HEADER_BYTES_MAX) {
      throw new StarfishError("malformed", "Its header is missing or too long");
    }
  }
  if (head !== undefined) yield head;
}

/** "\n---" */
const LAST_LINE = [0x0a, 0x2d, 0x2d, 0x2d];

function endsWithin(head: Bytes): boolean {
  for (let at = head.indexOf(0x0a); at >= 0 && at <= AGE_HEADER_BYTES_MAX; at = head.indexOf(0x0a, at + 1)) {
    if (LAST_LINE.every((byte, i) => head[at + i] === byte)) return head.indexOf(0x0a, at + 1) > 0;
  }
  return false;
}
