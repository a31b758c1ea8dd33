/**
 * The frames of one link, over messages that Maelstrom may delay or reorder, and lose while the network is cut. Frames
 * are numbered, sent again until they are acknowledged, and delivered in order, each once. A window bounds the frames
 * under way; the channels bound those that wait for the window.
 */
import type { Clock, Timer } from "../../core/ports/clock.ts";

/** Plain JSON, since Maelstrom's messages are. */
export type Frame = readonly [kind: string, ...rest: (string | number | null)[]];

/** What goes into the body of a Maelstrom message. */
export interface Packet {
  readonly type: "link";
  /** The id of the link, drawn by its dialler. */
  readonly link: string;
  /** Number of the frame, from 1; none if it acknowledges only. */
  readonly seq?: number;
  readonly frame?: Frame;
  /** The sender has taken in all frames up to this one. */
  readonly ack: number;
}

/** Frames under way: a message of 1 MiB is 16 of them. */
const WINDOW = 32;
const RESEND_MS_MIN = 250;
const RESEND_MS_MAX = 2_000;
/** Frames that came before their turn; an honest other end does not send more. */
const EARLY_MAX: number = 2 * WINDOW;

export interface WirePorts {
  readonly clock: Clock;
  readonly send: (packet: Packet) => void;
  readonly receive: (frame: Frame) => void;
  /** Called when the other end has acknowledged nothing for so long that it counts as gone. */
  readonly broken: () => void;
  readonly brokenAfterMs: number;
}

export class Wire {
  readonly #id: string;
  readonly #ports: WirePorts;
  readonly #waiting: Frame[] = [];
  readonly #underWay = new Map<number, Frame>();
  readonly #early = new Map<number, Frame>();
  #lastSeq = 0;
  #taken = 0;
  #timer: Timer | undefined;
  #resendMs = RESEND_MS_MIN;
  #heardMs: number;
  #closed = false;

  constructor(id: string, ports: WirePorts) {
    this.#id = id;
    this.#ports = ports;
    this.#heardMs = ports.clock.monotonic();
  }

  /** Whether the other end has acknowledged everything. */
  get isDone(): boolean {
    return this.#waiting.length === 0 && this.#underWay.size === 0;
  }

  send(frame: Frame): void {
    if (this.#closed) return;
    if (this.isDone) this.#heardMs = this.#ports.clock.monotonic();
    this.#waiting.push(frame);
    this.#fill();
  }

  receive({ seq, frame, ack }: Packet): void {
    if (this.#closed) return;
    this.#acknowledged(ack);
    if (seq === undefined || frame === undefined) return;
    if (seq > this.#taken && this.#early.size < EARLY_MAX) this.#early.set(seq, frame);
    for (;;) {
      const next = this.#early.get(this.#taken + 1);
      if (next === undefined) break;
      this.#early.delete(++this.#taken);
      this.#ports.receive(next);
    }
    this.#ports.send({ type: "link", link: this.#id, ack: this.#taken });
    this.#fill();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #acknowledged(ack: number): void {
    let isNews = false;
    for (const seq of this.#underWay.keys()) if (seq <= ack && this.#underWay.delete(seq)) isNews = true;
    if (!isNews) return;
    this.#heardMs = this.#ports.clock.monotonic();
    this.#resendMs = RESEND_MS_MIN;
    this.#arm();
  }

  #fill(): void {
    while (this.#underWay.size < WINDOW) {
      const frame = this.#waiting.shift();
      if (frame === undefined) return;
      this.#underWay.set(++this.#lastSeq, frame);
      this.#transmit(this.#lastSeq, frame);
      if (this.#timer === undefined) this.#arm();
    }
  }

  #transmit(seq: number, frame: Frame): void {
    this.#ports.send({ type: "link", link: this.#id, seq, frame, ack: this.#taken });
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#underWay.size === 0 || this.#closed) return;
    this.#timer = this.#ports.clock.timer(this.#resendMs, () => this.#resend());
  }

  #resend(): void {
    const { clock, brokenAfterMs, broken } = this.#ports;
    if (clock.monotonic() - this.#heardMs > brokenAfterMs) return broken();
    this.#resendMs = Math.min(RESEND_MS_MAX, 2 * this.#resendMs);
    for (const [seq, frame] of this.#underWay) this.#transmit(seq, frame);
    this.#arm();
  }
}
