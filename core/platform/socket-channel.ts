/**
 * A channel of the port Network over one WebSocket, for somebody who is no member: without libp2p, and with nothing
 * else on the socket. Each message of the channel is one message of the socket. An empty message of the socket means
 * that this end has sent everything, and one of a single byte that it is still there. Messages of a channel are longer.
 */
import { type Bytes, lengthOf, whole } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { abortable, type Clock, every, type Timer, withDeadline } from "../ports/clock.ts";
import { type Channel, CHANNEL_BUFFER_BYTES, type Message, MESSAGE_BYTES_MAX } from "../ports/network.ts";

/** What browsers' WebSockets and those of `ws` have in common. */
export interface Socket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
  /** Closes the socket without waiting for the other end; browsers have no such method. */
  terminate?(): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
}

export interface SocketChannelOptions {
  readonly clock: Clock;
  /** The longest message that is received. */
  readonly bytesMax?: number;
  /** The channel ends if nothing has come for this long. */
  readonly idleMs?: number;
  /** How often this end says that it is still there. */
  readonly signMs?: number;
}

const OPEN = 1;
const OPEN_MS = 10_000;
/** How often to look whether the socket has sent what it was given, since a browser's socket does not tell. */
const LOOK_MS = 20;
const END = new Uint8Array(0);
const SIGN: Uint8Array<ArrayBuffer> = Uint8Array.of(0);
/** Messages that wait until a receiver is set: the first ones of an exchange. */
const WAITING_MAX = 16;

/** Resolves when the socket is open. Rejects with "unreachable", "cancelled". */
export async function openSocketChannel(
  socket: Socket,
  where: string,
  options: SocketChannelOptions & { readonly signal: AbortSignal },
): Promise<Channel> {
  const { clock, signal } = options;
  const channel = new SocketChannel(socket, options);
  const opened = new Promise<void>((resolve, reject) => {
    const fail = (): void =>
      reject(new StarfishError("unreachable", `${where} does not answer: is the address right, and the node there?`));
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", fail);
    socket.addEventListener("close", fail);
  });
  opened.catch(() => {});
  try {
    await withDeadline(clock, OPEN_MS, where, (until) => abortable(until, opened), { signal });
    return channel;
  } catch (error) {
    channel.abort(new StarfishError("closed", "It took too long"));
    throw error;
  }
}

/** Takes the socket over, whose `binaryType` must be "arraybuffer". */
export class SocketChannel implements Channel {
  readonly protocol = "code";
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #signs: Timer | undefined;
  readonly #idle: { readonly ms: number; timer: Timer } | undefined;
  #waiting: Uint8Array[] = [];
  #receive: ((message: Uint8Array) => void) | undefined;
  #onEnd: (() => void) | undefined;
  #onClose: ((error: StarfishError | undefined) => void) | undefined;
  #hasEnded = false;
  #otherHasEnded = false;
  #closed: { readonly error: StarfishError | undefined } | undefined;

  constructor(socket: Socket, { clock, bytesMax = MESSAGE_BYTES_MAX, idleMs, signMs }: SocketChannelOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#bytesMax = bytesMax;
    this.#idle = idleMs === undefined ? undefined : { ms: idleMs, timer: this.#idleTimer(idleMs) };
    this.#signs = signMs === undefined ? undefined : every(clock, signMs, () => this.#put(SIGN));
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", () => this.#close(gone()));
    // "close" follows.
    socket.addEventListener("error", () => {});
  }

  send(message: Message): boolean {
    const length = lengthOf(message);
    if (length > MESSAGE_BYTES_MAX) throw new StarfishError("too-large", `A message of ${length} bytes`);
    if (this.#closed !== undefined || this.#hasEnded) return false;
    if (this.#socket.bufferedAmount + length > 2 * CHANNEL_BUFFER_BYTES)
      throw new StarfishError("busy", "More than a channel holds waits to be sent", { retryable: true });
    this.#put(whole(message));
    return this.#socket.bufferedAmount <= CHANNEL_BUFFER_BYTES;
  }

  async drained(): Promise<void> {
    while (this.#closed === undefined && this.#socket.bufferedAmount > CHANNEL_BUFFER_BYTES)
      await new Promise<void>((resolve) => this.#clock.timer(LOOK_MS, resolve));
  }

  end(): void {
    if (this.#closed !== undefined || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#put(END);
    if (this.#otherHasEnded) this.#close(undefined);
  }

  abort(error: StarfishError): void {
    this.#close(error);
  }

  onMessage(receive: (message: Uint8Array) => void): void {
    this.#receive = receive;
    queueMicrotask(() => {
      for (const message of this.#waiting.splice(0)) receive(message);
      this.#tellEnd();
    });
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    queueMicrotask(() => this.#tellEnd());
  }

  onClose(listener: (error: StarfishError | undefined) => void): void {
    this.#onClose = listener;
    if (this.#closed !== undefined) queueMicrotask(() => this.#tellClosed());
  }

  #put(bytes: Bytes): void {
    if (this.#socket.readyState !== OPEN) return;
    // A socket may keep what it is given until it is sent.
    this.#socket.send(bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes));
  }

  #take(data: unknown): void {
    if (this.#closed !== undefined || this.#otherHasEnded) return;
    if (!(data instanceof ArrayBuffer))
      return this.#close(new StarfishError("malformed", "Only bytes are spoken here"));
    this.#idle?.timer.cancel();
    if (this.#idle !== undefined) this.#idle.timer = this.#idleTimer(this.#idle.ms);
    if (data.byteLength > this.#bytesMax)
      return this.#close(new StarfishError("too-large", `A message of ${data.byteLength} bytes`));
    if (data.byteLength === SIGN.length) return;
    if (data.byteLength > 0) return this.#deliver(new Uint8Array(data));
    this.#otherHasEnded = true;
    this.#tellEnd();
    if (this.#hasEnded) this.#close(undefined);
  }

  #deliver(message: Uint8Array): void {
    if (this.#receive !== undefined && this.#waiting.length === 0) return this.#receive(message);
    if (this.#waiting.length >= WAITING_MAX)
      return this.#close(new StarfishError("busy", "Nobody receives what the other end sends"));
    this.#waiting.push(message);
  }

  #tellEnd(): void {
    if (!this.#otherHasEnded || this.#waiting.length > 0) return;
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    onEnd?.();
  }

  #close(error: StarfishError | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#signs?.cancel();
    this.#idle?.timer.cancel();
    if (error !== undefined && this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#socket.close();
    queueMicrotask(() => this.#tellClosed());
  }

  #tellClosed(): void {
    const onClose = this.#onClose;
    this.#onClose = undefined;
    onClose?.(this.#closed?.error);
  }

  #idleTimer(ms: number): Timer {
    return this.#clock.timer(ms, () => this.#close(new StarfishError("timeout", "Nothing has come for too long")));
  }
}

function gone(): StarfishError {
  return new StarfishError("link-closed", "The connection or its other end has gone", { retryable: true });
}
