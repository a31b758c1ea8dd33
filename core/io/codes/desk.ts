/**
 * The desk for codes, on the node that serves the page. It gives numbers to members, and carries messages between a
 * stranger who asks for a number and the member that holds it. It does not know the words, and reads none of the
 * messages. The member counts wrong guesses.
 */
import { decode, encode } from "../../base/codec.ts";
import { messageOf, StarfishError, toStarfishError } from "../../base/errors.ts";
import { WaitingRoom } from "../../base/waiting-room.ts";
import { Inbox as Messages } from "../../net/links/inbox.ts";
import type { Net } from "../../net/types.ts";
import { type Clock, every, type Timer, withDeadline } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Channel, PeerId } from "../../ports/network.ts";
import { CONTROLS_MAX } from "../transfer/limits.ts";
import {
  CODE_MS,
  CODES_MAX,
  CODES_PER_MEMBER_MAX,
  ENDED_MAX,
  FIRST_WORD_MS,
  HELD_MS,
  LINE_MS,
  MEET_MS,
  NUMBER_MAX,
  RECEIVER_BYTES_MAX,
  STRANGERS_MAX,
  SWEEP_MS,
} from "./limits.ts";
import { Line } from "./line.ts";
import type { Offering } from "./offering.ts";
import { Shares } from "./shares.ts";
import { type End, END_WORDS, refuseStranger, STRANGER_PROTOCOL, wantSchema } from "./wire.ts";

/** The member's messages before it knows that the stranger has the words; the next one is its confirmation. */
const SAID_BEFORE = 1;

export interface DeskParts {
  readonly net: Net;
  readonly clock: Clock;
  readonly log: Log;
  /** The codes of this node itself. */
  readonly own: (number: number) => Offering | undefined;
}

interface Held {
  readonly owner: PeerId;
  /** Until when the owner needs the number, as it has stated. */
  untilMs: number;
  heldAtMs: number;
  /** Strangers who ask for it. */
  readonly line: Line;
}

/** A stranger, until it is known whether it has the words. */
interface Asking {
  readonly channel: Channel;
  readonly messages: Messages;
  /** It has the words: it is no stranger any more. */
  readonly known: () => void;
  /** Aborts when it has to go. */
  readonly signal: AbortSignal;
}

export class Desk {
  readonly #parts: DeskParts;
  readonly #held = new Map<number, Held>();
  readonly #ended = new Map<number, { readonly owner: PeerId; readonly end: End; readonly untilMs: number }>();
  readonly #room = new WaitingRoom(STRANGERS_MAX);
  readonly #sweeper: Timer;
  readonly #closed = new AbortController();
  readonly #shares = new Shares();

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#sweeper = every(parts.clock, SWEEP_MS, () => this.#sweep());
  }

  /**
   * Gives a new number, or renews one. A number of which this node knows nothing is accepted again. Throws "busy",
   * "closed".
   */
  hold(owner: PeerId, number: number | null, forMs: number): number {
    this.#sweep();
    const nowMs = this.#parts.clock.monotonic();
    const held = number === null ? undefined : this.#held.get(number);
    if (number !== null && held !== undefined) {
      if (held.owner !== owner) throw new StarfishError("closed", "This number belongs to another code by now");
      held.heldAtMs = nowMs;
      held.untilMs = nowMs + forMs;
      return number;
    }
    const ended = number === null ? undefined : this.#ended.get(number);
    // A sender that was out of reach for a while still has its number.
    const isBack = ended?.end === "lost" && ended.owner === owner;
    if (ended !== undefined && !isBack) throw new StarfishError("closed", END_WORDS[ended.end]);
    const own = [...this.#held.values()].filter((one) => one.owner === owner);
    if (own.length >= CODES_PER_MEMBER_MAX || this.#held.size >= CODES_MAX)
      throw new StarfishError("busy", "Too many codes are open at the node that serves the page", { retryable: true });
    const given = number ?? this.#freeNumber();
    this.#ended.delete(given);
    this.#held.set(given, { owner, untilMs: nowMs + forMs, heldAtMs: nowMs, line: new Line(this.#parts.clock) });
    return given;
  }

  drop(owner: PeerId, number: number, end: End): void {
    if (this.#held.get(number)?.owner === owner) this.#forget(number, owner, end);
  }

  /** Never rejects. */
  async serve(channel: Channel, place: string): Promise<void> {
    const messages = new Messages(channel, { bytesMax: RECEIVER_BYTES_MAX, messagesMax: CONTROLS_MAX });
    const dismissed = new AbortController();
    const busy = new StarfishError("busy", "Too many people use codes at this node just now: try again in a while", {
      retryable: true,
    });
    const leave = this.#room.enter(place, () => dismissed.abort(busy));
    messages.closed.addEventListener("abort", leave, { once: true });
    const signal = AbortSignal.any([dismissed.signal, this.#closed.signal, messages.closed]);
    try {
      const { clock } = this.#parts;
      const first = await withDeadline(clock, FIRST_WORD_MS, "The first word", (until) => messages.next(until), {
        signal,
      });
      const { number } = decode(wantSchema, first);
      const { line } = this.#find(number);
      const dismiss = (error: StarfishError): void => dismissed.abort(error);
      const end = await withDeadline(clock, LINE_MS, "A turn", (until) => line.enter(place, dismiss, until), {
        signal,
      });
      const known = (): void => {
        end();
        leave();
      };
      try {
        // Meanwhile the code may have ended.
        const { owner } = this.#find(number);
        const asking = { channel, messages, known, signal };
        if (owner === this.#parts.net.self) await this.#serveOwn(number, asking);
        else await this.#carry(owner, number, asking);
      } finally {
        end();
      }
    } catch (caught) {
      const error = toStarfishError(caught, "unreachable");
      this.#parts.log.write("debug", "code.stranger-refused", { place, code: error.code, message: messageOf(error) });
      if (!messages.closed.aborted) refuseStranger(channel, error, this.#parts.clock);
    } finally {
      leave();
    }
  }

  close(): void {
    this.#sweeper.cancel();
    this.#closed.abort(new StarfishError("closed", "This node ends"));
  }

  async #serveOwn(number: number, { channel, messages, signal }: Asking): Promise<void> {
    const offering = this.#parts.own(number);
    if (offering === undefined) throw notKnown();
    await offering.take(channel, messages, signal);
  }

  /**
   * Carries messages between a stranger and a member, until either end is gone. It can reject only before the member
   * has been told of the stranger.
   */
  async #carry(owner: PeerId, number: number, asking: Asking): Promise<void> {
    const sender = await this.#openTo(owner, asking.signal);
    sender.send(encode({ is: "stranger", number }));
    const crowded = new AbortController();
    let giveBack = (): void => {};
    const known = (): void => {
      giveBack = this.#shares.enter(owner, () => crowded.abort());
      asking.known();
    };
    try {
      await carry(sender, { ...asking, known, signal: AbortSignal.any([asking.signal, crowded.signal]) }, this.#parts);
    } finally {
      giveBack();
    }
  }

  async #openTo(owner: PeerId, signal: AbortSignal): Promise<Channel> {
    const { net, clock } = this.#parts;
    try {
      return await withDeadline(
        clock,
        MEET_MS,
        "The sender",
        (until) => net.open(owner, STRANGER_PROTOCOL, { signal: until }),
        {
          signal,
        },
      );
    } catch (error) {
      throw new StarfishError("unreachable", "The sender is out of reach just now: try again in a while", {
        cause: error,
        retryable: true,
      });
    }
  }

  #find(number: number): Held {
    this.#sweep();
    const held = this.#held.get(number);
    if (held !== undefined) return held;
    const ended = this.#ended.get(number);
    if (ended !== undefined) throw new StarfishError("closed", END_WORDS[ended.end]);
    throw notKnown();
  }

  /** The smallest number that is neither open nor remembered, because people tell it to each other. */
  #freeNumber(): number {
    for (let number = 1; number <= NUMBER_MAX; number++) {
      if (!this.#held.has(number) && !this.#ended.has(number)) return number;
    }
    throw new StarfishError("busy", "There is no number left", { retryable: true });
  }

  #forget(number: number, owner: PeerId, end: End): void {
    this.#held.delete(number);
    this.#ended.set(number, { owner, end, untilMs: this.#parts.clock.monotonic() + CODE_MS });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest);
  }

  #sweep(): void {
    const nowMs = this.#parts.clock.monotonic();
    for (const [number, { owner, untilMs, heldAtMs }] of this.#held) {
      if (nowMs >= untilMs) this.#forget(number, owner, "expired");
      else if (nowMs - heldAtMs > HELD_MS) this.#forget(number, owner, "lost");
    }
    for (const [number, { untilMs }] of this.#ended) if (nowMs >= untilMs) this.#ended.delete(number);
  }
}

function notKnown(): StarfishError {
  return new StarfishError(
    "not-found",
    "There is no such code at this node: it may have expired, or belong to another node",
  );
}

/** Passes on the messages of both. Resolves when either is gone. */
async function carry(sender: Channel, asking: Asking, { clock }: DeskParts): Promise<void> {
  const { channel: stranger, messages, known, signal } = asking;
  const over = Promise.withResolvers<void>();
  let said = 0;
  const part = (error: StarfishError): void => {
    stranger.abort(error);
    sender.abort(error);
    over.resolve();
  };
  const gone = new StarfishError("link-closed", "The other end has gone");
  /** The stranger is told why, if it can read that: what comes after the confirmation is sealed. */
  const dismiss = (error: StarfishError): void => {
    if (messages.closed.aborted || said > SAID_BEFORE) return part(gone);
    refuseStranger(stranger, error, clock);
    sender.abort(gone);
    over.resolve();
  };
  const stopped = (): void => dismiss(toStarfishError(signal.reason, "link-closed"));
  signal.addEventListener("abort", stopped, { once: true });
  sender.onMessage((message) => {
    try {
      if (said === SAID_BEFORE) known();
    } catch (error) {
      return dismiss(toStarfishError(error, "busy"));
    }
    said++;
    passOn(stranger, message, part);
  });
  sender.onEnd(() => stranger.end());
  sender.onClose((error) => {
    if (error !== undefined) part(gone);
    else over.resolve();
  });
  try {
    for (;;) passOn(sender, await messages.next(signal), part);
  } catch {
    if (messages.closed.aborted) part(gone);
    // Otherwise the signal's listener has parted them.
    else if (!signal.aborted) sender.end();
  }
  await over.promise;
  signal.removeEventListener("abort", stopped);
}

/** Whoever sends more than the other accepts is disconnected. */
function passOn(to: Channel, message: Uint8Array, part: (error: StarfishError) => void): void {
  try {
    to.send(message);
  } catch (error) {
    part(toStarfishError(error, "busy"));
  }
}
