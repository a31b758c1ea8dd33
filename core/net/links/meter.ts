/** A channel that tells of each message that passes it; otherwise the channel itself. */
import { lengthOf } from "../../base/bytes.ts";
import type { StarfishError } from "../../base/errors.ts";
import type { Channel, Message, PeerId } from "../../ports/network.ts";

export interface Traffic {
  readonly peer: PeerId;
  readonly direction: "in" | "out";
  readonly bytes: number;
}

export function meter(channel: Channel, peer: PeerId, onTraffic: (event: Traffic) => void): Channel {
  return {
    protocol: channel.protocol,
    send(message: Message): boolean {
      onTraffic({ peer, direction: "out", bytes: lengthOf(message) });
      return channel.send(message);
    },
    drained: () => channel.drained(),
    end: () => channel.end(),
    abort: (error: StarfishError) => channel.abort(error),
    onMessage: (receive) =>
      channel.onMessage((message) => {
        onTraffic({ peer, direction: "in", bytes: message.length });
        receive(message);
      }),
    onEnd: (listener) => channel.onEnd(listener),
    onClose: (listener) => channel.onClose(listener),
  };
}
