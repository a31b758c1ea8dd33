/** A computer that only looks alive: made-up members, for looking at the page at any size of swarm. Never shipped. */
import type { Computer } from "../../../core/computer.ts";
import { Listeners } from "../../../core/base/events.ts";
import type { LinkInfo, Member, MemberChange, MemberRecord, MemberStatus } from "../../../core/net/types.ts";
import { shortIdOf } from "../../../core/net/membership/rows.ts";
import { friendlyName } from "../../../core/net/identity/names.ts";
import { realCrypto } from "../../../core/platform/crypto.ts";
import { demoDisk } from "./disk.ts";
import { demoMemory } from "./memory.ts";

export interface Demo {
  readonly computer: Computer;
  set(index: number, status: MemberStatus, patch?: Partial<MemberRecord>): void;
  traffic(index: number, direction: "in" | "out", bytes: number): void;
  /** Writes an entry as if a member had written it. */
  write(index: number, key: string, value: unknown): void;
}

export async function demoComputer(count: number): Promise<Demo> {
  const changes = new Listeners<MemberChange>();
  const traffic = new Listeners<{ peer: string; direction: "in" | "out"; bytes: number }>();
  const members = Array.from({ length: count }, (_, index): Member => member(index));
  const links = members.slice(1, 9).map((one, index): LinkInfo => ({
    peer: one.record.peer,
    path:
      index % 4 === 3
        ? {
            kind: "relayed",
            transport: "circuit",
            via: members[1]?.record.peer ?? "",
            reason: "no WebRTC in this browser",
          }
        : { kind: "direct", transport: index === 0 ? "websocket" : "webrtc" },
    roundTripMs: 1.5 + index * 2.3,
  }));
  const net = {
    self: members[0]?.record.peer ?? "",
    swarm: "demo",
    members: () => members,
    member: (peer: string) => members.find(({ record }) => record.peer === peer),
    onMember: (listener: (change: MemberChange) => void) => changes.add(listener),
    links: () => links,
    onLinks: () => () => {},
    onTraffic: (listener: (event: { peer: string; direction: "in" | "out"; bytes: number }) => void) =>
      traffic.add(listener),
    invite: () => "v1.demo".padEnd(600, "x"),
  };
  const cpu = { cores: 4, lent: 0, onActivity: () => () => {}, running: () => [], jobs: () => [] };
  const shared = demoMemory();
  const computer = {
    net,
    cpu,
    memory: shared.memory,
    ...(await demoDisk(net.self)),
    crypto: realCrypto,
    inviteBase: () => `${location.origin}/`,
    builtins: () => ["primes", "mandelbrot", "wordcount"],
  } as unknown as Computer;
  return {
    computer,
    set(index, status, patch = {}): void {
      const before = members[index];
      if (before === undefined) return;
      const next = { ...before, status, record: { ...before.record, ...patch } };
      members[index] = next;
      changes.emit({ member: next, before: before.status });
    },
    write(index, key, value): void {
      shared.set(key, value, shortIdOf(realCrypto, members[index]?.record.peer ?? ""));
    },
    traffic(index, direction, bytes): void {
      const peer = members[index]?.record.peer;
      if (peer !== undefined) traffic.emit({ peer, direction, bytes });
    },
  };
}

function member(index: number): Member {
  const peer = `12D3KooW${((index + 11) * 982451653).toString(36)}${index}demo`;
  return {
    isSelf: index === 0,
    status: index % 23 === 7 ? "asleep" : "awake",
    record: {
      peer,
      incarnation: 1,
      name: friendlyName(peer),
      kind: index % 5 === 1 ? "node" : "tab",
      device: peer,
      host: peer,
      role: "member",
      addresses: [],
      coresLent: index % 3 === 1 ? 4 : 0,
      coresBusy: index % 6 === 1 ? 3 : 0,
      startedAtMs: 0,
      state: "awake",
      relayReason: undefined,
      card: undefined,
    },
  };
}
