/**
 * libp2p's TCP transport, whose connections hand a message to the system in one piece. By itself it writes each part of a
 * record on its own, lengths of two bytes too: four system calls, and as many packets and wakings at the other end.
 */
import type { Socket } from "node:net";
import { tcp } from "@libp2p/tcp";
import { releaseWhole } from "../core/base/owned.ts";
import type { TransportFactory } from "../core/transport/libp2p.ts";
import { type SendingConnection, withConnections } from "../core/transport/sending.ts";

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
      // What is encrypted is nobody else's. The socket takes all in any case, and says when that is enough.
      canSendMore = socket.write(piece, (error) => error || releaseWhole(piece));
    }
    socket.uncork();
    return { sentBytes: data.byteLength, canSendMore };
  };
}
