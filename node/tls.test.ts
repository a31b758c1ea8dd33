import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listen, pageUrl } from "./listen.ts";
import { loadCertificate, nameFor } from "./tls.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-tls-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a node's own certificate is for its addresses, is kept, and is nobody else's to read", async () => {
  const made = await loadCertificate(folder, "self");
  expect(made.names).toEqual(expect.arrayContaining(["localhost", "127.0.0.1"]));
  expect(await loadCertificate(folder, "self")).toEqual(made);
  expect((await stat(join(folder, "tls", "key.pem"))).mode & 0o077).toBe(0);
  // A damaged certificate is made anew.
  await writeFile(join(folder, "tls", "key.pem"), "damaged");
  const again = await loadCertificate(folder, "self");
  expect(again.fingerprint).not.toBe(made.fingerprint);
  expect(await loadCertificate(folder, "self")).toEqual(again);
});

test("files of one's own are used, and refused with what is wrong with them", async () => {
  const [certFile, keyFile] = [join(folder, "tls", "cert.pem"), join(folder, "tls", "key.pem")];
  const own = await loadCertificate(folder, "self");
  expect(await loadCertificate("/nowhere", { certFile, keyFile })).toEqual(own);
  const other = await loadCertificate(join(folder, "other"), "self");
  await writeFile(join(folder, "other.pem"), other.key);
  const wrong: readonly [cert: string, key: string, why: RegExp][] = [
    ["/nowhere/cert.pem", keyFile, /--tls-cert \/nowhere/],
    [certFile, "/nowhere/key.pem", /--tls-key \/nowhere/],
    [keyFile, keyFile, /No certificate and key/],
    [certFile, join(folder, "other.pem"), /another certificate's/],
  ];
  for (const [cert, key, message] of wrong) {
    await expect(loadCertificate(folder, { certFile: cert, keyFile: key })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(message),
    });
  }
});

test("the page's address is https, by the certificate's name where it has no address", async () => {
  const tls = await loadCertificate(folder, "self");
  expect(pageUrl("127.0.0.1", 4500, tls)).toBe("https://127.0.0.1:4500/");
  expect(pageUrl("127.0.0.1", 4500)).toBe("http://127.0.0.1:4500/");
  expect(nameFor("10.0.0.7", ["*.example.org", "localhost", "star.example.org"])).toBe("star.example.org");
  expect(nameFor("10.0.0.7", ["10.0.0.7", "star.example.org"])).toBe("10.0.0.7");
  expect(nameFor("10.0.0.7", ["*.example.org"])).toBe("10.0.0.7");
});

test("a server with it answers over TLS, and hangs up on who never says hello", async () => {
  const tls = await loadCertificate(folder, "self");
  const { server, port } = await listen("127.0.0.1", 0, tls);
  server.on("request", (_, response) => response.end("hello"));
  const silent = connect(port, "127.0.0.1");
  const hungUp = once(silent, "close");
  silent.resume();
  const ca = await readFile(join(folder, "tls", "cert.pem"));
  const sent = request({ host: "127.0.0.1", port, ca });
  sent.end();
  const [response] = await once(sent, "response");
  expect(await response.setEncoding("utf8").toArray()).toEqual(["hello"]);
  await hungUp;
  server.closeAllConnections();
  server.close();
});
