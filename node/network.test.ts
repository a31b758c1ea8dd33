/** The contract of Network, met by the real adapter over loopback: once by TCP, once by WebSocket. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { networkContract, type NetworkHarness } from "../core/ports/network.contract.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import { nodeTransports } from "./transports.ts";

/** Time as the adapter sees it. */
const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (delayMs: number, fire: () => void) => {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

const common = { linksMax: 32, webrtc: false };

async function httpServer(): Promise<Server> {
  const server = createServer((_, response) => response.end("the page"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

async function harness(transport: "tcp" | "websocket"): Promise<NetworkHarness> {
  const servers: Server[] = [];
  return {
    clock,
    deadAddress: transport === "tcp" ? "/ip4/127.0.0.1/tcp/1" : "/ip4/127.0.0.1/tcp/1/ws",
    node: async () => {
      const privateKey = crypto.getRandomValues(new Uint8Array(32));
      if (transport === "tcp")
        return createLibp2pNetwork({ ...common, privateKey, ...nodeTransports({ tcpHost: "127.0.0.1" }) });
      const server = await httpServer();
      servers.push(server);
      return createLibp2pNetwork({ ...common, privateKey, ...nodeTransports({ server }) });
    },
    tab: () =>
      createLibp2pNetwork({ ...common, privateKey: crypto.getRandomValues(new Uint8Array(32)), ...nodeTransports({}) }),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

networkContract("libp2p over TCP", () => harness("tcp"));
networkContract("libp2p over WebSocket", () => harness("websocket"));
