import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, toBase64Url } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { peerIdOf } from "../../base/peer-id.ts";
import { realCrypto as crypto } from "../../platform/crypto.ts";
import { silentLog } from "../../ports/log.ts";
import { MemoryStore } from "../../platform/memory-store.ts";
import { realRandom as random } from "../../platform/random.ts";
import { verifyChain } from "./certificate.ts";
import { acceptInvite, foundSwarm, loadCredentials, obtainCredentials, standingOf } from "./credentials.ts";
import { loadIdentity, type Identity } from "./identity.ts";
import { checkInvite, formatInvite, parseInvite } from "./invite.ts";
import { FOUNDER_LIFETIME_MS, INVITE_LIFETIME_MS } from "../limits.ts";

const NOW = 1_800_000_000_000;
const ADDRESSES = ["/ip4/192.168.1.20/tcp/8080/ws/p2p/12D3KooWSomebody"];

function newIdentity(): Identity {
  const keys = crypto.keyPair(random.bytes(32));
  const peer = peerIdOf(keys.publicKey);
  return { peer, keys, device: peer };
}

const founder = newIdentity();
const founded = foundSwarm(crypto, random, founder, NOW);
const link = formatInvite(crypto, { ...founded, addresses: ADDRESSES });

function errorOf(work: () => unknown): StarfishError {
  try {
    work();
  } catch (error) {
    if (error instanceof StarfishError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

describe("an invite's text", () => {
  test("carries everything a newcomer needs, and fits a QR code", () => {
    const invite = parseInvite(crypto, link);
    expect(invite).toEqual({
      swarm: founded.swarm,
      delegation: founded.delegation,
      secret: founded.secret,
      addresses: ADDRESSES,
    });
    // The address names its host by a peer id, and so has no short form.
    expect(link.length).toBeLessThan(280);
    expect(formatInvite(crypto, { ...founded, addresses: [] })).toHaveLength(191);
    expect(link).toMatch(/^v2\.[\w-]+$/);
  });

  test("names a few usual addresses in few characters", () => {
    const usual = ["/ip4/192.168.1.20/tcp/8080/ws", "/ip4/10.0.0.255/tcp/65535/wss", "/ip4/0.1.2.3/tcp/1"];
    const text = formatInvite(crypto, { ...founded, addresses: usual });
    expect(text.length).toBeLessThanOrEqual(191 + 3 * 10);
    expect(parseInvite(crypto, text).addresses).toEqual(usual);
    const odd = ["/ip4/1.2.3.4/tcp/65536/ws", "/ip4/01.2.3.4/tcp/1", "/ip4/1.2.3.400/tcp/1", "/ip6/::1/tcp/1/ws"];
    expect(parseInvite(crypto, formatInvite(crypto, { ...founded, addresses: odd })).addresses).toEqual(odd);
  });

  test("says a secret that is not the derived one, and chains that have no short form", () => {
    const other = { ...founded, secret: random.bytes(32), addresses: ADDRESSES };
    expect(parseInvite(crypto, formatInvite(crypto, other))).toMatchObject({ secret: other.secret });
    const chain = [...founded.delegation.chain, ...founded.delegation.chain];
    const long = formatInvite(crypto, { ...other, delegation: { ...founded.delegation, chain } });
    expect(long).toMatch(/^v1\./);
    expect(parseInvite(crypto, long)).toMatchObject({
      swarm: founded.swarm,
      delegation: { chain },
      secret: other.secret,
    });
  });

  test("may be the whole link, with space around it", () => {
    expect(parseInvite(crypto, ` https://example.org:8443/#${link}\n`).swarm).toBe(founded.swarm);
  });

  test("holds as many addresses as there is room for, and none that is too long", () => {
    const many = Array.from({ length: 9 }, (_, i) => `/ip4/10.0.0.${i}/tcp/1`);
    const invite = parseInvite(crypto, formatInvite(crypto, { ...founded, addresses: ["x".repeat(5_000), ...many] }));
    expect(invite.addresses).toEqual(many.slice(0, 4));
  });

  test.each([
    ["", /no key in it/],
    ["https://example.org/", /no Starfish invite/],
    ["https://example.org/#", /no key in it/],
    ["hello", /no Starfish invite/],
    [`${link.slice(0, 100)}!${link.slice(101)}`, /don't belong/],
    [link.slice(0, -1), /cut off/],
    [link.slice(0, 40), /cut off/],
    ["v1.", /cut off/],
    [`v1.${"A".repeat(5_000)}`, /too long/],
  ])("%# is refused in words for people", (text, message) => {
    const error = errorOf(() => parseInvite(crypto, text));
    expect(error.code).toBe("bad-invite");
    expect(error.message).toMatch(message);
  });

  test("of another version is told as such", () => {
    expect(errorOf(() => parseInvite(crypto, "v3.AAAA")).code).toBe("version-mismatch");
  });

  test("with any letter changed is refused", () => {
    for (let at = 3; at < link.length; at++) {
      const changed = link.slice(0, at) + (link[at] === "A" ? "B" : "A") + link.slice(at + 1);
      expect(errorOf(() => parseInvite(crypto, changed)).code).toBe("bad-invite");
    }
  });

  test("with a changed letter is told from one that is cut off", () => {
    const at = 100;
    const changed = link.slice(0, at) + (link[at] === "A" ? "B" : "A") + link.slice(at + 1);
    expect(errorOf(() => parseInvite(crypto, changed)).message).toMatch(/letter/);
  });

  test("whatever it is, it lets in or is refused with a StarfishError", () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const text = fc.oneof(
      fc.string(),
      bytes.map((some) => `v1.${toBase64Url(some)}`),
      bytes.map((some) => `v2.${toBase64Url(some)}`),
      fc.uint8Array({ minLength: 137, maxLength: 200 }).map((body) => {
        return `v2.${toBase64Url(concat([body, crypto.sha256(body).slice(0, 4)]))}`;
      }),
      bytes.map((body) => `v1.${toBase64Url(encode([body, crypto.sha256(body).slice(0, 4)]))}`),
      fc.nat(link.length).map((length) => link.slice(0, length)),
    );
    fc.assert(
      fc.property(text, (some) => {
        if (some !== link) errorOf(() => checkInvite(crypto, parseInvite(crypto, some), NOW));
      }),
      { numRuns: 500 },
    );
  });
});

describe("an invite lets in", () => {
  const invite = parseInvite(crypto, link);

  test("whoever holds it, within its limits", () => {
    const newcomer = newIdentity();
    const { chain } = acceptInvite(crypto, newcomer, invite, NOW + 1_000);
    expect(verifyChain(crypto, chain, founded.swarm, newcomer.peer, NOW + 2_000)).toEqual({
      role: "member",
      notAfterMs: NOW + INVITE_LIFETIME_MS,
    });
  });

  test("nobody once it has expired, or if its key is not the delegate's", () => {
    const late = errorOf(() => checkInvite(crypto, invite, NOW + 2 * INVITE_LIFETIME_MS));
    expect(late.code).toBe("bad-invite");
    expect(late.message).toMatch(/expired/);
    const forged = { ...invite, delegation: { ...invite.delegation, privateKey: random.bytes(32) } };
    expect(errorOf(() => acceptInvite(crypto, newIdentity(), forged, NOW)).code).toBe("bad-invite");
  });
});

describe("what a node keeps", () => {
  function ports() {
    return { store: new MemoryStore(), crypto, random, log: silentLog };
  }

  test("makes it the same node after a restart", async () => {
    const disk = new Map<string, Uint8Array>();
    const before = await loadIdentity({ ...ports(), store: new MemoryStore(disk) });
    const after = await loadIdentity({ ...ports(), store: new MemoryStore(disk) }, { device: "laptop" });
    expect(after.peer).toBe(before.peer);
    expect(before.device).toBe(before.peer);
    expect(after.device).toBe("laptop");
  });

  test("is refused when it is damaged", async () => {
    const store = new MemoryStore();
    await store.set("net/key", Uint8Array.of(1, 2));
    await expect(loadIdentity({ ...ports(), store })).rejects.toMatchObject({ code: "io" });
  });

  test("is used where the disk is full: what is kept does for the next start too", async () => {
    const kept = ports();
    const identity = await loadIdentity(kept);
    const invite = parseInvite(crypto, link);
    const full = (): Promise<void> => Promise.reject(new StarfishError("io", "The disk is full"));
    const { store } = kept;
    const set = store.set.bind(store);
    store.set = full;
    await expect(obtainCredentials(kept, identity, invite, { found: false, nowMs: NOW })).rejects.toThrow(
      "disk is full",
    );
    store.set = set;
    const first = await obtainCredentials(kept, identity, invite, { found: false, nowMs: NOW });
    store.set = full;
    const again = await obtainCredentials(kept, identity, undefined, { found: true, nowMs: NOW + 1_000 });
    expect(again.swarm).toBe(first.swarm);
  });

  test("makes it a member of the same swarm, with and without the link", async () => {
    const kept = ports();
    const identity = await loadIdentity(kept);
    const invite = parseInvite(crypto, link);
    const first = await obtainCredentials(kept, identity, invite, { found: false, nowMs: NOW });
    const again = await obtainCredentials(kept, identity, undefined, { found: true, nowMs: NOW + 1_000 });
    expect(again).toEqual(first);
    expect(await loadCredentials(kept)).toEqual(first);
  });

  test("holds several swarms, and returns to each by its link", async () => {
    const kept = ports();
    const identity = await loadIdentity(kept);
    const mine = await obtainCredentials(kept, identity, undefined, { found: true, nowMs: NOW });
    const other = await obtainCredentials(kept, identity, parseInvite(crypto, link), { found: false, nowMs: NOW });
    expect(other.swarm).not.toBe(mine.swarm);
    expect((await loadCredentials(kept))?.swarm).toBe(other.swarm);
    const back = await obtainCredentials(kept, identity, parseInvite(crypto, formatInvite(crypto, mine)), {
      found: false,
      nowMs: NOW,
    });
    expect(back.root).toEqual(mine.root);
    expect(standingOf(crypto, identity, back, NOW).role).toBe("admin");
  });

  test("is renewed by the founder itself, and by a newer link", async () => {
    const kept = ports();
    const identity = await loadIdentity(kept);
    await obtainCredentials(kept, identity, undefined, { found: true, nowMs: NOW });
    const later = NOW + 2 * FOUNDER_LIFETIME_MS;
    const renewed = await obtainCredentials(kept, identity, undefined, { found: true, nowMs: later });
    expect(standingOf(crypto, identity, renewed, later).role).toBe("admin");
    const newLink = parseInvite(crypto, formatInvite(crypto, renewed));

    const guest = ports();
    const guestIdentity = await loadIdentity(guest);
    await obtainCredentials(guest, guestIdentity, parseInvite(crypto, formatInvite(crypto, renewed)), {
      found: false,
      nowMs: later,
    });
    const muchLater = later + 2 * INVITE_LIFETIME_MS;
    await expect(
      obtainCredentials(guest, guestIdentity, undefined, { found: true, nowMs: muchLater }),
    ).rejects.toMatchObject({ code: "bad-certificate" });
    expect(newLink.swarm).toBe(renewed.swarm);
    const founderAgain = await obtainCredentials(kept, identity, undefined, { found: true, nowMs: muchLater });
    const fresh = parseInvite(crypto, formatInvite(crypto, founderAgain));
    const back = await obtainCredentials(guest, guestIdentity, fresh, { found: false, nowMs: muchLater });
    expect(standingOf(crypto, guestIdentity, back, muchLater).role).toBe("member");
  });

  test("is nothing for who has no link and may not found", async () => {
    const kept = ports();
    const identity = await loadIdentity(kept);
    await expect(obtainCredentials(kept, identity, undefined, { found: false, nowMs: NOW })).rejects.toMatchObject({
      code: "bad-invite",
    });
  });
});
