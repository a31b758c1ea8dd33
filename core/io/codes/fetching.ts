/**
 * How somebody who is no member fetches what a code is for: it meets the sender through the node that serves the page,
 * is told what there is, and takes it or not. A broken link is set up again, and the fetch resumes where it stopped.
 */
import { equal } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import { cancelled, isStarfishError, StarfishError, throwIfAborted, toStarfishError } from "../../base/errors.ts";
import { Inbox as Messages } from "../../net/links/inbox.ts";
import { type Clock, sleep, withDeadline } from "../../ports/clock.ts";
import type { Channel } from "../../ports/network.ts";
import { Incoming } from "../transfer/incoming.ts";
import { CONTROL_BYTES_MAX, PIECE_BYTES, WINDOW_BYTES } from "../transfer/limits.ts";
import { contentBytes } from "../transfer/pieces.ts";
import type { HashParts } from "../transfer/pieces.ts";
import { refuse } from "../transfer/refusal.ts";
import { controlMessage, type OfferMessage, readMessage, senderSchema } from "../transfer/wire.ts";
import { ContentsSink, type Consume } from "./contents-sink.ts";
import { LOST_MS, MEET_MS, RETRY_MAX_MS, RETRY_MIN_MS } from "./limits.ts";
import { meetSender, type MeetingParts, type Met } from "./meeting.ts";
import type { FetchOffer } from "./types.ts";
import type { Code } from "./words.ts";

export interface FetchParts extends HashParts, MeetingParts {
  readonly clock: Clock;
  /** Connects to the node that serves the page. Rejects with "unreachable". */
  readonly connect: (signal: AbortSignal) => Promise<Channel>;
}

export interface TakeOptions {
  /** Aborting ends it for good, and tells the sender. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: { readonly doneBytes: number; readonly isLinked: boolean }) => void) | undefined;
}

/**
 * The size of a message with a piece, its seal and its type; and the number of messages that may be on their way, with
 * control messages between the pieces.
 */
const MESSAGE_BYTES_MAX = PIECE_BYTES + 64;
const MESSAGES_MAX = WINDOW_BYTES / PIECE_BYTES + 8;

interface Session extends Met {
  readonly messages: Messages;
  readonly offer: OfferMessage;
}

/** Rejects with the reason why there is nothing to fetch, in words for the person. */
export async function fetchByCode(code: Code, parts: FetchParts, signal: AbortSignal): Promise<Found> {
  return new Found(code, parts, await meet(code, parts, undefined, signal));
}

/** What a code is for, while its sender waits for an answer. */
export class Found {
  readonly offer: FetchOffer;
  readonly #code: Code;
  readonly #parts: FetchParts;
  #session: Session;

  constructor(code: Code, parts: FetchParts, session: Session) {
    this.#code = code;
    this.#parts = parts;
    this.#session = session;
    const { title, files, folders, totalBytes, names } = session.offer;
    this.offer = {
      title,
      files,
      folders,
      totalBytes: totalBytes ?? undefined,
      names: names.map(([path, sizeBytes]) => ({ path, sizeBytes: sizeBytes ?? undefined })),
    };
  }

  /** Tells the sender that nobody wants it; the code is over. */
  refuse(): void {
    refuse(this.#session.channel, new StarfishError("refused", "Whoever has the code does not want it"));
  }

  /**
   * Resolves when `consume` has taken everything and the sender knows that. Rejects with "cancelled" (by either side),
   * "closed" (the code is over), "unreachable" (the link broke for good), "malformed" or "corrupt" (it was changed on
   * the way), and the error of `consume`.
   */
  async take(consume: Consume, { signal, onProgress }: TakeOptions): Promise<void> {
    const { offer } = this.#session;
    const tell = (isLinked: boolean): void => {
      const doneBytes = contentBytes(sink.pieces, offer.manifestBytes, offer.totalBytes);
      onProgress?.({ doneBytes, isLinked });
    };
    const sink = new ContentsSink(offer, this.#parts, consume);
    const incoming = new Incoming(offer, sink, {
      ...this.#parts,
      onProgress: () => tell(true),
      onFault: () => {},
    });
    const stop = (): void => {
      const error = cancelled(signal);
      // The sink is told first: ending the transfer would otherwise wait for the consumer.
      void sink.drop(error);
      void incoming.end(error);
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      throwIfAborted(signal);
      while (!incoming.isOver) {
        const { channel, messages } = this.#session;
        await incoming.serve(this.#session.offer, channel, messages);
        if (incoming.isOver) break;
        tell(false);
        const failure = channel.failure ?? (await this.#again(signal));
        if (failure === undefined) tell(true);
        else await incoming.end(failure);
      }
      await incoming.over;
    } catch (error) {
      // When this rejects, nothing half-written is left.
      await sink.drop(toStarfishError(error, "io"));
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /**
   * Looks for the sender again. Resolves to undefined when it has been found, else to the error that ends the fetch.
   */
  async #again(signal: AbortSignal): Promise<StarfishError | undefined> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonic() + LOST_MS;
    const { secret, offer } = this.#session;
    let last = new StarfishError("unreachable", "The link broke, and the sender has not been found again");
    for (let pauseMs = RETRY_MIN_MS; clock.monotonic() < untilMs; pauseMs = Math.min(2 * pauseMs, RETRY_MAX_MS)) {
      try {
        await sleep(clock, pauseMs, { signal });
        const session = await meet(this.#code, this.#parts, secret, signal);
        if (!equal(session.offer.id, offer.id)) return new StarfishError("malformed", "It is another transfer now");
        // The first meeting's secret stays: the other end may not know that this meeting succeeded.
        this.#session = { ...session, secret };
        return undefined;
      } catch (caught) {
        last = toStarfishError(caught, "unreachable");
        if (signal.aborted || !isWorthAnotherTry(last)) return last;
      }
    }
    return last;
  }
}

function isWorthAnotherTry(error: StarfishError): boolean {
  return (["unreachable", "link-closed", "timeout", "busy"] as const).some((code) => isStarfishError(error, code));
}

/** Meets the sender, and returns when its offer has come. */
async function meet(
  code: Code,
  parts: FetchParts,
  secret: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<Session> {
  const channel = await parts.connect(signal);
  const messages = new Messages(channel, { bytesMax: MESSAGE_BYTES_MAX, messagesMax: MESSAGES_MAX });
  try {
    return await withDeadline(
      parts.clock,
      2 * MEET_MS,
      "The sender's answer",
      async (until) => {
        channel.send(encode({ is: "want", number: code.number }));
        const met = await meetSender(channel, messages, { code: code.text, secret, signal: until }, parts);
        const inner = new Messages(met.channel, { bytesMax: MESSAGE_BYTES_MAX, messagesMax: MESSAGES_MAX });
        const said = readMessage(senderSchema, await inner.next(until), CONTROL_BYTES_MAX);
        if (said instanceof Uint8Array || said.is !== "offer")
          throw new StarfishError("malformed", "The sender does not say what it is");
        // Lets the sender say that somebody is looking at it.
        met.channel.send(controlMessage({ is: "waiting", hasPerson: true }));
        return { ...met, messages: inner, offer: said };
      },
      { signal },
    );
  } catch (error) {
    channel.abort(toStarfishError(error, "unreachable"));
    throw error;
  }
}
