/**
 * A line between two tabs of one browser: a BroadcastChannel that only these two know, used as a connection of libp2p.
 * It needs no server and no network, so a tab whose node is dead can reach the others. The browser does not tell when a
 * tab goes, so each end holds a Web Lock, and waits for the other end's.
 */
import type { AbortOptions } from "@libp2p/interface";
import { AbstractMultiaddrConnection, type AbstractMultiaddrConnectionInit, type SendResult } from "@libp2p/utils";
import type { Uint8ArrayList } from "uint8arraylist";

/** Bytes that were sent and not taken by the other end yet: above it writers wait, below half of it they go on. */
const UNTAKEN_BYTES_MAX = 1024 * 1024;

export type Side = "caller" | "called";

export interface LineInit extends AbstractMultiaddrConnectionInit {
  /** Known only to the two ends. */
  readonly line: string;
  readonly side: Side;
}

export class TabLine extends AbstractMultiaddrConnection {
  readonly #channel: BroadcastChannel;
  readonly #ended = new AbortController();
  #untaken = 0;
  #isFull = false;
  #isPaused = false;
  /** Bytes received while paused, for which no receipt has been sent. */
  #held = 0;

  constructor({ line, side, ...init }: LineInit) {
    super(init);
    this.#channel = new BroadcastChannel(`starfish/line/${line}`);
    this.#channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => this.#receive(data));
    void this.#watch(`starfish/line/${line}/${side === "caller" ? "called" : "caller"}`);
  }

  /**
   * Holds the lock that says that this end is there. Resolves when it is held; the signal, or the end of the tab,
   * releases it.
   */
  static hold(line: string, side: Side, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      void navigator.locks.request(`starfish/line/${line}/${side}`, () => {
        resolve();
        return new Promise<void>((release) => signal.addEventListener("abort", () => release(), { once: true }));
      });
    });
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  override sendData(data: Uint8ArrayList): SendResult {
    // A copy, because a part of a larger buffer would be sent with all of it.
    const bytes = data.slice();
    this.#channel.postMessage(bytes);
    this.#untaken += bytes.length;
    this.#isFull = this.#untaken > UNTAKEN_BYTES_MAX;
    return { sentBytes: bytes.length, canSendMore: !this.#isFull };
  }

  override sendClose(options?: AbortOptions): Promise<void> {
    this.#end();
    options?.signal?.throwIfAborted();
    return Promise.resolve();
  }

  override sendReset(): void {
    this.#end();
  }

  override sendPause(): void {
    this.#isPaused = true;
  }

  override sendResume(): void {
    this.#isPaused = false;
    if (this.#held > 0) this.#channel.postMessage(this.#held);
    this.#held = 0;
  }

  #receive(data: unknown): void {
    if (data instanceof Uint8Array) {
      if (this.#isPaused) this.#held += data.length;
      else this.#channel.postMessage(data.length);
      this.onData(data);
    } else if (typeof data === "number" && data > 0) {
      this.#untaken = Math.max(0, this.#untaken - data);
      if (!this.#isFull || this.#untaken > UNTAKEN_BYTES_MAX / 2) return;
      this.#isFull = false;
      this.safeDispatchEvent("drain");
    } else if (data === "end") {
      this.#close();
      this.onTransportClosed();
    }
  }

  /** Waits for the other end's lock, which is free when its tab has gone in any way. */
  async #watch(name: string): Promise<void> {
    try {
      await navigator.locks.request(name, { signal: this.#ended.signal }, () => {});
      this.#close();
      this.onTransportClosed();
    } catch {
      // This end has gone first.
    }
  }

  #end(): void {
    if (this.#ended.signal.aborted) return;
    this.#channel.postMessage("end");
    this.#close();
    queueMicrotask(() => this.onTransportClosed());
  }

  #close(): void {
    this.#ended.abort();
    this.#channel.close();
  }
}
