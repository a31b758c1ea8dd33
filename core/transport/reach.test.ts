import { multiaddr } from "@multiformats/multiaddr";
import { describe, expect, test } from "vitest";
import { Reach } from "./reach.ts";

function reach(own: readonly string[], announced: readonly string[] = own): Reach {
  return new Reach(
    () => own,
    () => announced,
  );
}

function believes(one: Reach, ...addresses: readonly string[]): string[] {
  return addresses.filter((address) => one.allows(multiaddr(`/${address}/tcp/80`), 0));
}

const PRIVATE = [
  "ip4/127.0.0.1",
  "ip4/10.1.2.3",
  "ip4/172.20.0.1",
  "ip4/192.168.1.1",
  "ip4/169.254.169.254",
  "ip4/100.64.0.1",
  "ip6/::1",
  "ip6/fd00::1",
  "ip6/fe80::1",
  "ip6/::ffff:10.1.2.3",
  "dns4/localhost",
];
const PUBLIC = ["ip4/203.0.113.5", "ip4/172.15.0.1", "ip6/2001:db8::1", "dns4/node.example.org"];

describe("addresses that members tell", () => {
  test("of private networks are believed by who is in one itself", () => {
    expect(believes(reach(["203.0.113.9"]), ...PRIVATE, ...PUBLIC)).toEqual(PUBLIC);
    expect(believes(reach(["127.0.0.1", "10.9.9.9"], ["10.9.9.9"]), ...PRIVATE)).toEqual([
      "ip4/10.1.2.3",
      "ip6/::ffff:10.1.2.3",
    ]);
    expect(believes(reach(["192.168.0.7", "fd12::3"]), ...PRIVATE)).toEqual(["ip4/192.168.1.1", "ip6/fd00::1"]);
  });

  test("of this machine are believed by who is told of nowhere else", () => {
    const loopback = ["ip4/127.0.0.1", "ip6/::1", "dns4/localhost"];
    expect(believes(reach(["127.0.0.1", "10.0.0.1"], ["127.0.0.1"]), ...loopback)).toEqual(loopback);
    expect(believes(reach(["127.0.0.1", "10.0.0.1"], ["127.0.0.1", "10.0.0.1"]), ...loopback)).toEqual([]);
    // A tab of a page on this machine, and one of a page elsewhere.
    expect(believes(reach(["localhost"], []), ...loopback)).toEqual(loopback);
    expect(believes(reach(["node.example.org"], []), ...loopback)).toEqual([]);
  });

  test("of a network are believed once a member has answered there, as an invite led to it", () => {
    const inContainer = reach(["172.17.0.2"]);
    expect(believes(inContainer, "ip4/192.168.1.5")).toEqual([]);
    inContainer.begin(multiaddr("/ip4/192.168.1.4/tcp/80"), () => 0)(true);
    expect(believes(inContainer, "ip4/192.168.1.5")).toEqual(["ip4/192.168.1.5"]);
  });
});

describe("a host", () => {
  /**
   * How often a host is dialled within an hour by a node that wants to dial it every 100 ms, at a new port each time.
   */
  function dialsInAnHour(one: Reach): number {
    let dials = 0;
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 100) {
      const address = multiaddr(`/ip4/203.0.113.5/tcp/${1 + (nowMs % 60_000)}`);
      if (!one.allows(address, nowMs)) continue;
      dials++;
      one.begin(address, () => nowMs)(false);
    }
    return dials;
  }

  test("at which no member answers is dialled the more rarely the more often it fails", () => {
    expect(dialsInAnHour(reach([]))).toBeLessThan(20);
  });

  test("at which one has answered is tried again within a second, so that cuts heal", () => {
    const one = reach([]);
    one.begin(multiaddr("/ip4/203.0.113.5/tcp/1"), () => 0)(true);
    expect(dialsInAnHour(one)).toBeGreaterThan(3_000);
  });

  test("that says nothing is dialled four times at once at most, whichever addresses of its network are told", () => {
    const one = reach([]);
    const ends = Array.from({ length: 4 }, (_, i) => one.begin(multiaddr(`/ip6/2001:db8::${i + 1}/tcp/1`), () => 0));
    expect(one.allows(multiaddr("/ip6/2001:db8::99/tcp/2"), 0)).toBe(false);
    expect(one.allows(multiaddr("/ip6/2001:db9::99/tcp/2"), 0)).toBe(true);
    for (const end of ends) end(undefined);
    expect(one.allows(multiaddr("/ip6/2001:db8::99/tcp/2"), 0)).toBe(true);
  });
});
