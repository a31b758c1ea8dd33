/**
 * One code that is open, at its sender: counts wrong guesses, lets whoever knows the words look, and sends to the one
 * who begins to fetch. From then on the code is good for that one alone, who may come back when the link breaks.
 */
import type { Bytes } from "../../base/bytes.ts";
import { isStarfishError, StarfishError, toStarfishError } from "../../base/errors.ts";
import { WaitingRoom } from "../../base/waiting-room.ts";
import type { Inbox as Messages } from "../../net/links/inbox.ts";
import { abortable, type Clock, type Timer, withDeadline } from "../../ports/clock.ts";
import type { Channel } from "../../ports/network.ts";
import { Outgoing, type Way } from "../transfer/outgoing.ts";
import type { HashParts } from "../transfer/pieces.ts";
import type { SendProgress, TransferSource } from "../transfer/types.ts";
import { CODE_MS, LOST_MS, MEET_MS, MEETINGS_MAX, MEETINGS_PER_MINUTE_MAX, WRONG_MAX } from "./limits.ts";
import { type MeetingParts, type Met, meetReceiver, passwordOf } from "./meeting.ts";
import type { CodeProgress, CodeState } from "./types.ts";
import { type End, END_WORDS, refuseStranger } from "./wire.ts";
import type { Code } from "./words.ts";

export interface OfferingParts extends HashParts, MeetingParts {
  readonly clock: Clock;
}

export class Offering {
  readonly code: Code;
  readonly #parts: OfferingParts;
  readonly #signal: AbortSignal;
  readonly #onProgress: (progress: CodeProgress) => void;
  readonly #stop = new AbortController();
  readonly #untilMs: number;
  #transfer: Outgoing | undefined;
  #progress: SendProgress | undefined;
  #end: End | undefined;
  #wrong = 0;
  /** When it is full, the oldest meeting gives way to a new one: somebody who knows the words needs only a moment. */
  readonly #meetings = new WaitingRoom(2 * MEETINGS_MAX);
  /** When the present minute began, and how many meetings have begun in it. */
  #minute: { readonly beganMs: number; meetings: number } = { beganMs: -Infinity, meetings: 0 };
  /** The receiver that the transfer talks to now, and one that has met this end since then. */
  #current: Met | undefined;
  #next: Met | undefined;
  #wake: () => void = () => {};
  /** Recognises, at its next meeting, the receiver that looks at the offer or has begun to fetch. */
  #secret: Bytes | undefined;
  #hasBegun = false;
  #lost: Timer | undefined;
  #isReachable = true;

  constructor(
    code: Code,
    parts: OfferingParts,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: CodeProgress) => void },
  ) {
    this.code = code;
    this.#parts = parts;
    this.#onProgress = options.onProgress;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#untilMs = parts.clock.monotonic() + CODE_MS;
  }

  /** Undefined as long as it is open. */
  get end(): End | undefined {
    return this.#end;
  }

  /**
   * How long the number is still needed. After a fetch has begun it is needed for longer, because the receiver may come
   * back.
   */
  get neededMs(): number {
    return this.#hasBegun ? CODE_MS : Math.max(1, Math.ceil(this.leftMs));
  }

  get leftMs(): number {
    return Math.max(0, this.#untilMs - this.#parts.clock.monotonic());
  }

  /** Whether the node that serves the page knows of it. */
  set isReachable(is: boolean) {
    if (is === this.#isReachable) return;
    this.#isReachable = is;
    this.#tell();
  }

  /** Resolves when it has been fetched; rejects as `OpenCode.fetched`. */
  async run(source: TransferSource): Promise<void> {
    const { clock } = this.#parts;
    const expiry = clock.timer(this.leftMs, () => {
      if (this.#hasBegun) return;
      this.#over("expired", "timeout", "The hour is over and nobody has fetched it: the code is no longer valid");
    });
    try {
      this.#transfer = await Outgoing.of({ ...this.#parts, way: this.#way }, "", source, {
        signal: this.#signal,
        onProgress: (progress) => this.#sends(progress),
      });
      this.#tell();
      await this.#transfer.run();
      this.#end ??= "fetched";
    } catch (error) {
      this.#end ??= isStarfishError(error, "cancelled") || isStarfishError(error, "refused") ? "cancelled" : "lost";
      throw error;
    } finally {
      expiry.cancel();
      this.#lost?.cancel();
      // The transfer itself has told its own receiver; this one may still wait for its turn.
      drop(this.#next, "The code is over");
    }
  }

  /** Ends it from outside. */
  stop(error: StarfishError): void {
    this.#end ??= "lost";
    this.#stop.abort(error);
  }

  /**
   * Meets somebody who claims to have the code, until the signal aborts. Resolves when it is known whether they have
   * it. Never rejects.
   */
  async take(channel: Channel, messages: Messages, until?: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    try {
      if (this.#end !== undefined) throw closedFor(this.#end);
      if (!this.#isInPace()) throw busy();
      const slow = new AbortController();
      const leave = this.#meetings.enter("", () => slow.abort(busy()));
      let isAgain = false;
      const judge = {
        password: (again: boolean) => this.#password(again),
        judge: (isRight: boolean, again: boolean) => {
          isAgain = again;
          this.#judge(isRight, again);
        },
      };
      const met = await withDeadline(
        clock,
        MEET_MS,
        "A code",
        (signal) => meetReceiver(channel, messages, judge, this.#parts, signal),
        { signal: AbortSignal.any([this.#signal, slow.signal, ...(until === undefined ? [] : [until])]) },
      ).finally(leave);
      if (!isAgain) this.#secret = met.secret;
      this.#met(met, messages);
    } catch (caught) {
      const error = this.#end === undefined ? toStarfishError(caught, "unreachable") : closedFor(this.#end);
      if (messages.closed.aborted) channel.abort(error);
      else refuseStranger(channel, error, clock);
    }
  }

  #isInPace(): boolean {
    const nowMs = this.#parts.clock.monotonic();
    if (nowMs - this.#minute.beganMs > 60_000) this.#minute = { beganMs: nowMs, meetings: 0 };
    return ++this.#minute.meetings <= MEETINGS_PER_MINUTE_MAX;
  }

  /** Throws "closed". */
  #checkOpen(again: boolean): void {
    if (this.#end !== undefined || this.#signal.aborted) throw closedFor(this.#end ?? "cancelled");
    if (this.#hasBegun && !again) throw closedFor("fetched");
  }

  #password(again: boolean): Bytes {
    this.#checkOpen(again);
    if (again && this.#secret === undefined) throw new StarfishError("malformed", "Nobody has this code yet");
    return passwordOf(this.code.text, again ? this.#secret : undefined);
  }

  #judge(isRight: boolean, again: boolean): void {
    // Several may try at once: meanwhile another one may have made the last wrong guess, or begun to fetch.
    this.#checkOpen(again);
    if (isRight) return;
    if (again) throw new StarfishError("refused", "Somebody else has opened this code meanwhile");
    this.#wrong++;
    if (this.#wrong >= WRONG_MAX) {
      this.#over(
        "guessed",
        "refused",
        `${WRONG_MAX} wrong guesses: the code is no longer valid, and nobody has got anything. 'send --code' makes another one`,
      );
      throw closedFor("guessed");
    }
    this.#tell();
    const left = WRONG_MAX - this.#wrong;
    throw new StarfishError(
      "refused",
      `Those are not the words. ${left === 1 ? "One more wrong guess ends" : `${left} more wrong guesses end`} the code`,
    );
  }

  #met(met: Met, messages: Messages): void {
    this.#lost?.cancel();
    this.#lost = undefined;
    const before = [this.#next, this.#current];
    this.#next = met;
    messages.closed.addEventListener("abort", () => this.#left(met), { once: true });
    if (messages.closed.aborted) this.#left(met);
    // The newest one is kept: it has the words from the same person, or is the same person again.
    for (const one of before) drop(one, "It was opened with the same code elsewhere");
    this.#wake();
  }

  /** The link to this one is gone. */
  #left(met: Met): void {
    if (this.#next === met) this.#next = undefined;
    if (this.#current === met) this.#current = undefined;
    if (!this.#hasBegun || this.#next !== undefined || this.#current !== undefined) return;
    this.#lost ??= this.#parts.clock.timer(LOST_MS, () =>
      this.#over(
        "lost",
        "unreachable",
        `The link broke, and whoever was fetching it has not come back for ${LOST_MS / 60_000} minutes: it has not arrived`,
      ),
    );
  }

  #over(end: End, code: "timeout" | "refused" | "unreachable", message: string): void {
    this.#end ??= end;
    this.#stop.abort(new StarfishError(code, message));
  }

  /** How the transfer reaches its receiver: it waits until the next one has proved that it knows the words. */
  get #way(): Way {
    return {
      name: () => "whoever has the code",
      // This class has deadlines of its own (the hour, LOST_MS), so the transfer has none. A receiver may also leave
      // before it has said anything.
      patienceMs: Infinity,
      firstMs: Infinity,
      open: async (signal) => {
        while (this.#next === undefined) await abortable(signal, new Promise<void>((wake) => (this.#wake = wake)));
        this.#current = this.#next;
        this.#next = undefined;
        return this.#current.channel;
      },
    };
  }

  #sends(progress: SendProgress): void {
    this.#progress = progress;
    const { state } = progress;
    if (state === "checking" || state === "sending") this.#hasBegun = true;
    this.#tell();
  }

  get #state(): CodeState {
    const state = this.#progress?.state;
    if (state === "checking" || state === "sending") return "sending";
    if (this.#hasBegun) return "interrupted";
    return state === "waiting" && this.#current !== undefined ? "looking" : "open";
  }

  #tell(): void {
    const info = this.#transfer?.info;
    this.#onProgress({
      state: this.#state,
      wrong: this.#wrong,
      doneBytes: info?.doneBytes ?? 0,
      totalBytes: info?.totalBytes,
      leftMs: this.leftMs,
      isReachable: this.#isReachable,
    });
  }
}

function drop(met: Met | undefined, why: string): void {
  met?.channel.abort(new StarfishError("link-closed", why));
}

function busy(): StarfishError {
  return new StarfishError("busy", "Others try this code just now: try again in a while", { retryable: true });
}

function closedFor(end: End): StarfishError {
  return new StarfishError("closed", END_WORDS[end]);
}
