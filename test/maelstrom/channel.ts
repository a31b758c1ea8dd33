/** One end of a channel over a link of Maelstrom messages. */
import { concat, whole } from "../../core/base/bytes.ts";
import { StarfishError } from "../../core/base/errors.ts";
import { type Message, MESSAGE_BYTES_MAX } from "../../core/ports/network.ts";
import { QueuedChannel } from "../fixtures/queued-channel.ts";
import type { Frame } from "./wire.ts";

/** The most bytes of a message in one frame. */
const PIECE_BYTES = 64 * 1024;

export interface ChannelPorts {
  readonly transmit: (frame: Frame) => void;
  /** Calls `call` later, never within the present call. */
  readonly later: (call: () => void) => void;
  readonly forget: () => void;
}

export class MaelstromChannel extends QueuedChannel<Uint8Array> {
  readonly #id: number;
  readonly #ports: ChannelPorts;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;

  constructor(id: number, protocol: string, ports: ChannelPorts) {
    super(protocol);
    this.#id = id;
    this.#ports = ports;
  }

  /** The link closes its channels when it goes down. */
  protected override get isLinkDown(): boolean {
    return false;
  }

  protected override later(call: () => void): void {
    this.#ports.later(call);
  }

  protected override forget(): void {
    this.#ports.forget();
  }

  protected override transmit(message: Message, length: number): void {
    const bytes = whole(message);
    let at = 0;
    do {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      at += PIECE_BYTES;
      this.#ports.transmit([at < length ? "piece" : "last", this.#id, Buffer.from(piece).toString("base64")]);
    } while (at < length);
  }

  protected override say(what: "end" | "abort"): void {
    this.#ports.transmit([what, this.#id]);
  }

  protected override taking(message: Uint8Array): Uint8Array {
    if (message.length > 0) this.#ports.transmit(["taken", this.#id, message.length]);
    return message;
  }

  /** A part of a message has come. */
  piece(text: string, isLast: boolean): void {
    const bytes = new Uint8Array(Buffer.from(text, "base64"));
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes > MESSAGE_BYTES_MAX) {
      return this.abort(new StarfishError("too-large", "The other end has sent more than a message may have"));
    }
    if (!isLast) return;
    const message = concat(this.#pieces.splice(0));
    this.#pieceBytes = 0;
    this.arrive(message);
  }
}
