import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import type { LogLevel } from "../core/ports/log.ts";
import { PageOrigins } from "./page-origins.ts";

function request(origin: string | undefined, host: string): IncomingMessage {
  return { headers: { host, ...(origin === undefined ? {} : { origin }) } } as IncomingMessage;
}

function origins(url = "http://127.0.0.1:4500/"): { pages: PageOrigins; told: unknown[] } {
  const told: unknown[] = [];
  const log = { write: (_: LogLevel, event: string, fields = {}) => void told.push({ event, ...fields }) };
  return { pages: new PageOrigins(url, log), told };
}

test.each([
  ["no page", undefined, "127.0.0.1:4500"],
  ["a program that goes by any name", undefined, "rebound.example.org:4500"],
  ["its own page", "http://127.0.0.1:4500", "127.0.0.1:4500"],
  ["the same under another name of this machine", "http://localhost:4500", "localhost:4500"],
  ["the same over IPv6", "http://[::1]:4500", "[::1]:4500"],
  ["a published port of a container", "http://localhost:8080", "localhost:8080"],
  ["its own page from another machine", "http://192.168.1.5:4500", "192.168.1.5:4500"],
  ["a name of the local network", "http://box.local:4500", "box.local:4500"],
  ["a name without a domain", "http://starfish:4500", "starfish:4500"],
  ["the default port", "http://192.168.1.5", "192.168.1.5"],
])("%s is let in", (_, origin, host) => {
  expect(origins().pages.allows(request(origin, host))).toBe(true);
});

test.each([
  ["a page of the web", "https://example.org", "127.0.0.1:4500"],
  ["a name that leads here by DNS", "http://rebound.example.org:4500", "rebound.example.org:4500"],
  ["another program of this machine", "http://localhost:3000", "localhost:4500"],
  ["a page without an origin of its own", "null", "127.0.0.1:4500"],
  ["an origin that is none", "what?", "127.0.0.1:4500"],
  ["an extension", "chrome-extension://abcdefgh", "127.0.0.1:4500"],
  ["a name that begins like an address", "http://127.0.0.1.example.org:4500", "127.0.0.1.example.org:4500"],
])("%s is not, and that is told once", (_, origin, host) => {
  const { pages, told } = origins();
  for (let i = 0; i < 3; i++) expect(pages.allows(request(origin, host))).toBe(false);
  expect(told).toMatchObject([{ event: "page.refused", origin }]);
});

test("what --url says is let in behind a proxy, whatever host that asks for", () => {
  const { pages } = origins("https://star.example.org/");
  expect(pages.allows(request("https://star.example.org", "127.0.0.1:4500"))).toBe(true);
  expect(pages.allows(request("https://star.example.org:8443", "127.0.0.1:4500"))).toBe(false);
});

test("by https, the names of the certificate are let in", () => {
  const log = { write: () => {} };
  const pages = new PageOrigins("https://10.0.0.7:4500/", log, ["star.example.org", "*.swarm.example.org"]);
  const allows = (origin: string): boolean => pages.allows(request(origin, new URL(origin).host));
  expect(allows("https://star.example.org:4500")).toBe(true);
  expect(allows("https://a.swarm.example.org:4500")).toBe(true);
  // Anybody could make such a name lead here, and without https no certificate proves it.
  expect(allows("http://star.example.org:4500")).toBe(false);
  expect(allows("https://rebound.example.org:4500")).toBe(false);
  expect(allows("https://a.b.swarm.example.org:4500")).toBe(false);
  expect(pages.allows(request("https://star.example.org:4500", "10.0.0.7:4500"))).toBe(false);
});

test("so are the pages of members, for good", () => {
  const { pages } = origins();
  const before = request("http://192.168.1.7:4501", "192.168.1.5:4500");
  expect(pages.allows(before)).toBe(false);
  pages.learn(["/ip4/192.168.1.7/tcp/4400", "/ip4/192.168.1.7/tcp/4501/ws", "/dns4/a.example.org/tcp/443/wss", "junk"]);
  pages.learn(["/ip6/fd00::7/tcp/4501/ws", "/ip4/127.0.0.1/tcp/4501/ws/p2p/12D3KooW"]);
  expect(pages.allows(before)).toBe(true);
  expect(pages.allows(request("https://a.example.org", "192.168.1.5:4500"))).toBe(true);
  expect(pages.allows(request("http://[fd00::7]:4501", "192.168.1.5:4500"))).toBe(true);
  expect(pages.allows(request("http://localhost:4501", "127.0.0.1:4500"))).toBe(true);
  expect(pages.allows(request("http://192.168.1.7:4400", "192.168.1.5:4500"))).toBe(false);
});
