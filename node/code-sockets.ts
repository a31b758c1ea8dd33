/**
 * The place where strangers come to fetch what a code is for: WebSockets beside the page, on a path of their own. They
 * do not become links: nothing of libp2p is spoken on them, and they lead only to the desk of codes.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { IDLE_MS, RECEIVER_BYTES_MAX } from "../core/io/codes/limits.ts";
import type { Codes } from "../core/io/codes/types.ts";
import { CODE_PLACE } from "../core/io/codes/words.ts";
import { realClock } from "../core/platform/clock.ts";
import { SocketChannel } from "../core/platform/socket-channel.ts";

export class CodeSockets {
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: RECEIVER_BYTES_MAX, perMessageDeflate: false });
  #codes: Codes | undefined;

  /** From now on strangers are accepted; those who came before were told to come later. */
  open(codes: Codes): void {
    codes.openDesk();
    this.#codes = codes;
  }

  /** Takes a request to the server that serves the page, if it is for this path. */
  readonly take = (request: IncomingMessage, socket: Duplex, head: Buffer): boolean => {
    const path = (request.url ?? "").replace(/[?#].*$/s, "");
    if (!path.endsWith(`/${CODE_PLACE}`)) return false;
    const codes = this.#codes;
    if (codes === undefined) {
      socket
        .on("error", () => {})
        .end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return true;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => bring(webSocket, request, codes));
    return true;
  };
}

function bring(socket: WebSocket, request: IncomingMessage, codes: Codes): void {
  socket.binaryType = "arraybuffer";
  const channel = new SocketChannel(socket, { clock: realClock, bytesMax: RECEIVER_BYTES_MAX, idleMs: IDLE_MS });
  codes.stranger(channel, request.socket.remoteAddress ?? "");
}
