/**
 * The messages about codes. A member holds a number at the node that serves the page (CODE_PROTOCOL, requests). A
 * stranger connects to that node by WebSocket and names the number. From then on the node carries messages between the
 * stranger and the member (STRANGER_PROTOCOL, a channel that the node opens, with the number first). It can't read
 * names or contents:
 *
 *     stranger                    node                 member
 *     want              ->             stranger  ->
 *     share             ->                       ->             CPace (cpace.ts)
 *                       <-                       <-    share
 *     confirm           ->                       ->             the guesser first: a wrong guess is counted
 *                       <-                       <-    confirm
 *     … a transfer (transfer/wire.ts), each message sealed under the key that both ends have now (sealed.ts) …
 *
 * Instead of its share or confirmation the member may state why it refuses. Before that the node may do so.
 */
import * as v from "valibot";
import { bytesOf, encode, integerOf, lineOf, type Schema } from "../../base/codec.ts";
import type { StarfishError } from "../../base/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Channel } from "../../ports/network.ts";
import { SHARE_BYTES } from "./cpace.ts";
import { CODE_MS, FAREWELL_MS, MESSAGE_CHARS_MAX, NUMBER_MAX } from "./limits.ts";

export const CODE_PROTOCOL = "/starfish/code/1.0.0";
export const STRANGER_PROTOCOL = "/starfish/stranger/1.0.0";

export const SESSION_BYTES = 16;
export const TAG_BYTES = 32;

/** Why a code is over. */
const ENDS = ["fetched", "guessed", "expired", "cancelled", "lost"] as const;
export type End = (typeof ENDS)[number];

/** What a stranger is told in that case. */
export const END_WORDS: Readonly<Record<End, string>> = {
  fetched: "This code has been used: it has been fetched, or is being fetched now. Ask for another one",
  guessed: "This code is no longer valid: it was tried with wrong words three times. Ask for another one",
  expired: "This code has expired: it was valid for an hour. Ask for another one",
  cancelled: "Whoever gave you this code has taken it back",
  lost: "This code is no longer valid: its sender has gone",
};

const REFUSALS = [
  "refused",
  "closed",
  "busy",
  "not-found",
  "unreachable",
  "timeout",
  "malformed",
  "too-large",
] as const;
type Refusal = (typeof REFUSALS)[number];

export type CodeRequest =
  | { readonly ask: "hold"; readonly number: number | null; readonly forMs: number }
  | { readonly ask: "drop"; readonly number: number; readonly why: End };

export type ReceiverWord =
  | { readonly is: "share"; readonly session: Uint8Array; readonly share: Uint8Array; readonly again: boolean }
  | { readonly is: "confirm"; readonly tag: Uint8Array };

export type SenderWord =
  | { readonly is: "share"; readonly share: Uint8Array }
  | { readonly is: "confirm"; readonly tag: Uint8Array }
  | { readonly is: "refuse"; readonly code: Refusal; readonly message: string };

const numberSchema = integerOf(1, NUMBER_MAX);

export const requestSchema: Schema<CodeRequest> = v.variant("ask", [
  v.object({ ask: v.literal("hold"), number: v.nullable(numberSchema), forMs: integerOf(1, CODE_MS) }),
  v.object({ ask: v.literal("drop"), number: numberSchema, why: v.picklist(ENDS) }),
]);
export const replySchema: Schema<{ readonly number: number }> = v.object({ number: numberSchema });

export const wantSchema: Schema<{ readonly is: "want"; readonly number: number }> = v.object({
  is: v.literal("want"),
  number: numberSchema,
});
export const strangerSchema: Schema<{ readonly is: "stranger"; readonly number: number }> = v.object({
  is: v.literal("stranger"),
  number: numberSchema,
});

export const receiverSchema: Schema<ReceiverWord> = v.variant("is", [
  v.object({
    is: v.literal("share"),
    session: bytesOf(SESSION_BYTES),
    share: bytesOf(SHARE_BYTES),
    again: v.boolean(),
  }),
  v.object({ is: v.literal("confirm"), tag: bytesOf(TAG_BYTES) }),
]);

export const senderSchema: Schema<SenderWord> = v.variant("is", [
  v.object({ is: v.literal("share"), share: bytesOf(SHARE_BYTES) }),
  v.object({ is: v.literal("confirm"), tag: bytesOf(TAG_BYTES) }),
  v.object({ is: v.literal("refuse"), code: v.picklist(REFUSALS), message: lineOf(MESSAGE_CHARS_MAX) }),
]);

/** Tells a stranger why it gets nothing, and disconnects it soon, whatever it does. */
export function refuseStranger(channel: Channel, error: StarfishError, clock: Clock): void {
  const { code, message } = error;
  const told = REFUSALS.find((one) => one === code) ?? "unreachable";
  channel.send(encode({ is: "refuse", code: told, message: message.slice(0, MESSAGE_CHARS_MAX).toWellFormed() }));
  channel.end();
  clock.timer(FAREWELL_MS, () => channel.abort(error));
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = {
  requestSchema,
  replySchema,
  wantSchema,
  strangerSchema,
  receiverSchema,
  senderSchema,
};
