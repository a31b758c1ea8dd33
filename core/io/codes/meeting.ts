/**
 * How two ends find out that they know the same words, and get a channel that nobody in between can read (wire.ts). The
 * end that comes with the code confirms first. So the sender, which counts guesses, sees a guess before the guesser
 * knows the result.
 */
import { type Bytes, concat, equal, utf8 } from "../../base/bytes.ts";
import { decode, encode } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Inbox as Messages } from "../../net/links/inbox.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Channel } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { keyOf, type PaceShare, scalarOf, SEED_BYTES, shareOf } from "./cpace.ts";
import { SealedChannel } from "./sealed.ts";
import { receiverSchema, type ReceiverWord, senderSchema, type SenderWord, SESSION_BYTES, TAG_BYTES } from "./wire.ts";

const CHANNEL: Bytes = utf8("starfish code 1");
const RECEIVER: Bytes = utf8("receiver");
const SENDER: Bytes = utf8("sender");
const KEY_BYTES = 32;

export interface MeetingParts {
  readonly crypto: Crypto;
  readonly random: Random;
}

export interface Met {
  readonly channel: SealedChannel;
  /** Proves at the next meeting that these are the same two ends. */
  readonly secret: Bytes;
}

/** The words and, after a broken link, the proof that it is the same receiver. */
export function passwordOf(code: string, secret: Bytes | undefined): Bytes {
  return secret === undefined ? utf8(code) : concat([utf8(`${code} `), secret]);
}

/**
 * The receiver's side. Rejects with the sender's refusal ("refused": the words are wrong), and with "refused" if the
 * other end does not know the words.
 */
export async function meetSender(
  channel: Channel,
  messages: Messages,
  { code, secret, signal }: { readonly code: string; readonly secret: Bytes | undefined; readonly signal: AbortSignal },
  { crypto, random }: MeetingParts,
): Promise<Met> {
  const input = { password: passwordOf(code, secret), channel: CHANNEL, session: random.bytes(SESSION_BYTES) };
  const scalar = scalarOf(random.bytes(SEED_BYTES));
  const own: PaceShare = { share: shareOf(input, scalar), says: RECEIVER };
  say(channel, { is: "share", session: input.session, share: own.share, again: secret !== undefined });
  const { share } = await heard(messages, "share", signal);
  const key = keyOf(input, scalar, share, [own, { share, says: SENDER }]);
  say(channel, { is: "confirm", tag: tagOf(crypto, key, "receiver") });
  const { tag } = await heard(messages, "confirm", signal);
  if (!equal(tag, tagOf(crypto, key, "sender"))) {
    throw new StarfishError("refused", "Who answers does not know this code either: somebody may be in between");
  }
  return metBy(channel, messages, key, "receiver", crypto);
}

export interface Judge {
  /** The secret that the other end has to prove that it knows. Throws the refusal if this end accepts nobody now. */
  readonly password: (again: boolean) => Bytes;
  /**
   * Called with whether the other end knows the secret; throws the refusal if it is refused. The answer is sent at once
   * after this, without waiting for anything in between.
   */
  readonly judge: (isRight: boolean, again: boolean) => void;
}

/** The sender's side. Rejects with the error of `judge`, and with "malformed". */
export async function meetReceiver(
  channel: Channel,
  messages: Messages,
  { password, judge }: Judge,
  { crypto, random }: MeetingParts,
  signal: AbortSignal,
): Promise<Met> {
  const first = await wordOf(messages, signal);
  if (first.is !== "share") throw outOfPlace();
  const { session, share, again } = first;
  const input = { password: password(again), channel: CHANNEL, session };
  const scalar = scalarOf(random.bytes(SEED_BYTES));
  const own: PaceShare = { share: shareOf(input, scalar), says: SENDER };
  const key = keyOf(input, scalar, share, [{ share, says: RECEIVER }, own]);
  say(channel, { is: "share", share: own.share });
  const second = await wordOf(messages, signal);
  if (second.is !== "confirm") throw outOfPlace();
  judge(equal(second.tag, tagOf(crypto, key, "receiver")), again);
  say(channel, { is: "confirm", tag: tagOf(crypto, key, "sender") });
  return metBy(channel, messages, key, "sender", crypto);
}

function say(channel: Channel, word: ReceiverWord | SenderWord): void {
  channel.send(encode(word));
}

async function wordOf(messages: Messages, signal: AbortSignal): Promise<ReceiverWord> {
  return decode(receiverSchema, await messages.next(signal));
}

async function heard<Is extends "share" | "confirm">(
  messages: Messages,
  is: Is,
  signal: AbortSignal,
): Promise<Extract<SenderWord, { is: Is }>> {
  const word = decode(senderSchema, await messages.next(signal));
  if (word.is === "refuse") throw new StarfishError(word.code, word.message, { retryable: word.code === "busy" });
  if (!isWord(word, is)) throw outOfPlace();
  return word;
}

function isWord<Is extends SenderWord["is"]>(word: SenderWord, is: Is): word is Extract<SenderWord, { is: Is }> {
  return word.is === is;
}

type Role = "receiver" | "sender";

function tagOf(crypto: Crypto, key: Bytes, role: Role): Uint8Array {
  return crypto.derive(key, `starfish code confirm ${role}`, TAG_BYTES);
}

function metBy(channel: Channel, messages: Messages, key: Bytes, role: Role, crypto: Crypto): Met {
  const of = (who: Role): Uint8Array => crypto.derive(key, `starfish code seal ${who}`, KEY_BYTES);
  const keys = { own: of(role), other: of(role === "sender" ? "receiver" : "sender") };
  return {
    channel: new SealedChannel(channel, messages, keys, crypto),
    secret: crypto.derive(key, "starfish code again", KEY_BYTES),
  };
}

function outOfPlace(): StarfishError {
  return new StarfishError("malformed", "The other end sent an unexpected message about a code");
}
