/**
 * Counts the bytes on all sockets of this process, from when the module is loaded; the systems may only use TCP. Import
 * it first.
 */
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const sockets: Socket[] = [];

for (const channel of ["net.client.socket", "net.server.socket"]) {
  subscribe(channel, (message) => sockets.push((message as { socket: Socket }).socket));
}

/** Bytes read and written so far, together. */
export function bytesOnWire(): number {
  return sockets.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0);
}
