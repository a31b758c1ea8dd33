/**
 * Counts what crosses this process's sockets, all of them, from when the module is loaded: TCP is all that the systems
 * are given to speak. Import it first.
 */
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const sockets: Socket[] = [];

for (const channel of ["net.client.socket", "net.server.socket"]) {
  subscribe(channel, (message) => sockets.push((message as { socket: Socket }).socket));
}

/** Bytes read and written together so far. */
export function bytesOnWire(): number {
  return sockets.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0);
}
