/** Which machine a node states as its own, and who is told. */
import { createServer } from "node:http";
import { mkdtemp } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { answerMachine, machineId } from "./machine.ts";

const SWARM = "A".repeat(43);

test("a machine has one id in a swarm, and another in each other swarm", async () => {
  const env = { XDG_STATE_HOME: await mkdtemp(join(tmpdir(), "starfish-machine-")) };
  const id = await machineId(SWARM, env);
  expect(id).toMatch(/^[-\w]{22}$/);
  expect(await machineId(SWARM, env)).toBe(id);
  expect(await machineId("B".repeat(43), env)).not.toBe(id);
});

test("tabs of this machine are told, and nobody who comes over a network or through a proxy", async () => {
  const server = createServer((request, response) => {
    void answerMachine(request, response, async (swarm) => `machine-in-${swarm.slice(0, 2)}`).then((isAnswered) => {
      if (!isAnswered) response.end("the page");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const ask = async (path: string, host: string, to = "127.0.0.1"): Promise<string> => {
    const socket = connect(port, to);
    socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return await text(socket);
  };
  try {
    const path = `/machine?swarm=${SWARM}`;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
      expect(await ask(path, host)).toContain("machine-in-AA");
    }
    expect(await ask(path, "starfish.example")).toMatch(/^HTTP\/1.1 404/);
    expect(await ask(path, "127.0.0.1.example.org")).toMatch(/^HTTP\/1.1 404/);
    expect(await ask("/machine?swarm=x", "localhost")).toMatch(/^HTTP\/1.1 404/);
    expect(await ask("/", "localhost")).toContain("the page");
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const lan = own.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
    if (lan !== undefined) expect(await ask(path, "localhost", lan)).toMatch(/^HTTP\/1.1 404/);
  } finally {
    server.close();
  }
});
