import { expect, test } from "vitest";
import { bestAddresses, forOtherDevices } from "./bootstrap.ts";
import { ADDRESS_CHARS_MAX, INVITE_ADDRESSES_MAX } from "../limits.ts";
import type { Member, MemberRecord } from "../types.ts";

function member(name: string, patch: Partial<MemberRecord> = {}, status: Member["status"] = "awake"): Member {
  const record: MemberRecord = {
    peer: name,
    incarnation: 1,
    name,
    kind: "node",
    device: name,
    host: name,
    role: "member",
    addresses: [`/${name}/1`, `/${name}/2`],
    coresLent: 0,
    coresBusy: 0,
    startedAtMs: 0,
    state: "awake",
    relayReason: undefined,
    card: undefined,
    ...patch,
  };
  return { record, status, isSelf: false };
}

test("this node's own address comes first, then one of each other device", () => {
  const members = [member("a"), member("b"), member("c", { device: "a" })];
  expect(bestAddresses(members, ["/own/1", "/own/2"], [])).toEqual(["/own/1", "/a/1", "/b/1", "/own/2"]);
  expect(bestAddresses(members, [], [])).toEqual(["/a/1", "/b/1", "/a/2", "/b/2"]);
});

test("those that have been there longest are likeliest to stay", () => {
  const members = [member("new", { startedAtMs: 9 }), member("old", { startedAtMs: 1 })];
  expect(bestAddresses(members, [], [])[0]).toBe("/old/1");
});

test("tabs, sleepers and the gone are of no use; what was known before is better than nothing", () => {
  const members = [
    member("tab", { kind: "tab", addresses: [] }),
    member("gone", {}, "gone"),
    member("asleep", {}, "asleep"),
    member("suspect", {}, "suspect"),
  ];
  expect(bestAddresses(members, [], ["/before"])).toEqual(["/before"]);
});

test("an invite gets few addresses, none twice and none that is too long", () => {
  const members = Array.from({ length: 20 }, (_, i) => member(`n${i}`));
  const best = bestAddresses(members, ["/n0/1", "x".repeat(ADDRESS_CHARS_MAX + 1)], ["/n1/1"]);
  expect(best).toEqual(["/n0/1", "/n1/1", "/n2/1", "/n3/1"]);
  expect(best.length).toBe(INVITE_ADDRESSES_MAX);
});

test("an invite names this machine only where nothing else is known", () => {
  const local = ["/ip4/127.0.0.1/tcp/4500/ws", "/ip6/::1/tcp/4500/ws", "/dns4/localhost/tcp/4500/ws"];
  expect(forOtherDevices(local)).toEqual(local);
  expect(forOtherDevices([...local, "/ip4/10.0.0.7/tcp/4500/ws"])).toEqual(["/ip4/10.0.0.7/tcp/4500/ws"]);
});
