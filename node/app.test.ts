import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApp } from "./app.ts";
import { load } from "./page.ts";

const SCRIPT = '\nimport { openComputer } from "/starfish.js";\r\nawait openComputer();\n';
const PAGE = `<!doctype html><script src="./own.js"></script><script type="module">${SCRIPT}</script>`;

let folder: string;
let app: string;
const servers: Server[] = [];
/** Each file that was read, as often as it was. */
const read: string[] = [];
let ofFolder: number;
let ofFile: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-app-"));
  app = join(folder, "app");
  await mkdir(join(app, "sub"), { recursive: true });
  await mkdir(join(app, ".git"));
  await mkdir(join(folder, "app-of-others"));
  const files: Record<string, string> = {
    secret: "not for you",
    "app-of-others/x.js": "not for you",
    "app/index.html": PAGE,
    "app/own.js": "export const own = 1;\n".repeat(20),
    "app/sub/index.html": "<p>below</p>",
    "app/a b.txt": "blank",
    "app/.env": "KEY=1",
    "app/.git/config": "url",
    "app/film.webm": "f".repeat(1_500_000),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await symlink(join(folder, "secret"), join(app, "out.txt"));
  await symlink(join(folder, "app-of-others"), join(app, "others"));
  await symlink(join(app, ".env"), join(app, "shown.txt"));
  await symlink(join(app, "a b.txt"), join(app, "same.txt"));
  ofFolder = await serve(app);
  ofFile = await serve(join(app, "index.html"));
});

afterAll(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true });
});

async function serve(path: string): Promise<number> {
  const handler = await openApp(path, (file, built) => {
    read.push(file);
    return load(file, built);
  });
  const server = createServer((asked, response) => {
    handler(asked, response)
      .then((isAnswered) => isAnswered || response.writeHead(418).end())
      .catch(() => response.destroy());
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  return address.port;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Uses node:http, because fetch would normalise the paths. */
async function get(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
  port = ofFolder,
): Promise<Answer> {
  const sent = request({ host: "127.0.0.1", port, path, headers, method, agent: false });
  sent.end();
  const [response] = await once(sent, "response");
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) };
}

test("its page comes with a policy that allows the scripts that stand in it, and no others", async () => {
  const { status, headers, body } = await get("/app/");
  expect([status, body.toString()]).toEqual([200, PAGE]);
  expect(headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" });
  const hash = createHash("sha256").update(SCRIPT.replaceAll("\r\n", "\n")).digest("base64");
  const policy = String(headers["content-security-policy"]);
  expect(policy).toContain(`script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}';`);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy.match(/sha256-/g)).toHaveLength(1);
  expect(headers["referrer-policy"]).toBe("no-referrer");
  const again = await get("/app/", { "if-none-match": String(headers.etag) });
  expect([again.status, again.body.length]).toEqual([304, 0]);
});

test("its files come with their types, compressed where that helps; large ones as they are read", async () => {
  const script = await get("/app/own.js", { "accept-encoding": "gzip" });
  expect(script.headers).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "content-encoding": "gzip",
  });
  expect(gunzipSync(script.body).toString()).toContain("own = 1");
  expect((await get("/app/sub/")).body.toString()).toBe("<p>below</p>");
  expect((await get("/app/a%20b.txt")).body.toString()).toBe("blank");
  expect((await get("/app/same.txt")).body.toString()).toBe("blank");
  const film = await get("/app/film.webm");
  expect([film.headers["content-type"], film.body.length]).toEqual(["video/webm", 1_500_000]);
  expect((await get("/app/film.webm", { "if-none-match": String(film.headers.etag) })).status).toBe(304);
  expect((await get("/app/film.webm", {}, "HEAD")).headers["content-length"]).toBe("1500000");
  expect((await get("/app/", {}, "POST")).status).toBe(405);
});

test("what is written anew is served anew", async () => {
  await writeFile(join(app, "new.txt"), "first");
  expect((await get("/app/new.txt")).body.toString()).toBe("first");
  await writeFile(join(app, "new.txt"), "second one");
  expect((await get("/app/new.txt")).body.toString()).toBe("second one");
});

test("what many ask for at once is read once", async () => {
  await writeFile(join(app, "sub", "wanted.html"), PAGE.repeat(100));
  const answers = await Promise.all(Array.from({ length: 20 }, () => get("/app/sub/wanted.html")));
  expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.etag}`)).size).toBe(1);
  expect(read.filter((file) => file.endsWith("wanted.html"))).toHaveLength(1);
});

test("a link that lost its slash, or whose # was encoded on its way, leads to the page", async () => {
  expect((await get("/app")).headers["location"]).toBe("app/");
  expect((await get("/app/%23v2.abc-_DEF")).headers["location"]).toBe("./#v2.abc-_DEF");
  for (const other of ["/", "/apple", "/assets/app/"]) expect((await get(other)).status, other).toBe(418);
});

test.each([
  "/app/../secret",
  "/app/%2e%2e/secret",
  "/app/%2e%2e%2fsecret",
  "/app/..%5csecret",
  "/app/sub/..%2f..%2f..%2fsecret",
  "/app/out.txt",
  "/app/others/x.js",
  "/app/%2e./app-of-others/x.js",
  "/app/.env",
  "/app/shown.txt",
  "/app/.git/config",
  "/app/%2egit/config",
  "/app//own.js",
  "/app/own.js/",
  "/app/sub",
  "/app/own.js%00.txt",
  "/app/%ff",
  "/app/none",
])("%s is not there", async (path) => {
  const { status, body } = await get(path);
  // A path that leaves /app is not answered by the app.
  expect([404, 418]).toContain(status);
  expect(body.toString()).not.toMatch(/not for you|KEY|url/);
});

test("a single file is served alone, whatever lies beside it", async () => {
  const asked = (path: string): Promise<Answer> => get(path, {}, "GET", ofFile);
  expect((await asked("/app/")).body.toString()).toBe(PAGE);
  expect((await asked("/app/index.html")).status).toBe(200);
  for (const path of ["/app/own.js", "/app/sub/", "/app/sub/index.html"]) expect((await asked(path)).status).toBe(404);
});

test("what is no app is said at the start", async () => {
  for (const path of ["none", "app/own.js", "app-of-others"]) {
    await expect(openApp(join(folder, path)), path).rejects.toMatchObject({ code: "usage" });
  }
});
