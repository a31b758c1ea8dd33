/**
 * yamux, whose failures stay within their connection. The library sends some frames from a microtask of its own (the
 * frame that opens a stream), where nobody can catch an error of sending. If the connection had closed at that moment,
 * the error ended the whole process. Here the connection ends instead, and that is logged if it was open. Goes when:
 * @chainsafe/libp2p-yamux (8.0.1) catches these errors itself.
 */
import { yamux } from "@chainsafe/libp2p-yamux";
import type { MessageStream, StreamMuxer, StreamMuxerFactory } from "@libp2p/interface";

/** Makes a libp2p muxer. */
type MuxerFactory = ReturnType<typeof yamux>;

/**
 * What is relied on inside of the library's muxer. Its version is pinned; guarded.test.ts fails if this has changed.
 */
interface FrameSender {
  sendFrame: (...frame: unknown[]) => boolean;
}

export function guardedYamux(
  options: Parameters<typeof yamux>[0],
  onFault: (error: unknown) => void,
): (...components: Parameters<MuxerFactory>) => StreamMuxerFactory {
  const create = yamux(options);
  return (...components) => {
    const factory: StreamMuxerFactory = create(...components);
    const make = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => guarded(make(connection), connection, onFault);
    return factory;
  };
}

function guarded(muxer: StreamMuxer, connection: MessageStream, onFault: (error: unknown) => void): StreamMuxer {
  const sender = muxer as StreamMuxer & FrameSender;
  const send = sender.sendFrame.bind(sender);
  let isBroken = false;
  // Streams take this function when they are made.
  sender.sendFrame = (...frame) => {
    if (isBroken) return false;
    try {
      return send(...frame);
    } catch (error) {
      isBroken = true;
      // Sending into a connection that has just closed is a normal end of a link, and no fault.
      const isOver = connection.status !== "open" || !isWritable(connection);
      const reason = error instanceof Error ? error : new Error(String(error));
      muxer.abort(reason);
      connection.abort(reason);
      if (!isOver) onFault(error);
      return false;
    }
  };
  return muxer;
}

/** Half-closed connections still have the status "open"; the library's streams know more. */
function isWritable(connection: MessageStream): boolean {
  return (
    !("writeStatus" in connection) || (connection.writeStatus !== "closed" && connection.writeStatus !== "closing")
  );
}
