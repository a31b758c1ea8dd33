import { describe, expect, test } from "vitest";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import type { AdmittedLink } from "../links/links.ts";
import { mixRow } from "../membership/rows.ts";
import { Guard } from "./guard.ts";
import { chooseProbe } from "./heal.ts";
import { Mesh } from "./mesh.ts";
import { NeighbourView } from "./view.ts";
import { packLeads, unpackLeads } from "./wire.ts";
import { packIds } from "../membership/rows.ts";
import type { Member } from "../types.ts";

/** Chance that repeats (a linear congruential generator). */
function chance(seed = 1): Random {
  let state = (seed * 1_000_003) % 2_147_483_647;
  return {
    real: () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647,
    bytes: (length) => new Uint8Array(length),
  };
}

function link(peer: PeerId, via?: PeerId): AdmittedLink {
  return {
    peer,
    role: "member",
    inbound: false,
    path: () => ({
      kind: via === undefined ? "direct" : "relayed",
      transport: "simulated",
      ...(via !== undefined && { via }),
    }),
    send: () => true,
    open: () => Promise.reject(new Error("not used here")),
    close: () => Promise.resolve(),
  };
}

function member(peer: PeerId, fields: Partial<Member["record"]> = {}, status: Member["status"] = "awake"): Member {
  const record = {
    peer,
    incarnation: 1,
    name: peer,
    kind: "tab" as const,
    device: peer,
    host: peer,
    role: "member" as const,
    addresses: [],
    coresLent: 0,
    coresBusy: 0,
    startedAtMs: 0,
    state: "awake" as const,
    relayReason: undefined,
    card: undefined,
    ...fields,
  };
  return { record, status, isSelf: false };
}

const peers = (count: number): PeerId[] => Array.from({ length: count }, (_, i) => `p${i}`);
const self: Member = { ...member("self"), isSelf: true };
const everyone = [self, ...peers(40).map((peer) => member(peer))];

describe("the mesh", () => {
  test("wants links to everyone in a small swarm, and to a few at random in a large one", () => {
    const mesh = new Mesh(chance(), 32);
    expect(new Set(mesh.wanted([], everyone.slice(0, 4), 0, 0))).toEqual(new Set(peers(3)));
    const wanted = mesh.wanted([], everyone, 0, 0);
    expect(wanted.length).toBe(4);
    expect(mesh.wanted([], everyone, 3, 0).length).toBe(1);
    const seven = peers(7).map((peer) => link(peer));
    expect(mesh.wanted(seven, everyone, 0, 0)).toEqual([]);
  });

  test("leaves alone for a while whom it could not reach, suspects, and whom it is linked to", () => {
    const mesh = new Mesh(chance(), 32);
    const few = [self, member("a"), member("b", {}, "suspect"), member("c")];
    mesh.failed("a", 0);
    expect(mesh.wanted([link("c")], few, 0, 100)).toEqual([]);
    expect(mesh.wanted([link("c")], few, 0, 3_100)).toEqual(["a"]);
    mesh.failed("a", 3_100);
    expect(mesh.wanted([link("c")], few, 0, 5_000)).toEqual([]);
  });

  test("gives up what is beyond its degree, but nothing in use, young, refused, or that carries other links", () => {
    const mesh = new Mesh(chance(), 32);
    const links = peers(13).map((peer, i) => link(peer, i === 12 ? "p0" : undefined));
    for (const { peer } of links) mesh.linked(peer, 0);
    expect(mesh.surplus(links, 40, 1_000)).toEqual([]);
    mesh.used("p1", 20_000);
    mesh.refused("p2", 20_000);
    for (let i = 0; i < 20; i++) {
      const surplus = mesh.surplus(links, 40, 20_000).map(({ peer }) => peer);
      expect(surplus.length).toBe(4);
      for (const kept of ["p0", "p1", "p2"]) expect(surplus).not.toContain(kept);
    }
    expect(mesh.surplus(links, 12, 20_000)).toEqual([]);
  });

  test("spares a link for another's sake only while it has enough", () => {
    const mesh = new Mesh(chance(), 32);
    const links = peers(7).map((peer) => link(peer));
    expect(mesh.maySpare(link("p0"), links, 0)).toBe(true);
    expect(mesh.maySpare(link("p0"), links.slice(1), 0)).toBe(false);
    mesh.linked("p0", 0);
    mesh.used("p0", 0);
    expect(mesh.maySpare(link("p0"), links, 1_000)).toBe(false);
  });

  test("at its cap gives up the link that was not used for longest", () => {
    const mesh = new Mesh(chance(), 3);
    const links = [link("a"), link("b"), link("c", "a")];
    links.forEach(({ peer }, i) => mesh.linked(peer, i));
    mesh.used("b", 100);
    expect(mesh.leastUsed(links)?.peer).toBe("c");
    expect(mesh.wanted(links, everyone, 0, 0)).toEqual([]);
  });

  test("links to several of those that return together, beyond its degree", () => {
    const mesh = new Mesh(chance(), 32);
    const seven = peers(7).map((peer) => link(peer));
    for (const { record } of everyone.slice(21)) mesh.returned(record.peer, 0);
    const dialled: PeerId[] = [];
    for (let i = 0; i < 10; i++) dialled.push(...mesh.wanted(seven, everyone, 0, i));
    expect(dialled.length).toBe(3);
    for (const peer of dialled) expect(Number(peer.slice(1))).toBeGreaterThanOrEqual(20);
  });
});

describe("the view of neighbours' links", () => {
  test("follows what they say, in full and by changes", () => {
    const view = new NeighbourView();
    view.told("a", { links: packIds([1, 2]) });
    view.told("b", { added: packIds([2, 3]) });
    view.told("a", { removed: packIds([1]), added: packIds([4]) });
    expect([...view.linksOf("a")]).toEqual([2, 4]);
    expect(view.linkedTo(2)).toEqual(["a", "b"]);
    expect(view.linkedTo(1)).toEqual([]);
    view.told("a", { links: packIds([]) });
    view.forget("b");
    expect(view.linkedTo(2)).toEqual([]);
  });

  test("does not grow with what a neighbour makes up", () => {
    const view = new NeighbourView();
    for (let i = 0; i < 100; i++)
      view.told("a", { added: packIds(Array.from({ length: 100 }, (_, k) => 100 * i + k)) });
    expect(view.linksOf("a").size).toBeLessThan(1_000);
  });

  test("leads come back as they were packed", () => {
    const leads = [
      { id: 1, linkedTo: 2 },
      { id: 2 ** 48 - 1, linkedTo: 0 },
    ];
    expect(unpackLeads(packLeads(leads))).toEqual(leads);
  });
});

describe("the guard", () => {
  test("gives each of a lost node's neighbours to two of the others", () => {
    const ids = Array.from({ length: 10 }, (_, i) => 1_000 + i);
    const guards = ids.map((id) => {
      const guard = new Guard();
      guard.lost(new Set(ids), id, () => true, 0);
      expect(guard.due(500)).toEqual([]);
      return guard.due(1_000);
    });
    for (const ward of ids) expect(guards.filter((wards) => wards.includes(ward)).length).toBe(2);
    expect(mixRow(1_000, 1_001)).not.toBe(mixRow(1_001, 1_000));
  });

  test("cares for nobody that is known to be gone, and counts on nobody that is", () => {
    const guard = new Guard();
    guard.lost(new Set([1, 2, 3, 4, 5]), 1, (id) => id === 2 || id === 1, 0);
    expect(guard.due(1_000)).toEqual([2]);
  });
});

describe("the search for the missing", () => {
  const gone = (count: number): { member: Member; agoMs: number }[] =>
    peers(count).map((peer) => ({ member: member(peer, { addresses: [`at:${peer}`] }, "gone"), agoMs: 10_000 }));

  test("costs the swarm a few dials a second, however large it is", () => {
    for (const awake of [20, 200]) {
      const random = chance(awake);
      let dials = 0;
      for (let i = 0; i < 20_000; i++) {
        if (chooseProbe(random, { missing: gone(5), awake, links: 8, hasBootstrap: true }, 500) !== undefined) dials++;
      }
      const perSecond = (dials / 20_000) * 2 * awake;
      expect(perSecond).toBeGreaterThan(4);
      expect(perSecond).toBeLessThan(6);
    }
  });

  test("tries the recent more than the old and those that said goodbye, and all of them in time", () => {
    const random = chance(3);
    const view = {
      missing: [
        { member: member("recent", { addresses: ["r"] }, "gone"), agoMs: 5_000 },
        { member: member("old", { addresses: ["o"] }, "gone"), agoMs: 3_600_000 },
        { member: member("left", { addresses: ["l"], state: "left" }, "gone"), agoMs: 5_000 },
        { member: member("nowhere", {}, "gone"), agoMs: 5_000 },
      ],
      awake: 1,
      links: 1,
      hasBootstrap: true,
    };
    const counts = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const probe = chooseProbe(random, view, 500);
      const name = probe?.kind === "member" ? probe.member.record.peer : (probe?.kind ?? "nobody");
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const count = (name: string): number => counts.get(name) ?? 0;
    expect(count("recent")).toBeGreaterThan(5 * count("old"));
    for (const name of ["old", "left", "bootstrap"]) expect(count(name)).toBeGreaterThan(50);
    expect(count("nowhere")).toBe(0);
  });

  test("leaves members in peace while nobody is missing", () => {
    const random = chance(4);
    for (let i = 0; i < 1_000; i++) {
      expect(chooseProbe(random, { missing: [], awake: 1, links: 1, hasBootstrap: true }, 500)).toBeUndefined();
    }
  });
});
