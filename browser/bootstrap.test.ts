import { describe, expect, test } from "vitest";
import { bootstrapAddress } from "./bootstrap.ts";

describe("bootstrapAddress", () => {
  test.each([
    ["http://127.0.0.1:4500/", "/ip4/127.0.0.1/tcp/4500/ws"],
    ["http://localhost/", "/dns4/localhost/tcp/80/ws"],
    ["https://sea.example/x", "/dns4/sea.example/tcp/443/wss"],
    ["https://[fd00::1]:8443/", "/ip6/fd00::1/tcp/8443/wss"],
    ["file:///home/page.html", undefined],
  ])("%s is %s", (url, address) => {
    expect(bootstrapAddress(new URL(url))).toBe(address);
  });
});
