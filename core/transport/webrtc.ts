/**
 * Direct connections between tabs (@libp2p/webrtc, private to private), with a race in it mended. Loaded only where
 * WebRTC exists and is wanted.
 *
 * The race (@libp2p/webrtc 6.0.33, initiate-connection): the caller opens a data channel labelled "init", which the
 * answering side closes as soon as it sees it. The caller waits for the channel's events "open" and "close" without
 * checking whether they have passed already, and so hangs in about one dial of four. Mended here by replaying past
 * events of such a channel to those who begin to listen later. test/browser/transport proves it with 100 dials. Goes
 * when: the library looks at the channel's readyState before it waits.
 */
import type { Transport } from "@libp2p/interface";
import type { WebRTCTransportComponents } from "@libp2p/webrtc";

/** Four times the default, which is meant for libp2p in Go; browsers take 256 KiB. Larger pieces gain nothing more. */
const PIECE_BYTES = 64 * 1024;

/** Streams that a peer may open before the connection is complete at this end. */
const EARLY_STREAMS_MAX = 64;

class MendedPeerConnection extends RTCPeerConnection {
  override createDataChannel(label: string, options?: RTCDataChannelInit): RTCDataChannel {
    const channel = super.createDataChannel(label, options);
    if (label === "init") replayPastEvents(channel);
    return channel;
  }
}

/** Calls a listener of "open" or "close" even if it comes too late. A closed channel counts as once opened. */
function replayPastEvents(channel: EventTarget): void {
  const past = new Set<string>();
  channel.addEventListener("open", () => past.add("open"), { once: true });
  channel.addEventListener("close", () => past.add("open").add("close"), { once: true });
  const listen = channel.addEventListener.bind(channel);
  channel.addEventListener = (type, listener, options): void => {
    if (!past.has(type) || listener === null) return listen(type, listener, options);
    queueMicrotask(() => {
      if (typeof listener === "function") listener.call(channel, new Event(type));
      else listener.handleEvent(new Event(type));
    });
  };
}

/** The library takes its RTCPeerConnection from the globals when it loads. It gets the mended one; nobody else does. */
async function loadLibrary(): Promise<typeof import("./webrtc-library.ts")> {
  const original = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = MendedPeerConnection;
  try {
    return await import("./webrtc-library.ts");
  } finally {
    globalThis.RTCPeerConnection = original;
  }
}

const library: ReturnType<typeof loadLibrary> = loadLibrary();

export async function createWebRtcTransport(
  iceServers: readonly RTCIceServer[],
): Promise<(components: WebRTCTransportComponents) => Transport> {
  const { webRTC } = await library;
  return webRTC({
    rtcConfiguration: { iceServers: [...iceServers] },
    dataChannel: { maxMessageSize: PIECE_BYTES },
    maxEarlyStreams: EARLY_STREAMS_MAX,
  });
}
