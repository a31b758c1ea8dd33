/** What requests and replies look like on the wire, and how errors travel. */
import * as v from "valibot";
import { decode, encode, lineOf } from "../base/codec.ts";
import { ERROR_CODES, messageOf, StarfishError, type ErrorCode } from "../base/errors.ts";
import { MESSAGE_BYTES_MAX } from "../ports/network.ts";
import { ERROR_CHARS_MAX } from "./limits.ts";

const replySchema = v.variant("ok", [
  v.object({ ok: v.literal(true), value: v.optional(v.unknown()) }),
  v.object({
    ok: v.literal(false),
    // A newer peer may have codes that this one has no word for.
    code: v.fallback(v.picklist(ERROR_CODES), "remote-failure"),
    message: lineOf(ERROR_CHARS_MAX),
  }),
]);

/** What may go well another time without anything having changed. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set(["busy", "timeout", "unreachable", "link-closed"]);

export function encodeRequest(request: unknown): Uint8Array {
  return sized(encode(request), "request");
}

export function encodeReply(value: unknown): Uint8Array {
  return sized(encode({ ok: true, value }), "reply");
}

/** Carries a StarfishError whole; of any other error only that there was one, since it may say what is private. */
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

function sized(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.length <= MESSAGE_BYTES_MAX) return bytes;
  throw new StarfishError(
    "too-large",
    `The ${what} has ${bytes.length} bytes, at most ${MESSAGE_BYTES_MAX} can be sent`,
  );
}

/** What is worth a line in the log of an error that is our own fault. */
export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
