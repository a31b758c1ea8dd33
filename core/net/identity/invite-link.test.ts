import { expect, test } from "vitest";
import { peerIdOf } from "../../base/peer-id.ts";
import { realCrypto as crypto } from "../../platform/crypto.ts";
import { realRandom as random } from "../../platform/random.ts";
import { foundSwarm } from "./credentials.ts";
import { formatInvite, parseInvite } from "./invite.ts";
import { inviteLink, isLocalLink, type Inviter } from "./invite-link.ts";
import type { Member } from "../types.ts";

const keys = crypto.keyPair(random.bytes(32));
const self = peerIdOf(keys.publicKey);
const founded = foundSwarm(crypto, random, { peer: self, keys, device: self }, Date.UTC(2026, 10, 30));

function memberAt(peer: string, addresses: readonly string[], status: Member["status"] = "awake"): Member {
  const record = {
    peer,
    incarnation: 1,
    name: peer,
    kind: "node",
    device: peer,
    host: peer,
    role: "member",
    addresses,
    coresLent: 0,
    coresBusy: 0,
    startedAtMs: 0,
    state: "awake",
    relayReason: undefined,
    card: undefined,
  } as const;
  return { record, status, isSelf: peer === self };
}

function inviter(base: string, addresses: readonly string[], others: readonly Member[] = []): Inviter {
  const net = {
    members: () => [memberAt(self, addresses), ...others],
    invite: (options?: { charsMax?: number }) => formatInvite(crypto, { ...founded, addresses }, options),
  };
  return { net: net as unknown as Inviter["net"], inviteBase: () => base };
}

test.each([
  "http://192.168.178.100:4500/",
  "https://192.168.178.100:54500/",
  "https://[2001:db8:1234:5678:9abc:def0:1234:5678]:4500/",
  "https://starfish.some-department.example.org/open/",
])("a link at %s has at most 250 characters, with as many ways in as there is room for", (base) => {
  const addresses = [
    "/ip4/192.168.178.100/tcp/4500/ws",
    "/ip6/2001:db8:1234:5678:9abc:def0:1234:5678/tcp/4500/ws",
    "/ip4/192.168.178.101/tcp/4500/wss",
    "/ip4/192.168.178.102/tcp/34567",
  ];
  const link = inviteLink(inviter(base, addresses));
  expect(link.length).toBeLessThanOrEqual(250);
  const invite = parseInvite(crypto, link);
  expect(invite).toMatchObject({ swarm: founded.swarm, delegation: founded.delegation, secret: founded.secret });
  expect(addresses).toEqual(expect.arrayContaining([...invite.addresses]));
  if (base.length < 35) expect(invite.addresses.length).toBeGreaterThan(0);
});

test("a link of this machine only names another node's page, where others can reach one", () => {
  const local = "http://127.0.0.1:4500/";
  const alone = inviter(local, ["/ip4/127.0.0.1/tcp/4500/ws"]);
  expect(inviteLink(alone)).toMatch(/^http:\/\/127\.0\.0\.1:4500\/#v2\./);
  const others = [
    memberAt("gone", ["/ip4/10.0.0.9/tcp/4500/ws"], "gone"),
    memberAt("local", ["/ip4/127.0.0.1/tcp/4501/ws"]),
    memberAt("plain", ["/ip4/10.0.0.7/tcp/9999"]),
    memberAt("reached", ["/ip4/10.0.0.8/tcp/4502/wss"]),
  ];
  expect(inviteLink(inviter(local, [], others))).toMatch(/^https:\/\/10\.0\.0\.8:4502\/#v2\./);
});

test.each([
  ["http://localhost:4500/#v2.x", true],
  ["http://127.0.0.1/", true],
  ["https://[::1]:1/", true],
  ["http://127.example.org/", false],
  ["http://localhost.example.org/", false],
  ["http://10.77.0.1:4500/", false],
])("%s leads nowhere but here: %s", (link, isLocal) => {
  expect(isLocalLink(link)).toBe(isLocal);
});
