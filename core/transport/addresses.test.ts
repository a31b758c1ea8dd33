import { expect, test } from "vitest";
import { parseAddress } from "./addresses.ts";

test.each(["/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.1/tcp/80/ws", "/dns4/example.org/tcp/443/wss"])(
  "%s is dialled",
  (address) => {
    expect(parseAddress(address).toString()).toBe(address);
  },
);

test.each([
  "192.0.2.1:4001",
  "/ip4/192.0.2.1/udp/4001",
  "/ip4/192.0.2.1/tcp/4001/ws/p2p-circuit",
  // Dialling it would ask public DNS servers (by HTTPS from a tab), because a member said so.
  "/dnsaddr/example.org",
  "/dnsaddr/example.org/tcp/443/ws",
])("%s is not", (address) => {
  expect(() => parseAddress(address)).toThrow(expect.objectContaining({ code: "malformed" }));
});
