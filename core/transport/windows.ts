/**
 * When a yamux stream tells the other end that it may send more: once half of its window is used up, as other
 * implementations do. By itself it tells so after each frame, which doubles the number of frames, each encrypted, written and
 * read on its own: a twentieth of a busy node's time.
 */
import type { Stream } from "@libp2p/interface";

/** What is relied on inside of the library's stream, which is pinned to a version; streams of other muxers have none of it. */
interface WindowedStream {
  /** Bytes that may come before the next update, just after one and now. */
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate: () => void;
}

/** For a stream that both ends have opened: before, updates say that too. */
export function sparingUpdates(stream: Stream): void {
  if (!isWindowed(stream)) return;
  const update = stream.sendWindowUpdate.bind(stream);
  stream.sendWindowUpdate = () => {
    if (2 * stream.recvWindowCapacity <= stream.recvWindow) update();
  };
}

function isWindowed(stream: object): stream is WindowedStream {
  return "sendWindowUpdate" in stream && "recvWindow" in stream && "recvWindowCapacity" in stream;
}
