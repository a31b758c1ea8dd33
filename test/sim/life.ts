/**
 * A simulated machine, and its lives. A machine has a name and keeps its disk. A life is one run of the program on it,
 * from start to crash. When a life is over, nothing that belongs to it does anything more: its timers do not fire and
 * its calls do not answer, as in a killed process.
 */
import { Mixer } from "./mixer.ts";
import type { SimEvent } from "./scheduler.ts";

export interface Life {
  alive: boolean;
}

export interface Counters {
  messages: number;
  bytes: number;
}

export interface MachineOptions {
  readonly name: string;
  /** A node can be dialled at its address; a tab only through someone that is linked to both. */
  readonly kind: "node" | "tab";
  /** How far its wall clock is ahead of the truth, ms. */
  readonly skewMs?: number;
  /** How fast its monotonic clock and timers run: 1.0001 gains 0.1 ms a second. */
  readonly drift?: number;
  /** Timers fire once a second only, as in a hidden tab. */
  readonly throttled?: boolean;
  /** How fast it computes, 1 being usual. */
  readonly speed?: number;
  readonly cores?: number;
  /** What all its links together can send, bytes per second. */
  readonly uplinkBytesPerSecond?: number;
  /** Why it takes no direct links through an introducer ("no WebRTC in this browser"). */
  readonly relayReason?: string;
}

export class Machine {
  readonly name: string;
  /** Stands for the name in trace hashes. */
  readonly mark: number;
  readonly kind: "node" | "tab";
  readonly relayReason: string | undefined;
  readonly uplinkBytesPerMs: number;
  readonly drift: number;
  readonly speed: number;
  readonly cores: number;
  skewMs: number;
  throttled: boolean;
  /**
   * Neither timers nor messages get through, and peers see nothing: a frozen tab, a stopped process, a sleeping laptop.
   */
  frozen = false;
  /** Timers that came due while frozen. */
  readonly held: SimEvent[] = [];
  /** Crashed without a trace, so that not even its machine answers. */
  silent = false;
  uplinkBusyUntilMs = 0;

  /** Whole messages of channels, without the protocol's own frames; forwarded is what went through as a relay. */
  readonly sent: Counters = { messages: 0, bytes: 0 };
  readonly received: Counters = { messages: 0, bytes: 0 };
  readonly forwarded: Counters = { messages: 0, bytes: 0 };
  readonly sentByProtocol: Map<string, Counters> = new Map();

  constructor(options: MachineOptions) {
    this.name = options.name;
    this.mark = new Mixer().text(options.name).next();
    this.kind = options.kind;
    this.relayReason = options.relayReason;
    this.uplinkBytesPerMs = (options.uplinkBytesPerSecond ?? Infinity) / 1000;
    this.drift = options.drift ?? 1;
    this.speed = options.speed ?? 1;
    this.cores = options.cores ?? 4;
    this.skewMs = options.skewMs ?? 0;
    this.throttled = options.throttled ?? false;
  }
}
