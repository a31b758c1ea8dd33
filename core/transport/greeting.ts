/**
 * The first words on a connection, on a channel of their own that stays open as long as the connection is used:
 *
 * - A connection belongs to a link only after its dialler has said hello and was answered. So a relayed connection that
 *   only carries the signalling of WebRTC is never mistaken for a link, and neither are other libp2p programs.
 * - Each end names its link by a nonce. A peer that returns with a new nonce has lost the old link (a tab that was
 *   frozen, a process that was killed), even if this end has not noticed yet.
 * - When the channel closes, the connection is dead or being closed. With WebRTC that is the only quick sign: the
 *   channels of a closed tab close at once, its connection minutes later.
 * - A caller without WebRTC uses the same protocol to ask to be called back at its addresses.
 */
import type { Connection, Stream } from "@libp2p/interface";
import * as v from "valibot";
import { bytesOf, decode, encode, lineOf, type Schema, textOf } from "../base/codec.ts";
import { StarfishError } from "../base/errors.ts";
import { abortable } from "../ports/clock.ts";
import type { Address } from "../ports/network.ts";
import { StreamChannel } from "./channel.ts";

export const GREETING_PROTOCOL = "/starfish/link/1.0.0";

export const NONCE_BYTES = 16;

/** A hello has at most a reason; a request to be called back has at most four addresses. */
const FIRST_WORDS_BYTES_MAX = 1_024;

/** 200 UTF-16 units have up to 600 bytes. */
const REASON_LENGTH_MAX = 200;

/** Enough for every interface of a usual machine. The called end tries no more. */
export const CALL_BACK_ADDRESSES_MAX = 4;

export interface Hello {
  readonly kind: "hello";
  readonly nonce: Uint8Array;
  /** Why the connection is relayed, if it is; in words for people. */
  readonly reason?: string | undefined;
}

export interface CallBack {
  readonly kind: "call-back";
  readonly addresses: readonly Address[];
}

export type FirstWords = Hello | CallBack;

const helloSchema = v.object({
  kind: v.literal("hello"),
  nonce: bytesOf(NONCE_BYTES),
  reason: v.optional(lineOf(REASON_LENGTH_MAX)),
});

const callBackSchema = v.object({
  kind: v.literal("call-back"),
  addresses: v.pipe(v.array(textOf(200)), v.minLength(1), v.maxLength(CALL_BACK_ADDRESSES_MAX)),
});

const firstWordsSchema: Schema<FirstWords> = v.variant("kind", [helloSchema, callBackSchema]);

/**
 * Says the first words on a connection that this end has dialled. The caller owns the channel. Rejects with
 * "version-mismatch".
 */
export async function speakFirst(
  connection: Connection,
  words: FirstWords,
  options: { signal: AbortSignal },
): Promise<StreamChannel> {
  const opening = connection.newStream(GREETING_PROTOCOL, { signal: options.signal, runOnLimitedConnection: true });
  const stream = await abortable(options.signal, opening).catch((error: unknown) => {
    throw isUnsupported(error) ? otherVersion(error) : error;
  });
  const channel = greetingChannel(stream);
  channel.send(encode(words));
  return channel;
}

/** The channel of the first words, at either end. Its messages are always small. */
export function greetingChannel(stream: Stream): StreamChannel {
  return new StreamChannel(stream, () => {}, { messageBytesMax: FIRST_WORDS_BYTES_MAX });
}

/** libp2p's way to say that the other end does not speak a protocol. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof Error && error.name === "UnsupportedProtocolError";
}

function otherVersion(cause: unknown): StarfishError {
  return new StarfishError("version-mismatch", `The other side does not speak ${GREETING_PROTOCOL}: another version?`, {
    cause,
  });
}

/**
 * The answer to a hello. Rejects with "link-closed", "malformed", or the signal's reason; the channel is closed then.
 */
export async function readHello(channel: StreamChannel, options: { signal: AbortSignal }): Promise<Hello> {
  return read(channel, options.signal, (message) => decode(helloSchema, message));
}

/** The first words of a connection's dialler. Rejects like readHello. */
export async function readFirstWords(channel: StreamChannel, options: { signal: AbortSignal }): Promise<FirstWords> {
  return read(channel, options.signal, (message) => decode(firstWordsSchema, message));
}

async function read<T>(channel: StreamChannel, signal: AbortSignal, parse: (message: Uint8Array) => T): Promise<T> {
  const first = Promise.withResolvers<T>();
  channel.onClose((error) => first.reject(error ?? new StarfishError("link-closed", "The other end hung up")));
  channel.onMessage((message) => {
    try {
      first.resolve(parse(message));
    } catch (error) {
      first.reject(error);
    }
  });
  try {
    return await abortable(signal, first.promise);
  } catch (error) {
    channel.abort(new StarfishError("link-closed", "No valid greeting", { cause: error }));
    throw error;
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { firstWordsSchema };
