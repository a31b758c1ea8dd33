/**
 * One direction of a simulated connection. Frames take their turn on the wire, travel, and arrive in order. A lost
 * packet only delays them (a transport retransmits). Across a cut they wait until it heals, or the connection breaks.
 *
 * Simpler than reality: the channels of a connection share one queue, so that a large message delays those behind it,
 * where real muxers interleave pieces of 16 to 64 KiB.
 */
import type { SimChannel } from "./channel.ts";
import type { Fabric } from "./fabric.ts";
import type { Machine } from "./life.ts";
import type { Mixer } from "./mixer.ts";
import { SimEvent } from "./scheduler.ts";

/** What a path does to packets, in one direction. */
export interface Path {
  readonly latencyMs: number;
  /** Added to the latency: uniform in [0, jitterMs). */
  readonly jitterMs: number;
  /** Chance of each packet to be lost. */
  readonly loss: number;
  readonly bytesPerSecond: number;
}

export const FRAME = { up: 0, message: 1, open: 2, accept: 3, refuse: 4, end: 5, abort: 6, fin: 7 } as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** The bytes that a muxer and encryption add to a message. */
const FRAME_OVERHEAD_BYTES = 30;
const PACKET_BYTES = 1200;
/** Linux never waits less than this for an acknowledgement. */
const RETRANSMIT_MS_MIN = 200;
/** The longest time from the end of a cut to the next retransmission: timers have backed off meanwhile. */
const RESUME_MS_MAX = 3000;

export class Frame extends SimEvent {
  readonly pipe: Pipe;
  readonly kind: FrameKind;
  readonly channel: number;
  readonly payload: Uint8Array;
  readonly sender: SimChannel | undefined;

  constructor(pipe: Pipe, kind: FrameKind, channel: number, payload: Uint8Array, sender: SimChannel | undefined) {
    super();
    this.pipe = pipe;
    this.kind = kind;
    this.channel = channel;
    this.payload = payload;
    this.sender = sender;
  }

  run(): void {
    this.pipe.arrive(this);
  }

  trace(hash: Mixer): void {
    hash
      .word(this.pipe.from.mark)
      .word(this.pipe.to.mark)
      .word((this.channel << 3) | this.kind)
      .bytes(this.payload);
  }
}

export class Pipe {
  readonly from: Machine;
  readonly to: Machine;
  readonly via: Machine | undefined;
  /** Takes what arrives. */
  receive: (frame: Frame) => void = () => {};
  /** Called when loss has kept the pipe from delivering for too long. */
  broken: () => void = () => {};
  readonly #fabric: Fabric;
  #path: Path;
  #pathVersion: number;
  #busyUntilMs = 0;
  #lastArrivalMs = 0;
  #stalled: Frame[] | undefined;
  #stalledSinceMs = 0;
  #resuming = false;

  constructor(fabric: Fabric, from: Machine, to: Machine, via: Machine | undefined) {
    this.#fabric = fabric;
    this.from = from;
    this.to = to;
    this.via = via;
    this.#path = fabric.path(from, to, via);
    this.#pathVersion = fabric.pathVersion;
  }

  get cut(): boolean {
    return this.#fabric.cut(this.from, this.to, this.via);
  }

  transmit(frame: Frame): void {
    const fabric = this.#fabric;
    if (this.#pathVersion !== fabric.pathVersion) {
      this.#path = fabric.path(this.from, this.to, this.via);
      this.#pathVersion = fabric.pathVersion;
    }
    const path = this.#path;
    const nowMs = fabric.scheduler.nowMs;
    const bytes = frame.payload.length + FRAME_OVERHEAD_BYTES;
    const sentMs = this.#serialise(bytes, nowMs, path);
    let travelMs = path.latencyMs + fabric.random.real() * path.jitterMs;
    if (path.loss > 0) {
      const lostMs = retransmissionMs(fabric, path, bytes);
      if (lostMs > fabric.breakAfterMs) return this.broken();
      travelMs += lostMs;
    }
    const arrivalMs = Math.max(this.#lastArrivalMs, sentMs + travelMs);
    this.#lastArrivalMs = arrivalMs;
    fabric.scheduler.post(frame, arrivalMs);
  }

  arrive(frame: Frame): void {
    if (this.#stalled !== undefined) {
      this.#stalled.push(frame);
    } else if (this.#fabric.disturbed && this.cut) {
      this.#stalled = [frame];
      this.#stalledSinceMs = this.#fabric.scheduler.nowMs;
    } else {
      this.receive(frame);
    }
  }

  /** The cut is healed: waiting frames go on when the retransmission timer fires, which has backed off meanwhile. */
  resume(): void {
    if (this.#stalled === undefined || this.#resuming) return;
    this.#resuming = true;
    const { scheduler, random } = this.#fabric;
    const backedOffMs = Math.min(RESUME_MS_MAX, scheduler.nowMs - this.#stalledSinceMs);
    scheduler.after(this.#path.latencyMs + random.real() * backedOffMs, "resume", () => this.#flush());
  }

  /** Delivers the first waiting frame, and the next one in an event of its own. */
  #flush(): void {
    const frame = this.cut ? undefined : this.#stalled?.shift();
    if (frame === undefined) {
      this.#resuming = false;
      if (this.#stalled?.length === 0) this.#stalled = undefined;
      return;
    }
    this.#fabric.scheduler.after(0, "resume", () => this.#flush());
    this.receive(frame);
  }

  /** When the last of `bytes` leaves the sender. */
  #serialise(bytes: number, nowMs: number, path: Path): number {
    const { uplinkBytesPerMs } = this.from;
    let startMs = Math.max(nowMs, this.#busyUntilMs);
    let sentMs = startMs + (bytes * 1000) / path.bytesPerSecond;
    if (uplinkBytesPerMs !== Infinity) {
      startMs = Math.max(startMs, this.from.uplinkBusyUntilMs);
      this.from.uplinkBusyUntilMs = startMs + bytes / uplinkBytesPerMs;
      sentMs = Math.max(startMs + (bytes * 1000) / path.bytesPerSecond, this.from.uplinkBusyUntilMs);
    }
    this.#busyUntilMs = sentMs;
    return sentMs;
  }
}

/** How long `bytes` are delayed by the loss of packets; the time-out doubles with each loss of the same one. */
export function retransmissionMs(fabric: Fabric, path: Path, bytes: number): number {
  const lossOfAny = bytes <= PACKET_BYTES ? path.loss : 1 - (1 - path.loss) ** Math.ceil(bytes / PACKET_BYTES);
  if (fabric.random.real() >= lossOfAny) return 0;
  let timeoutMs = Math.max(RETRANSMIT_MS_MIN, 2 * path.latencyMs + 4 * path.jitterMs);
  let totalMs = timeoutMs;
  while (fabric.random.real() < path.loss && totalMs <= fabric.breakAfterMs) {
    timeoutMs *= 2;
    totalMs += timeoutMs;
  }
  return totalMs;
}
