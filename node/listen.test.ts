import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { listen, pageUrl, PORT_DEFAULT } from "./listen.ts";

test("a port that is taken is said so when it was asked for", async () => {
  const first = await listen("127.0.0.1", 0);
  await expect(listen("127.0.0.1", first.port)).rejects.toMatchObject({
    code: "in-use",
    message: expect.stringContaining("--port"),
  });
  first.server.close();
});

test("without a port the next free one is taken", async () => {
  const first = await listen("127.0.0.1", undefined);
  const second = await listen("127.0.0.1", undefined);
  expect(first.port).toBeGreaterThanOrEqual(PORT_DEFAULT);
  expect(second.port).toBeGreaterThan(first.port);
  first.server.close();
  second.server.close();
});

test("an address that is not this machine's is an io error", async () => {
  await expect(listen("192.0.2.1", 0)).rejects.toMatchObject({ code: "io" });
});

test("the page's address can be opened", () => {
  expect(pageUrl("127.0.0.1", 80)).toBe("http://127.0.0.1:80/");
  expect(pageUrl("::1", 80)).toBe("http://[::1]:80/");
  expect(pageUrl("0.0.0.0", 80)).not.toContain("0.0.0.0");
});

test("sockets that ask for nothing, or slowly, keep page and health from nobody", async () => {
  const { server, port } = await listen("127.0.0.1", 0);
  server.on("request", (_, response) => response.end("ok\n"));
  const slow: Socket[] = [];
  try {
    for (let i = 0; i < 2_100; i++) {
      const socket = connect(port, "127.0.0.1")
        .on("error", () => {})
        .resume();
      if (i % 2 === 0) socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ");
      slow.push(socket);
      if (i % 100 === 0) await once(socket, "connect").catch(() => {});
    }
    expect(await (await fetch(`http://127.0.0.1:${port}/health`)).text()).toBe("ok\n");
    // All of them are closed.
    for (const socket of slow) if (!socket.closed) await once(socket, "close");
  } finally {
    for (const socket of slow) socket.destroy();
    server.closeAllConnections();
    server.close();
  }
});
