/**
 * A page of the user's own beside the node's: `up --app FILE|DIR` serves it at /app/. Its files are read at each
 * request, so that a change needs only a reload. Only what is in the directory, or the one file, is served: nothing
 * outside to which a link in it leads, and no name that begins with a dot (.git, .env).
 */
import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { appPolicy } from "../browser/csp.ts";
import { StarfishError } from "../core/base/errors.ts";
import { type Asset, HEADERS, load, say, sendAsset, typeOf } from "./page.ts";

/** Files up to this size are compressed and kept; larger ones (films) are sent as they are read. */
const KEPT_BYTES_MAX: number = 1024 * 1024;
/**
 * The size of all kept files: an app with more is read again now and then. The compressed forms take at most as much
 * again.
 */
const KEPT_ALL_BYTES_MAX: number = 32 * 1024 * 1024;
/** A page is read whole, because of its scripts' hashes. Even a page with everything in one file is far smaller. */
const PAGE_BYTES_MAX: number = 16 * 1024 * 1024;
/** Scripts in one page: their hashes go into a header, of which clients accept 16 KiB. */
const SCRIPTS_MAX = 64;

/** Returns whether the request was for the app; then it was answered. */
type AppHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

interface Kept {
  /** Differs once the file has changed. */
  readonly state: string;
  readonly asset: Asset;
  readonly policy: string;
}

/** Throws "usage" if there is no such page. `loadFile` reads and compresses a file. */
export async function openApp(path: string, loadFile: typeof load = load): Promise<AppHandler> {
  const folder = new AppFolder(await whereIs(path), loadFile);
  return async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    if (pathname !== "/app" && !pathname.startsWith("/app/")) return false;
    await folder.answer(request, response, pathname.slice("/app".length));
    return true;
  };
}

interface Place {
  /** A path without links. */
  readonly root: string;
  /** The page itself, by its name below the root. */
  readonly index: string;
  /** Whether nothing but the page is served. */
  readonly isAlone: boolean;
}

async function whereIs(path: string): Promise<Place> {
  const real = await realpath(path).catch(() => undefined);
  const info = real === undefined ? undefined : await stat(real);
  if (real === undefined || info === undefined) throw new StarfishError("usage", `--app: there is no '${path}'`);
  if (info.isFile()) {
    if (/\.html?$/i.test(real)) return { root: dirname(real), index: basename(real), isAlone: true };
    throw new StarfishError("usage", `--app takes an HTML file or a folder, which '${path}' is not`);
  }
  const page = await stat(join(real, "index.html")).catch(() => undefined);
  if (page?.isFile() === true) return { root: real, index: "index.html", isAlone: false };
  throw new StarfishError("usage", `--app: there is no index.html in '${path}'`);
}

class AppFolder {
  readonly #place: Place;
  readonly #loadFile: typeof load;
  /** By file; the last used one is at the end. */
  readonly #kept = new Map<string, Kept>();
  /** By file and state: what many ask for at once is read and compressed once. */
  readonly #loading = new Map<string, Promise<Kept>>();

  constructor(place: Place, loadFile: typeof load) {
    this.#place = place;
    this.#loadFile = loadFile;
  }

  /** `path` is what follows /app. */
  async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (request.method !== "GET" && request.method !== "HEAD")
      return say(response, 405, "Only GET and HEAD here.\n", { Allow: "GET, HEAD" });
    // Browsers keep what follows the #. A mail program may have encoded it: see page.ts.
    if (path === "") return redirect(response, "app/");
    if (/^\/%23v\d/i.test(path)) return redirect(response, `./#${path.slice("/%23".length)}`);
    const file = await this.#find(path.slice(1));
    if (file === undefined) return say(response, 404, "There is no such file.\n");
    const info = await stat(file);
    if (!isPage(file) && info.size > KEPT_BYTES_MAX) return await stream(request, response, file, info);
    if (info.size > PAGE_BYTES_MAX) return say(response, 413, "This page is too large to be served.\n");
    const { asset, policy } = await this.#read(file, info);
    sendAsset(request, response, asset, { "Cache-Control": "no-cache", "Content-Security-Policy": policy });
  }

  /** The file at that path, after links were followed, if it belongs to the app. */
  async #find(path: string): Promise<string | undefined> {
    const { root, index, isAlone } = this.#place;
    const words = wordsOf(path);
    if (words === undefined) return undefined;
    if (words.at(-1) === "") words.splice(-1, 1, words.length === 1 ? index : "index.html");
    if (isAlone) return words.join("/") === index ? join(root, index) : undefined;
    const file = await realpath(join(root, ...words)).catch(() => undefined);
    if (file === undefined) return undefined;
    // A link may lead outside, to another drive, or to a hidden file.
    if (!file.startsWith(join(root, sep)) || relative(root, file).split(sep).some(isHidden)) return undefined;
    return (await stat(file)).isFile() ? file : undefined;
  }

  #load(name: string, file: string, state: string): Promise<Kept> {
    const loading = this.#loadApp(file, state)
      .then((kept) => {
        this.#kept.set(file, kept);
        return kept;
      })
      .finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  async #loadApp(file: string, state: string): Promise<Kept> {
    const asset = await this.#loadFile(file);
    return { state, asset, policy: appPolicy(isPage(file) ? scriptsOf(asset.plain) : []) };
  }

  async #read(file: string, { mtimeMs, size }: Stats): Promise<Kept> {
    const state = `${mtimeMs} ${size}`;
    let kept = this.#kept.get(file);
    if (kept?.state !== state) {
      const name = `${state} ${file}`;
      kept = await (this.#loading.get(name) ?? this.#load(name, file, state));
    }
    this.#kept.delete(file);
    this.#kept.set(file, kept);
    let bytes = [...this.#kept.values()].reduce((sum, { asset }) => sum + asset.plain.length, 0);
    for (const [oldest, { asset }] of this.#kept) {
      if (bytes <= KEPT_ALL_BYTES_MAX) break;
      this.#kept.delete(oldest);
      bytes -= asset.plain.length;
    }
    return kept;
  }
}

/** The names on the way; undefined if one of them can't belong to the app. The last is empty for a directory. */
function wordsOf(path: string): string[] | undefined {
  try {
    const words = path.split("/").map(decodeURIComponent);
    const isRight = words.every(
      (word, at) => !isHidden(word) && !/[/\\\0]/.test(word) && (word !== "" || at === words.length - 1),
    );
    return isRight ? words : undefined;
  } catch {
    return undefined;
  }
}

/** Includes "." and "..". */
function isHidden(name: string): boolean {
  return name.startsWith(".");
}

function isPage(file: string): boolean {
  return /^\.html?$/i.test(extname(file));
}

/**
 * Hashes of the scripts inside the page, for its policy. So these run, and a script that gets into the page with
 * somebody's text does not. A script that this overlooks does not run, and the browser reports it.
 */
function scriptsOf(html: Buffer): string[] {
  // In the form in which the browser reads it: line ends are one character.
  const text = html.toString("utf8").replaceAll(/\r\n?/g, "\n");
  const scripts = Array.from(text.matchAll(/<script\b([^>]*)>(.*?)<\/script/gis))
    .filter(([, attributes = "", script = ""]) => script !== "" && !/\ssrc\s*=/i.test(attributes))
    .slice(0, SCRIPTS_MAX);
  return scripts.map(([, , script = ""]) => `'sha256-${createHash("sha256").update(script, "utf8").digest("base64")}'`);
}

async function stream(
  request: IncomingMessage,
  response: ServerResponse,
  file: string,
  { size, mtimeMs }: Stats,
): Promise<void> {
  const tag = `"${size.toString(36)}-${mtimeMs.toString(36)}"`;
  const headers = {
    ...HEADERS,
    "Content-Security-Policy": appPolicy([]),
    "Content-Type": typeOf(file),
    "Cache-Control": "no-cache",
    ETag: tag,
  };
  if (request.headers["if-none-match"] === tag) return void response.writeHead(304, headers).end();
  response.writeHead(200, { ...headers, "Content-Length": size });
  if (request.method === "HEAD") return void response.end();
  // A client that leaves early has closed it; a file that became shorter meanwhile ends the connection.
  await pipeline(createReadStream(file, { end: size - 1 }), response).catch(() => response.destroy());
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(302, { ...HEADERS, Location: to, "Cache-Control": "no-store" }).end();
}
