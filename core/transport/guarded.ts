/**
 * yamux, whose failures stay within their connection. By itself it sends some frames from a microtask of its own (the one that
 * opens a stream), where nobody can catch what sending throws: on a connection that has closed in the same moment that ended
 * the whole process. Here the connection ends instead, which is told if it was open. Goes when: @chainsafe/libp2p-yamux (8.0.1) catches
 * what sending throws there.
 */
import { yamux } from "@chainsafe/libp2p-yamux";
import type { MessageStream, StreamMuxer, StreamMuxerFactory } from "@libp2p/interface";

/** Makes a libp2p muxer. */
type MuxerFactory = ReturnType<typeof yamux>;

/** What is relied on inside of the library's muxer, which is pinned; guarded.test.ts tells when it has changed. */
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
  // Streams take it from here when they are made.
  sender.sendFrame = (...frame) => {
    if (isBroken) return false;
    try {
      return send(...frame);
    } catch (error) {
      isBroken = true;
      // To send into a connection that has just closed is how a link ends, and no fault.
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

/** Half-closed connections are "open" still; the library's streams tell more. */
function isWritable(connection: MessageStream): boolean {
  return (
    !("writeStatus" in connection) || (connection.writeStatus !== "closed" && connection.writeStatus !== "closing")
  );
}
