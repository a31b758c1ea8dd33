/** Puts something else in the place of how a library's transport writes: its connections are changed before they are upgraded. */
import type { MultiaddrConnection, Transport, Upgrader } from "@libp2p/interface";
import type { Uint8ArrayList } from "uint8arraylist";
import { releaseWhole } from "../base/owned.ts";

/** Of one WebSocket message: two records or so. More would gain nothing, and wait longer at the other end. */
const PORTION_BYTES = 128 * 1024;

/** What is relied on inside of the libraries' connections, which are pinned; node/plain-libp2p.node.test.ts tells when it has changed. */
export interface SendingConnection extends MultiaddrConnection {
  sendData: (data: Uint8ArrayList) => { readonly sentBytes: number; readonly canSendMore: boolean };
}

/** `change` gets each connection that the transport makes, before anything is sent over it. */
export function withConnections(transport: Transport, change: (connection: SendingConnection) => void): Transport {
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

/** Encrypted bytes in few pieces, each with a buffer of its own; those that they were in are given back. */
export function* portionsOf(data: Uint8ArrayList): Generator<Uint8Array> {
  for (let at = 0; at < data.byteLength; at += PORTION_BYTES) {
    yield data.slice(at, Math.min(data.byteLength, at + PORTION_BYTES));
  }
  for (const piece of data) releaseWhole(piece);
}
