/** A channel within one process. When neither end has more to say, all its messages are delivered at once. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Bytes } from "../../core/base/bytes.ts";
import type { StarfishError } from "../../core/base/errors.ts";
import type { Channel } from "../../core/ports/network.ts";

export class Wire {
  readonly left: Channel;
  readonly right: Channel;
  /** Bytes of all messages. */
  bytes = 0;
  /** How often messages have been delivered: on a real path, each costs a latency. */
  trips = 0;
  #isOver = false;
  readonly #ends = [new WireEnd(), new WireEnd()] as const;

  constructor() {
    [this.left, this.right] = this.#ends;
  }

  /** Lets messages travel until all these promises are settled; returns their results. */
  async carry<Result>(talks: readonly Promise<Result>[]): Promise<Result[]> {
    const over = Promise.all(talks).finally(() => (this.#isOver = true));
    // It is awaited below, once the loop has ended.
    over.catch(() => {});
    const [left, right] = this.#ends;
    while (!this.#isOver) {
      await nextTurn();
      const [toRight, toLeft] = [left.sent.splice(0), right.sent.splice(0)];
      if (toRight.length + toLeft.length > 0) this.trips++;
      for (const message of [...toRight, ...toLeft]) this.bytes += message.length;
      for (const message of toRight) right.receive(message.slice());
      for (const message of toLeft) left.receive(message.slice());
    }
    return await over;
  }
}

class WireEnd implements Channel {
  readonly protocol = "/bench/1.0.0";
  readonly sent: Bytes[] = [];
  receive: (message: Uint8Array) => void = () => {};

  send(message: Bytes): boolean {
    this.sent.push(message);
    return true;
  }

  onMessage(receive: (message: Uint8Array) => void): void {
    this.receive = receive;
  }

  abort(error: StarfishError): void {
    throw error;
  }

  async drained(): Promise<void> {}
  end(): void {}
  onEnd(): void {}
  onClose(): void {}
}
