/**
 * The Node process of the transport tests: serves the built page and WebSocket links on one port, and TCP. Prints one
 * line of JSON when it is ready. Each line of its input is a target as JSON: it dials it and prints the path of the
 * link, or the failure. Usage: node node.ts PAGE_DIRECTORY [--strangers]
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { flushCompileCache } from "node:module";
import { extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import type { DialTarget } from "../../../core/ports/network.ts";
import { createLibp2pNetwork } from "../../../core/transport/network.ts";
import { nodeTransports } from "../../../node/transports.ts";

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

const directory = process.argv[2] ?? "";
const admitsNobody = process.argv.includes("--strangers");

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const file = join(directory, normalize(pathname === "/" ? "/index.html" : pathname));
  readFile(file).then(
    (bytes) => response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream").end(bytes),
    () => response.writeHead(404).end(),
  );
});
await once(server.listen(0, "127.0.0.1"), "listening");
const network = await createLibp2pNetwork({
  privateKey: crypto.getRandomValues(new Uint8Array(32)),
  linksMax: 64,
  webrtc: false,
  // Only dialling is tested here, so every node may link to every address.
  ...nodeTransports({ server, tcpHost: "127.0.0.1", mayLink: () => true }),
});
network.handle("/test/echo/1.0.0", (channel) => {
  let bytes = 0;
  channel.onMessage((message) => {
    bytes += message.length;
    if (message[0] === 1) channel.send(message);
  });
  channel.onEnd(() => {
    channel.send(new TextEncoder().encode(String(bytes)));
    channel.end();
  });
});
network.onLink((link) => {
  if (!admitsNobody) network.admit(link.peer);
});
// Written now, because the process will be killed.
flushCompileCache();
console.log(JSON.stringify({ peer: network.self, addresses: network.addresses() }));
for await (const line of createInterface({ input: process.stdin })) {
  const target = JSON.parse(line) as DialTarget;
  const path = await network.dial(target).then((link) => link.path(), String);
  console.log(JSON.stringify(path));
}
