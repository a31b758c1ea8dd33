/** The page and the WebSocket links share one port, and the server outlives the network. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Network } from "../core/ports/network.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import { nodeTransports } from "./transports.ts";

let server: Server;
let url: string;
let node: Network;

beforeAll(async () => {
  server = createServer((_, response) => response.end("the page"));
  await once(server.listen(0, "0.0.0.0"), "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no port");
  url = `127.0.0.1:${bound.port}`;
  node = await network(server);
});

afterAll(async () => {
  await node[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

function network(listening?: Server): Promise<Network> {
  return createLibp2pNetwork({
    privateKey: crypto.getRandomValues(new Uint8Array(32)),
    linksMax: 32,
    webrtc: false,
    ...nodeTransports(listening === undefined ? {} : { server: listening }),
  });
}

it("serves both, and tells others the addresses of its interfaces instead of the wildcard", async () => {
  const port = url.split(":")[1];
  expect(await (await fetch(`http://${url}/`)).text()).toBe("the page");
  expect(node.addresses()).toContain(`/ip4/127.0.0.1/tcp/${port}/ws`);
  expect(node.addresses().join()).not.toContain("0.0.0.0");
  await using other = await network();
  const link = await other.dial({ peer: node.self, addresses: node.addresses() });
  expect(link.path()).toEqual({ kind: "direct", transport: "websocket" });
});

it("hangs up on who does not speak libp2p", async () => {
  const socket = new WebSocket(`ws://${url}/`);
  await once(socket, "open");
  socket.send("hello?");
  await once(socket, "close");
  expect(node.links()).toEqual([]);
});

it("leaves the server listening, without links, when the network ends", async () => {
  const shortLived = createServer((_, response) => response.end("still here"));
  await once(shortLived.listen(0, "127.0.0.1"), "listening");
  const serving = await network(shortLived);
  const [address] = serving.addresses();
  await serving[Symbol.asyncDispose]();
  const bound = shortLived.address();
  const port = bound === null || typeof bound === "string" ? 0 : bound.port;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("still here");
  await using other = await network();
  await expect(other.dial({ addresses: [address ?? ""] })).rejects.toMatchObject({ code: "unreachable" });
  shortLived.closeAllConnections();
  shortLived.close();
});

it.each([
  ["a page of the web", { origin: "https://example.org" }],
  ["a page under a name that leads here", { origin: "http://rebound.example.org", host: "rebound.example.org" }],
])("refuses %s before it is a link", async (_, headers) => {
  const socket = new WebSocket(`ws://${url}/`, { headers });
  const [error] = (await once(socket, "error")) as [Error];
  expect(error.message).toContain("403");
  expect(node.links()).toEqual([]);
});
