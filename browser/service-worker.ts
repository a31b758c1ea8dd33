/**
 * Keeps the page, so that it opens although the node that served it is dead. All of a build is fetched when it is
 * installed and kept under the build's name. What the server has comes first where it answers, so that a reload gets
 * its version; the files below assets/ never change under their names. The build before stays, for tabs that are open
 * with it. An app that the node serves below app/ is kept file by file, as its tabs ask for them, and opens as the page
 * does.
 *
 * It imports nothing, because browsers load it by itself. vite.config.ts writes the names of the files into it.
 */

interface Build {
  /** Changes when any file changes. */
  readonly version: string;
  readonly files: readonly string[];
}

/** The parts of ServiceWorkerGlobalScope that are used; the DOM's types describe a window here. */
interface Installing extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Installing) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
}

const scope = globalThis as unknown as Scope;
const build = JSON.parse("@starfish-build@") as Build;
const PREFIX = "starfish-page-";
/** This build and the one before. */
const BUILDS_KEPT = 2;
/** A node that is there answers sooner, and a person who waits longer sees nothing. */
const ANSWER_MS = 3_000;
/** What pages of apps import. It has the same name in each build, so the server's file comes first. */
const DOOR = "starfish.js";
const APP = "app/";
const APP_CACHE = "starfish-app";
/** Files of apps that are kept: the oldest go. */
const APP_FILES_MAX = 200;

const urlOf = (file: string): string => new URL(file, scope.registration.scope).href;

async function install(): Promise<void> {
  const cache = await caches.open(PREFIX + build.version);
  const requests = build.files.map(
    (file) => new Request(urlOf(file), { cache: file.startsWith("assets/") ? "default" : "reload" }),
  );
  await cache.addAll(requests);
  await scope.skipWaiting();
}

async function activate(): Promise<void> {
  const kept = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  for (const name of kept.slice(0, -BUILDS_KEPT)) await caches.delete(name);
  await scope.clients.claim();
}

/** The page: the server's, or the kept one where it does not answer. */
async function open(request: Request, name: string): Promise<Response> {
  const answer = await answerOf(request);
  if (answer?.ok === true) return answer;
  return (await (await caches.open(PREFIX + build.version)).match(urlOf(name))) ?? Response.error();
}

/** The server's answer; undefined if it does not answer. */
async function answerOf(request: Request): Promise<Response | undefined> {
  try {
    return await Promise.race([fetch(request), silence()]);
  } catch {
    return undefined;
  }
}

/**
 * A file of an app. The server's answer comes first, and is kept if it is a file; if the server does not answer, the
 * kept file is used.
 */
async function ofApp(request: Request): Promise<Response> {
  const cache = await caches.open(APP_CACHE);
  const answer = await answerOf(request);
  if (answer === undefined) return (await cache.match(request, { ignoreSearch: true })) ?? Response.error();
  if (answer.status !== 200 || answer.redirected) return answer;
  // If the disk is full, nothing is kept, and the app opens all the same.
  await cache.put(request, answer.clone()).catch(() => {});
  const kept = await cache.keys();
  await Promise.all(kept.slice(0, -APP_FILES_MAX).map((oldest) => cache.delete(oldest)));
  return answer;
}

function silence(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("No answer")), ANSWER_MS));
}

async function file(request: Request): Promise<Response> {
  return (await caches.match(request.url)) ?? (await fetch(request));
}

scope.addEventListener("install", (event) => event.waitUntil(install()));
scope.addEventListener("activate", (event) => event.waitUntil(activate()));
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope.registration.scope)) return;
  const path = request.url.slice(scope.registration.scope.length).replace(/[?#].*$/, "");
  if (path.startsWith(APP)) event.respondWith(ofApp(request));
  else if (path === DOOR) event.respondWith(open(request, DOOR));
  else if (request.mode === "navigate") {
    if (path === "" || path === "index.html") event.respondWith(open(request, "index.html"));
  } else if (path.startsWith("assets/") || build.files.includes(path)) {
    event.respondWith(file(request));
  }
});
