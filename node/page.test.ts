import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { brotliDecompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compressFile, servePage } from "./page.ts";

let folder: string;
let server: Server;
const SCRIPT = "export const answer = 42;\n".repeat(50);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-page-"));
  await mkdir(join(folder, "page", "assets"), { recursive: true });
  await writeFile(join(folder, "secret"), "not for you");
  await writeFile(join(folder, "page", "index.html"), "<!doctype html><title>x</title>");
  await writeFile(join(folder, "page", "assets", "main-abc123.js"), SCRIPT);
  await writeFile(join(folder, "page", "assets", "x.png"), "png");
  server = createServer(await servePage(join(folder, "page")));
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Uses node:http, because fetch would normalise the paths. */
async function get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  const sent = request({ host: "127.0.0.1", port: address.port, path, headers, method });
  sent.end();
  const [response] = await once(sent, "response");
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) };
}

test("the page comes with a strict policy and is asked for anew each time", async () => {
  const { status, headers, body } = await get("/");
  expect(status).toBe(200);
  expect(body.toString()).toContain("<!doctype html>");
  expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(headers["cache-control"]).toBe("no-cache");
  expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  expect(headers["content-security-policy"]).not.toContain("unsafe-inline");
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["referrer-policy"]).toBe("no-referrer");
});

test("a link whose # was encoded on its way leads to the page with it", async () => {
  const { status, headers } = await get("/%23v2.abc-_DEF");
  expect([status, headers["location"]]).toEqual([302, "/#v2.abc-_DEF"]);
  expect((await get("/%23other")).status).toBe(404);
});

test("what has not changed is not sent again", async () => {
  const { headers } = await get("/");
  const again = await get("/", { "if-none-match": String(headers.etag) });
  expect([again.status, again.body.length]).toEqual([304, 0]);
});

test("assets are kept for ever and compressed for those who can", async () => {
  const plain = await get("/assets/main-abc123.js");
  expect(plain.headers["cache-control"]).toContain("immutable");
  expect(plain.body.toString()).toBe(SCRIPT);
  const packed = await get("/assets/main-abc123.js", { "accept-encoding": "gzip, br" });
  expect(packed.headers["content-encoding"]).toBe("br");
  expect(brotliDecompressSync(packed.body).toString()).toBe(SCRIPT);
  expect((await get("/assets/main-abc123.js", { "accept-encoding": "gzip, br;q=0" })).headers["content-encoding"]).toBe(
    "gzip",
  );
  expect((await get("/assets/x.png", { "accept-encoding": "br" })).headers["content-encoding"]).toBeUndefined();
});

test("what the build has compressed is sent as it is, and is no file of its own", async () => {
  const file = join(folder, "page", "assets", "built-abc123.js");
  await writeFile(file, SCRIPT);
  await compressFile(file);
  // Different from what the node would make.
  await writeFile(`${file}.gz`, gzipSync("from the build"));
  const built = createServer(await servePage(join(folder, "page")));
  await once(built.listen(0, "127.0.0.1"), "listening");
  const { port } = built.address() as AddressInfo;
  const at = `http://127.0.0.1:${port}/assets/built-abc123.js`;
  expect(await (await fetch(at, { headers: { "accept-encoding": "gzip" } })).text()).toBe("from the build");
  expect(await (await fetch(at, { headers: { "accept-encoding": "br" } })).text()).toBe(SCRIPT);
  expect((await fetch(`${at}.gz`)).status).toBe(404);
  built.close();
});

test.each([
  "/secret",
  "/../secret",
  "/%2e%2e/secret",
  "/assets/../../secret",
  "/assets/%2e%2e%2f%2e%2e%2fsecret",
  "//etc/passwd",
  "/assets",
  "/none",
])("%s is not there", async (path) => {
  expect((await get(path)).status).toBe(404);
});

test("health, methods, and a page that was not built", async () => {
  expect((await get("/health")).body.toString()).toBe("ok\n");
  expect((await get("/", {}, "POST")).status).toBe(405);
  expect((await get("/", {}, "HEAD")).body).toHaveLength(0);
  const bare = createServer(await servePage(join(folder, "nothing")));
  await once(bare.listen(0, "127.0.0.1"), "listening");
  const address = bare.address();
  const port = typeof address === "object" ? address?.port : 0;
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
  bare.close();
});
