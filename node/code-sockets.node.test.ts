/**
 * Strangers on real WebSockets: through the server that serves the page they get what a code is for, and nothing else.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { StarfishError } from "../core/base/errors.ts";
import { realClock } from "../core/platform/clock.ts";
import { openSocketChannel, SocketChannel, type SocketChannelOptions } from "../core/platform/socket-channel.ts";
import type { Channel } from "../core/ports/network.ts";

let server: Server;
let sockets: WebSocketServer;

beforeEach(async () => {
  server = createServer();
  sockets = new WebSocketServer({ server, perMessageDeflate: false });
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterEach(() => {
  for (const socket of sockets.clients) socket.terminate();
  server.close();
});

const url = (): string => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/code`;

async function pair(
  options: Partial<SocketChannelOptions> = {},
): Promise<{ near: Channel; far: Channel; raw: WebSocket }> {
  const connected = once(sockets, "connection");
  const raw = new WebSocket(url());
  raw.binaryType = "arraybuffer";
  const near = await openSocketChannel(raw, "here", { clock: realClock, signal: new AbortController().signal });
  const [socket] = (await connected) as [WebSocket];
  socket.binaryType = "arraybuffer";
  return { near, far: new SocketChannel(socket, { clock: realClock, ...options }), raw };
}

function collect(
  channel: Channel,
): Promise<{ readonly sizes: readonly number[]; readonly error: StarfishError | undefined }> {
  const sizes: number[] = [];
  channel.onMessage((message) => void sizes.push(message.length));
  return new Promise((resolve) => {
    channel.onEnd(() => channel.end());
    channel.onClose((error) => resolve({ sizes, error }));
  });
}

describe("a channel over a WebSocket", () => {
  test("carries messages whole and in order, both ways, and ends in peace", async () => {
    const { near, far } = await pair();
    const sizes = [2, 100, 65_537, 300_000, 1024 * 1024];
    for (const size of sizes) near.send(new Uint8Array(size).fill(size));
    far.send([Uint8Array.of(1), Uint8Array.of(2, 3)]);
    const [got, back] = [collect(far), collect(near)];
    near.end();
    expect(await got).toEqual({ sizes, error: undefined });
    expect(await back).toEqual({ sizes: [3], error: undefined });
  });

  test("is over for both when either aborts it, or the connection goes", async () => {
    for (const how of ["abort", "terminate"] as const) {
      const { near, far, raw } = await pair();
      const got = collect(far);
      if (how === "abort") near.abort(new StarfishError("cancelled", "No more"));
      else raw.terminate();
      expect((await got).error?.code).toBe("link-closed");
    }
  });

  test("cuts off who sends what is too long, or text, or nothing for too long", async () => {
    let { far, raw } = await pair({ bytesMax: 100 });
    raw.send(new Uint8Array(101));
    expect((await collect(far)).error?.code).toBe("too-large");
    ({ far, raw } = await pair());
    raw.send("text");
    expect((await collect(far)).error?.code).toBe("malformed");
    ({ far, raw } = await pair({ idleMs: 20 }));
    expect((await collect(far)).error?.code).toBe("timeout");
  });

  test("gives signs of life that are no messages", async () => {
    const { far, raw } = await pair({ idleMs: 60_000 });
    const got = collect(far);
    raw.send(new Uint8Array(1));
    raw.send(new Uint8Array(2));
    raw.send(new Uint8Array(0));
    expect(await got).toEqual({ sizes: [2], error: undefined });
  });
});

test("where nobody takes sockets it says so", async () => {
  const nowhere = url();
  await new Promise((resolve) => server.close(resolve));
  const socket = new WebSocket(nowhere);
  const opening = openSocketChannel(socket, "there", { clock: realClock, signal: new AbortController().signal });
  await expect(opening).rejects.toMatchObject({ code: "unreachable" });
});
