/**
 * Real processes against a member that joins by the invite and sends, over the project's own transport, everything that
 * the schemas let pass; and against sockets of strangers. They are judged by the rule of test/adversary: they answer,
 * stay within a stated memory, and keep what honest people write, also after they were killed and started again.
 *
 * Since this machine may be busy, a single answer may take ten seconds, but half of all answers have to come within
 * one.
 */
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { yamux } from "@chainsafe/libp2p-yamux";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { expect, test } from "vitest";
import { encode } from "../../core/base/codec.ts";
import { createMemory } from "../../core/memory/memory.ts";
import { HELLO_PROTOCOL } from "../../core/net/links/admission.ts";
import { parseInvite } from "../../core/net/identity/invite.ts";
import { createNet } from "../../core/net/net.ts";
import { realClock } from "../../core/platform/clock.ts";
import { MemoryStore } from "../../core/platform/memory-store.ts";
import { realRandom } from "../../core/platform/random.ts";
import { sleep } from "../../core/ports/clock.ts";
import type { KeyPair } from "../../core/ports/crypto.ts";
import { silentLog } from "../../core/ports/log.ts";
import type { Network } from "../../core/ports/network.ts";
import { GREETING_PROTOCOL } from "../../core/transport/greeting.ts";
import { createLibp2pNetwork } from "../../core/transport/network.ts";
import { nodeCrypto } from "../../node/crypto.ts";
import { nodeTransports } from "../../node/transports.ts";
import { type Extreme, extremesOf } from "../adversary/extremes.ts";
import { allSchemas } from "../adversary/registry.ts";
import { dictionaryOf, samplesOf } from "../adversary/samples.ts";
import { WAYS } from "../adversary/says.ts";
import { Voice } from "../adversary/voice.ts";
import { isLong } from "../sim/seeds.ts";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

const ANSWER_MS = 10_000;
const MEDIAN_ANSWER_MS = 1_000;
/** A node at rest takes 150 to 200 MiB, most of which are the platform's; the node's own bounds allow for the rest. */
const RESIDENT_BYTES_MAX: number = 600 * 1024 * 1024;
/** The number of extremes of each schema, spread over all of them; the simulations send them all. */
const EXTREMES_EACH = isLong ? 8 : 4;
/** Sockets of one stranger that do nothing, or too little. */
const SOCKETS = 150;

const ports = { clock: realClock, crypto: nodeCrypto, random: realRandom, log: silentLog };

async function join(invite: string, name: string): Promise<Voice> {
  const store = new MemoryStore(new Map());
  let network: Network | undefined;
  let own: KeyPair | undefined;
  const net = await createNet({ kind: "node", found: false, name, invite })({
    ...ports,
    store,
    network: async (keys) => {
      own = keys;
      network = await createLibp2pNetwork({
        privateKey: keys.privateKey,
        linksMax: 32,
        webrtc: false,
        ...nodeTransports({ tcpHost: "127.0.0.1" }),
      });
      return network;
    },
  });
  if (network === undefined || own === undefined) throw new Error("The net has started no network");
  return new Voice({ ...ports, net, network, keys: own, invite: parseInvite(nodeCrypto, invite) });
}

/** Answers of the nodes to somebody honest, in ms. */
async function answers(friend: Voice): Promise<number[]> {
  const peers = friend.net.links().map(({ peer }) => peer);
  expect(peers.length).toBeGreaterThan(0);
  const all: number[] = [];
  for (const peer of peers) {
    all.push(await friend.net.ping(peer, { signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => Infinity));
  }
  return all;
}

async function residentBytes({ process: { child } }: Node): Promise<number> {
  const [, kilobytes = "0"] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** Does at every node what honest people do, and checks that everything that they wrote before is there. */
async function judge(lab: Lab, nodes: readonly Node[], writes: number): Promise<void> {
  for (const [i, node] of nodes.entries()) {
    const line = `mem set honest/${writes}/${i} ${i}; ls; mem ls; peers; df; cat /honest.txt`;
    const { status, stdout, stderr } = await lab.sh(node, line);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("what an honest person wrote");
    expect(await residentBytes(node)).toBeLessThan(RESIDENT_BYTES_MAX);
    const page = await fetch(node.url, { signal: AbortSignal.timeout(ANSWER_MS) });
    expect(page.status).toBe(200);
    await page.arrayBuffer();
  }
  for (const node of nodes) {
    const holds = (): Promise<unknown> => lab.shJson(node, "mem ls --json honest/");
    await eventually("all honest keys", holds, (keys) => (keys as unknown[]).length >= (writes + 1) * nodes.length);
  }
}

async function withNodes(attack: (nodes: readonly Node[], lab: Lab, friend: Voice) => Promise<void>): Promise<void> {
  await using lab = await openLab();
  const founder = await lab.up({ args: ["--cores", "1"] });
  const nodes = [founder, await lab.up({ args: ["--cores", "1", "--join", founder.invite] })];
  const friend = await join(founder.invite, "friend");
  try {
    await eventually(
      "the friend is linked",
      async () => friend.net.links(),
      ({ length }) => length === nodes.length,
    );
    const put = await lab.sh(founder, "put - /honest.txt", { stdin: "what an honest person wrote" });
    expect(put.stderr).toBe("");
    await judge(lab, nodes, 0);
    await attack(nodes, lab, friend);
    await judge(lab, nodes, 1);
  } finally {
    await friend.net.leave();
  }
  for (const node of nodes) await node.process.end("SIGKILL");
  const again: Node[] = [];
  // At the port where the others look for it.
  for (const { data, url } of nodes) {
    again.push(await lab.up({ data, args: ["--cores", "1", "--port", new URL(url).port] }));
  }
  await judge(lab, again, 0);
}

test("a member that says what the schemas let pass, on every way there is", { timeout: 900_000 }, async () => {
  await withNodes(async (nodes, lab, friend) => {
    const [{ invite } = { invite: "" }] = nodes;
    const stored = await lab.sh(nodes[0] as Node, "put - /large.bin", { stdin: new Uint8Array(300_000).fill(7) });
    expect(stored.status).toBe(0);
    const content = await contentOf(friend);
    const took: number[] = [];
    let mallory = await join(invite, "mallory");
    try {
      for (const [name, schema] of allSchemas()) {
        const way = WAYS[name];
        if (way === undefined) continue;
        if (mallory.net.links().length < nodes.length) {
          await mallory.net.leave();
          mallory = await join(invite, "mallory");
          await eventually(
            "linked",
            async () => mallory.net.links(),
            ({ length }) => length >= nodes.length,
          );
        }
        const victim = mallory.net.links()[took.length % nodes.length]?.peer ?? "";
        const speaker = mallory.speaker(victim, content, "layout");
        const knock = (messages: readonly Uint8Array[]): Promise<void> =>
          stranger(nodes[0] as Node, HELLO_PROTOCOL, messages);
        const all = [...extremesOf(schema, samplesOf(speaker)[name], { bytes: dictionaryOf(speaker) })];
        for (const { value } of spread(all.filter(({ isValid }) => isValid))) {
          await way(value, { intruder: mallory, victim, speaker, knock });
        }
        took.push(...(await answers(friend)));
      }
    } finally {
      await mallory.net.leave();
    }
    const sorted = took.toSorted((a, b) => a - b);
    expect(sorted.at(-1)).toBeLessThan(ANSWER_MS);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(MEDIAN_ANSWER_MS);
  });
});

test(
  "strangers with the first words at their extremes, and sockets that say nothing or too little",
  { timeout: 900_000 },
  async () => {
    await withNodes(async (nodes, _, friend) => {
      const [node] = nodes;
      if (node === undefined) throw new Error("There are two nodes");
      const name = "core/transport/greeting.ts#firstWordsSchema";
      const schema = allSchemas().get(name);
      if (schema === undefined) throw new Error(`There is no schema ${name}`);
      const speaker = friend.speaker("", { layout: "a", cid: "b" }, "mem");
      for (const { value } of spread([...extremesOf(schema, samplesOf(speaker)[name])])) {
        await stranger(node, GREETING_PROTOCOL, [encode(value)]);
      }
      const sockets: Socket[] = [];
      const { hostname, port } = new URL(node.url);
      try {
        for (let i = 0; i < SOCKETS; i++) {
          const socket = connect({ host: hostname, port: i % 2 === 0 ? Number(port) : tcpPortOf(node) });
          socket.on("error", () => {});
          if (i % 3 === 0) socket.write("GET / HTTP/1.1\r\nHost: ");
          if (i % 3 === 1) socket.write(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x7f]));
          sockets.push(socket);
        }
        const took = await answers(friend);
        expect(Math.max(...took)).toBeLessThan(ANSWER_MS);
        // A newcomer gets in meanwhile.
        const late = await join(node.invite, "late");
        await eventually(
          "a newcomer is linked",
          async () => late.net.links(),
          ({ length }) => length > 0,
          30_000,
        );
        await late.net.leave();
      } finally {
        for (const socket of sockets) socket.destroy();
      }
    });
  },
);

/** EXTREMES_EACH of these, spread evenly from the first to the last. */
function spread(all: readonly Extreme[]): Extreme[] {
  const step = Math.max(1, Math.floor(all.length / EXTREMES_EACH));
  return all.filter((_, i) => i % step === 0);
}

/** A content that the nodes have, as the map `layout` tells of it. */
async function contentOf({ net }: Voice): Promise<{ cid: string; layout: string }> {
  const memory = createMemory({ ...ports, net, store: new MemoryStore(new Map()) });
  const map = await memory.map("layout");
  const find = async (): Promise<string | undefined> => [...map.entries("c/")][0]?.key;
  const [, cid = "", layout = ""] = (await eventually("a content", find, (key) => key !== undefined))?.split("/") ?? [];
  await memory.close();
  return { cid, layout };
}

function tcpAddressOf(node: Node): string {
  const { addresses } = parseInvite(nodeCrypto, node.invite);
  const address = addresses.find((each) => /\/tcp\/\d+(\/p2p\/[^/]+)?$/.test(each));
  if (address === undefined) throw new Error(`No TCP address in ${addresses.join(" ")}`);
  return address;
}

function tcpPortOf(node: Node): number {
  return Number(/\/tcp\/(\d+)/.exec(tcpAddressOf(node))?.[1]);
}

/** Connects with a key that nobody knows, and says these messages on a protocol. The node may answer in any way. */
async function stranger(node: Node, protocol: string, messages: readonly Uint8Array[]): Promise<void> {
  const libp2p = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
  });
  try {
    const connection = await libp2p.dial(multiaddr(tcpAddressOf(node)));
    if (protocol !== GREETING_PROTOCOL) {
      const greeting = await connection.newStream(GREETING_PROTOCOL);
      greeting.send(frame(encode({ kind: "hello", nonce: new Uint8Array(16).fill(7) })));
    }
    const stream = await connection.newStream(protocol);
    for (const message of messages) stream.send(frame(message));
    await sleep(realClock, 20);
  } catch {
    // Refused, in one of the ways that libp2p has for it.
  } finally {
    await libp2p.stop();
  }
}

function frame(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + message.length);
  new DataView(framed.buffer).setUint32(0, message.length);
  framed.set(message, 4);
  return framed;
}
