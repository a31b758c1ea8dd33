/**
 * libp2p's TCP transport, whose connections pass each message to the system in one piece.
 *
 * For: @libp2p/tcp 11.0.28 writes each part of a record by itself, even lengths of two bytes. That costs four system
 * calls, and as many packets and wake-ups at the other end. 200 MB between two nodes of one process take 685 ms of CPU
 * time with this and 789 without (median of seven; 560 and 703 at best). Connections are changed before they are
 * upgraded. Goes when: the library corks its socket, or writes with writev.
 */
import type { Socket } from "node:net";
import type { MultiaddrConnection, Transport, Upgrader } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import type { Uint8ArrayList } from "uint8arraylist";
import { releaseWhole } from "../core/base/owned.ts";
import type { TransportFactory } from "../core/transport/libp2p.ts";

/**
 * What is relied on inside of the library's connections. Its version is pinned; plain-libp2p.node.test.ts fails if this
 * has changed.
 */
interface SendingConnection extends MultiaddrConnection {
  sendData: (data: Uint8ArrayList) => { readonly sentBytes: number; readonly canSendMore: boolean };
}

/** `change` gets each connection that the transport makes, before anything is sent over it. */
function withConnections(transport: Transport, change: (connection: SendingConnection) => void): Transport {
  const dial = transport.dial.bind(transport);
  const createListener = transport.createListener.bind(transport);
  const wrapped = (upgrader: Upgrader): Upgrader => upgraderWith(upgrader, change);
  transport.dial = (address, options) => dial(address, { ...options, upgrader: wrapped(options.upgrader) });
  transport.createListener = (options) => createListener({ ...options, upgrader: wrapped(options.upgrader) });
  return transport;
}

function upgraderWith(upgrader: Upgrader, change: (connection: SendingConnection) => void): Upgrader {
  const upgradeInbound: Upgrader["upgradeInbound"] = (connection, options) => {
    change(connection as SendingConnection);
    return upgrader.upgradeInbound(connection, options);
  };
  const upgradeOutbound: Upgrader["upgradeOutbound"] = (connection, options) => {
    change(connection as SendingConnection);
    return upgrader.upgradeOutbound(connection, options);
  };
  return {
    upgradeInbound,
    upgradeOutbound,
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  };
}

export function corkedTcp(): TransportFactory {
  const create = tcp();
  return (components) => withConnections(create(components), cork);
}

function cork(connection: SendingConnection): void {
  const { socket } = connection as SendingConnection & { readonly socket: Socket };
  connection.sendData = (data) => {
    let canSendMore = true;
    socket.cork();
    for (const piece of data) {
      // Nobody else owns the encrypted bytes. The socket takes all of them in any case, and says when to wait.
      canSendMore = socket.write(piece, (error) => error || releaseWhole(piece));
    }
    socket.uncork();
    return { sentBytes: data.byteLength, canSendMore };
  };
}
