/** The wire format of requests and replies, and how errors travel. */
import * as v from "valibot";
import { type Bytes, lengthOf } from "../../base/bytes.ts";
import { decode, encode, encodePieces, lineOf, type Schema } from "../../base/codec.ts";
import { ERROR_CODES, messageOf, StarfishError, type ErrorCode } from "../../base/errors.ts";
import { MESSAGE_BYTES_MAX } from "../../ports/network.ts";
import { ERROR_CHARS_MAX } from "../limits.ts";

const replySchema = v.variant("ok", [
  v.object({ ok: v.literal(true), value: v.optional(v.unknown()) }),
  v.object({
    ok: v.literal(false),
    // A newer peer may have codes that this one has no word for.
    code: v.fallback(v.picklist(ERROR_CODES), "remote-failure"),
    message: lineOf(ERROR_CHARS_MAX),
  }),
]);

/** Errors after which the same request may succeed another time. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set(["busy", "timeout", "unreachable", "link-closed"]);

/** Its large parts are passed by reference, and must not change until the reply has come. */
export function encodeRequest(request: unknown): readonly Bytes[] {
  return sized(encodePieces(request), "request");
}

/** As above: large parts must not change until the reply is sent. */
export function encodeReply(value: unknown): readonly Bytes[] {
  return sized(encodePieces({ ok: true, value }), "reply");
}

/**
 * Carries a StarfishError completely. Of any other error it only says that there was one, since its message may be
 * private.
 */
export function encodeFailure(error: unknown): Uint8Array {
  const { code, message } =
    error instanceof StarfishError ? error : new StarfishError("remote-failure", "The other node failed to answer");
  return encode({ ok: false, code, message: message.slice(0, ERROR_CHARS_MAX) });
}

export type Reply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: StarfishError };

/** The reply, its value not yet checked, or the error that it carries. Throws "malformed" if it is neither. */
export function decodeReply(bytes: Uint8Array): Reply {
  const reply = decode(replySchema, bytes);
  if (reply.ok) return { ok: true, value: reply.value };
  const retryable = RETRYABLE.has(reply.code);
  return { ok: false, error: new StarfishError(reply.code, reply.message, { retryable }) };
}

function sized(pieces: readonly Bytes[], what: string): readonly Bytes[] {
  const length = lengthOf(pieces);
  if (length <= MESSAGE_BYTES_MAX) return pieces;
  throw new StarfishError("too-large", `The ${what} has ${length} bytes, at most ${MESSAGE_BYTES_MAX} can be sent`);
}

/** The text for the log of an error that is our own fault. */
export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { replySchema };
