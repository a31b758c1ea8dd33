/**
 * The built page, as a request handler. Only files that existed when it was made are served, so that no path can lead
 * elsewhere. Each is read once, when it is first asked for, with its compressed forms; where the build has made none
 * (tools/compress-page.ts), they are made then.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { CSP_HEADER } from "../browser/csp.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".avif": "image/avif",
  ".mp3": "audio/mpeg",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".ico": "image/x-icon",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};
const COMPRESSED = new Set([".html", ".htm", ".js", ".mjs", ".css", ".json", ".webmanifest", ".svg", ".wasm", ".txt"]);

const [BROTLI, GZIP] = [".br", ".gz"];
const FORMS: readonly string[] = [BROTLI, GZIP];

export const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": CSP_HEADER,
  "X-Content-Type-Options": "nosniff",
  // The link has the key of the swarm; other sites must not even learn the address.
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
};

/** Names below assets/ (from Vite) and programs/ contain a hash of their content, so they never change. */
const FOREVER = "public, max-age=31536000, immutable";

interface Compressed {
  readonly brotli: Buffer;
  readonly gzip: Buffer;
}

export interface Asset {
  readonly plain: Buffer;
  readonly brotli: Buffer | undefined;
  readonly gzip: Buffer | undefined;
  readonly tag: string;
  readonly type: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Rejects if the folder can't be read. If the page has not been built, requests are answered with 503. */
export async function servePage(folder: string): Promise<Handler> {
  const files = await listFiles(folder);
  const assets = new Map<string, Promise<Asset>>();
  const assetOf = (path: string): Promise<Asset> | undefined => {
    const file = files.get(path);
    if (file === undefined) return undefined;
    const known = assets.get(path) ?? loadBuilt(file);
    assets.set(path, known);
    return known;
  };
  return (request, response) => {
    answer(request, response, files.size > 0, assetOf).catch(() => {
      if (!response.headersSent) response.writeHead(500, HEADERS);
      response.end();
    });
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  isBuilt: boolean,
  assetOf: (path: string) => Promise<Asset> | undefined,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return say(response, 405, "Only GET and HEAD here.\n", { Allow: "GET, HEAD" });
  }
  const path = new URL(request.url ?? "/", "http://page").pathname;
  // A mail program has encoded the # of a link. So the key has come here with the request, but a node of the swarm has
  // it already.
  if (/^\/%23v\d/i.test(path)) {
    response
      .writeHead(302, { ...HEADERS, Location: `/#${path.slice("/%23".length)}`, "Cache-Control": "no-store" })
      .end();
    return;
  }
  if (path === "/health") return say(response, 200, "ok\n");
  if (!isBuilt) return say(response, 503, "The page has not been built. Run: npm run build\n");
  const asset = await assetOf(path === "/" ? "/index.html" : path);
  if (asset === undefined) return say(response, 404, "There is no such file.\n");
  const isForever = /^\/(assets|programs)\//.test(path);
  sendAsset(request, response, asset, { "Cache-Control": isForever ? FOREVER : "no-cache" });
}

export function sendAsset(
  request: IncomingMessage,
  response: ServerResponse,
  asset: Asset,
  more: Readonly<Record<string, string>>,
): void {
  const accepted = request.headers["accept-encoding"] ?? "";
  const encoded: readonly [name: string, body: Buffer | undefined][] = [
    ["br", asset.brotli],
    ["gzip", asset.gzip],
  ];
  const [encoding, body = asset.plain] =
    encoded.find(([name, bytes]) => bytes !== undefined && accepts(accepted, name)) ?? [];
  const tag = `"${asset.tag}${encoding === undefined ? "" : `-${encoding}`}"`;
  const headers: Record<string, string | number> = {
    ...HEADERS,
    ...more,
    "Content-Type": asset.type,
    ETag: tag,
    Vary: "Accept-Encoding",
  };
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304, headers).end();
    return;
  }
  if (encoding !== undefined) headers["Content-Encoding"] = encoding;
  headers["Content-Length"] = body.length;
  response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : body);
}

/**
 * Whether the header takes an encoding (RFC 9110, 12.5.3); browsers never send anything finer than this tells apart.
 */
function accepts(header: string, encoding: string): boolean {
  return header.split(",").some((part) => {
    const [name = "", weight = ""] = part.trim().split(";");
    return name.trim().toLowerCase() === encoding && !/^\s*q=0(\.0*)?$/.test(weight);
  });
}

export function say(response: ServerResponse, status: number, text: string, more: Record<string, string> = {}): void {
  response
    .writeHead(status, {
      ...HEADERS,
      ...more,
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
    })
    .end(text);
}

async function listFiles(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    if (FORMS.includes(extname(entry.name))) continue;
    const file = join(entry.parentPath, entry.name);
    files.set(`/${relative(folder, file).split(sep).join("/")}`, file);
  }
  return files;
}

async function loadBuilt(file: string): Promise<Asset> {
  const [brotli, gzip] = await Promise.all(FORMS.map((form) => readFile(`${file}${form}`).catch(() => undefined)));
  return await load(file, brotli === undefined || gzip === undefined ? undefined : { brotli, gzip });
}

export function typeOf(file: string): string {
  return TYPES[extname(file).toLowerCase()] ?? "application/octet-stream";
}

export async function load(file: string, built?: Compressed): Promise<Asset> {
  const plain = await readFile(file);
  const type = typeOf(file);
  const tag = createHash("sha256").update(plain).digest("base64url").slice(0, 22);
  const { brotli, gzip } = built ?? (await compressed(file, plain)) ?? {};
  return { plain, brotli, gzip, tag, type };
}

/** Undefined for a kind of file that would not get smaller. */
async function compressed(file: string, plain: Buffer): Promise<Compressed | undefined> {
  if (!COMPRESSED.has(extname(file).toLowerCase())) return undefined;
  // Quality 9 of 11: within 2% of the smallest size, in a fifth of the time, because somebody may wait for the first
  // answer.
  const brotli = promisify(brotliCompress)(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  const gzipped = promisify(gzip)(plain, { level: 9 });
  return { brotli: await brotli, gzip: await gzipped };
}

/** Writes the compressed forms of a file beside it. */
export async function compressFile(file: string): Promise<void> {
  const forms = await compressed(file, await readFile(file));
  if (forms === undefined) return;
  await Promise.all([writeFile(`${file}${BROTLI}`, forms.brotli), writeFile(`${file}${GZIP}`, forms.gzip)]);
}
