/**
 * libp2p's TCP transport, whose connections hand a message to the system in one piece. By itself it writes each part of a
 * record on its own, lengths of two bytes too: four system calls, and as many packets and wakings at the other end.
 */
import type { Socket } from "node:net";
import type { MultiaddrConnection, Upgrader } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import type { SendResult } from "@libp2p/utils";
import type { Uint8ArrayList } from "uint8arraylist";
import { release } from "../core/base/bytes.ts";
import type { TransportFactory } from "../core/transport/libp2p.ts";

/** What is relied on inside of the library's connection, which is pinned to a version; plain-libp2p.node.test.ts tells when it has changed. */
interface SocketConnection extends MultiaddrConnection {
  readonly socket: Socket;
  sendData: (data: Uint8ArrayList) => SendResult;
}

export function corkedTcp(): TransportFactory {
  const create = tcp();
  return (components) => {
    const transport = create(components);
    const dial = transport.dial.bind(transport);
    const createListener = transport.createListener.bind(transport);
    transport.dial = (address, options) => dial(address, { ...options, upgrader: corking(options.upgrader) });
    transport.createListener = (options) => createListener({ ...options, upgrader: corking(options.upgrader) });
    return transport;
  };
}

function corking(upgrader: Upgrader): Upgrader {
  const upgradeInbound: Upgrader["upgradeInbound"] = (connection, options) =>
    upgrader.upgradeInbound(corked(connection), options);
  const upgradeOutbound: Upgrader["upgradeOutbound"] = (connection, options) =>
    upgrader.upgradeOutbound(corked(connection), options);
  return {
    upgradeInbound,
    upgradeOutbound,
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  };
}

function corked(connection: MultiaddrConnection): MultiaddrConnection {
  const { socket } = connection as SocketConnection;
  (connection as SocketConnection).sendData = (data) => {
    let canSendMore = true;
    socket.cork();
    for (const piece of data) {
      const { buffer } = piece;
      // What is encrypted is nobody else's. The socket takes all in any case, and says when that is enough.
      canSendMore = socket.write(piece, (error) => error || piece.length < buffer.byteLength || release(buffer));
    }
    socket.uncork();
    return { sentBytes: data.byteLength, canSendMore };
  };
  return connection;
}
