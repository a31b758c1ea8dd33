/** What strangers get, who are no members: they speak libp2p, and even Starfish's greeting, and try everything. */
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { tcp } from "@libp2p/tcp";
import type { Connection, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { afterEach, describe, expect, it } from "vitest";
import { StarfishError } from "../core/base/errors.ts";
import { type Channel, MESSAGE_BYTES_MAX, type Network } from "../core/ports/network.ts";
import { GREETING_PROTOCOL, NONCE_BYTES, readHello, speakFirst } from "../core/transport/greeting.ts";
import { createNode, type Libp2pNode } from "../core/transport/libp2p.ts";
import { createLibp2pNetwork } from "../core/transport/network.ts";
import { nodeTransports } from "./transports.ts";

const PROTOCOL = "/starfish/test/1.0.0";
const HOP_PROTOCOL = "/libp2p/circuit/relay/0.2.0/hop";

const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

function newKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

async function network(): Promise<Network> {
  const made = await createLibp2pNetwork({
    privateKey: newKey(),
    linksMax: 32,
    webrtc: false,
    ...nodeTransports({ tcpHost: "127.0.0.1" }),
  });
  cleanUps.push(async () => made[Symbol.asyncDispose]());
  return made;
}

async function stranger(options: { listen?: string[] } = {}): Promise<Libp2pNode> {
  const node = await createNode({
    privateKey: newKey(),
    linksMax: 32,
    listen: options.listen ?? [],
    transports: [tcp()],
    gater: { denyDialMultiaddr: () => false },
  });
  await node.libp2p.start();
  cleanUps.push(async () => {
    await node.libp2p.stop();
  });
  return node;
}

function connect(from: Libp2pNode, to: Network): Promise<Connection> {
  return from.libp2p.dial(multiaddr(`${to.addresses()[0]}/p2p/${to.self}`));
}

async function greet(connection: Connection): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  const nonce = newKey().subarray(0, NONCE_BYTES);
  await readHello(await speakFirst(connection, { kind: "hello", nonce }, { signal }), { signal });
}

/** Resolves when the stream is over. */
function over(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.status !== "open") return resolve();
    stream.addEventListener("close", () => resolve());
  });
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : void socket.on("close", () => resolve())));
}

/** Resolves when the connection is closed. */
function gone(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    if (connection.status === "closed" || connection.status === "aborted") return resolve();
    connection.addEventListener("close", () => resolve());
  });
}

function accepted(at: Network): Promise<Channel> {
  return new Promise((resolve) => void at.handle(PROTOCOL, resolve));
}

function closed(channel: Channel): Promise<StarfishError | undefined> {
  return new Promise((resolve) => channel.onClose(resolve));
}

describe("a stranger", () => {
  it("is told from a dead address when it is another program, or another version", async () => {
    const node = await network();
    const other = await stranger({ listen: ["/ip4/127.0.0.1/tcp/0"] });
    const addresses = other.libp2p.getMultiaddrs().map(String);
    await expect(node.dial({ addresses })).rejects.toMatchObject({ code: "version-mismatch" });
    expect(node.links()).toEqual([]);
  });

  it("has no link and no channel without a greeting", async () => {
    const node = await network();
    let handled = 0;
    node.handle(PROTOCOL, () => handled++);
    node.onLink(() => handled++);
    const connection = await connect(await stranger(), node);
    await over(await connection.newStream(PROTOCOL));
    expect(handled).toBe(0);
    expect(node.links()).toEqual([]);
  });

  it("is hung up on when its greeting makes no sense", async () => {
    const node = await network();
    const connection = await connect(await stranger(), node);
    const stream = await connection.newStream(GREETING_PROTOCOL);
    stream.send(Uint8Array.of(0, 0, 0, 3, 1, 2, 3));
    await over(stream);
    expect(node.links()).toEqual([]);
  });

  it("may not send what is larger than the largest message", async () => {
    const node = await network();
    const connection = await connect(await stranger(), node);
    await greet(connection);
    const accepting = accepted(node);
    const stream = await connection.newStream(PROTOCOL);
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, MESSAGE_BYTES_MAX + 1);
    stream.send(header);
    expect(await closed(await accepting)).toMatchObject({ code: "too-large" });
    await over(stream);
  });

  it("is told from somebody who ends in peace when it just vanishes", async () => {
    const node = await network();
    const connection = await connect(await stranger(), node);
    await greet(connection);
    const accepting = accepted(node);
    await connection.newStream(PROTOCOL);
    const closing = closed(await accepting);
    await connection.close();
    expect(await closing).toMatchObject({ code: "link-closed" });
    expect(node.links()).toEqual([]);
  });

  it("gets no reservation, and no connection through a relay to a member", async () => {
    const [relay, member] = [await network(), await network()];
    relay.admit(member.self);
    await member.dial({ peer: relay.self, addresses: relay.addresses() });
    member.admit(relay.self);

    const outsider = await stranger();
    const connection = await connect(outsider, relay);
    await greet(connection);
    const through = multiaddr(`/p2p/${relay.self}/p2p-circuit/p2p/${member.self}`);
    await expect(outsider.transportManager.dial(through, { signal: AbortSignal.timeout(5_000) })).rejects.toThrow(
      /PERMISSION_DENIED/,
    );
    expect(member.links().map((link) => link.peer)).toEqual([relay.self]);

    const hop = await connection.newStream(HOP_PROTOCOL);
    const answer = new Promise<Uint8Array>((resolve) => {
      hop.addEventListener("message", (event) => resolve(event.data.subarray()));
    });
    // HopMessage { type: RESERVE } and { type: STATUS, status: PERMISSION_DENIED }, each after its length.
    hop.send(Uint8Array.of(2, 0x08, 0));
    expect([...(await answer)]).toEqual([5, 0x08, 2, 0x28, 0xca, 1]);
  });

  it("takes no memory by announcing what it does not send", async () => {
    const node = await network();
    const connection = await connect(await stranger(), node);
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, MESSAGE_BYTES_MAX);
    const before = process.memoryUsage().arrayBuffers;
    await greet(connection);
    node.handle(PROTOCOL, () => {});
    for (let i = 0; i < 100; i++) (await connection.newStream(PROTOCOL, { maxOutboundStreams: 200 })).send(head);
    // Streams are read in order.
    await over(await connection.newStream("/none").catch(() => connection.newStream(GREETING_PROTOCOL)));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  });

  it("is heard out for a hello, not for more", async () => {
    const node = await network();
    const connection = await connect(await stranger(), node);
    await greet(connection);
    const accepting = accepted(node);
    const stream = await connection.newStream(PROTOCOL);
    const channel = await accepting;
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, 100_000);
    for (let i = 0; i < 3; i++) {
      stream.send(head);
      stream.send(new Uint8Array(100_000));
    }
    expect(await closed(channel)).toMatchObject({ code: "busy" });
  });

  it("says its first words in at most 1 KiB", async () => {
    const node = await network();
    const connection = await connect(await stranger(), node);
    const stream = await connection.newStream(GREETING_PROTOCOL);
    stream.send(Uint8Array.of(0, 0, 4, 1));
    await over(stream);
    expect(node.links()).toEqual([]);
  });

  it("greets once on a connection", async () => {
    const node = await network();
    const connection = await connect(await stranger(), node);
    await greet(connection);
    const again = await connection.newStream(GREETING_PROTOCOL);
    await over(again);
    await gone(connection);
    expect(node.links()).toEqual([]);
  });

  it("locks nobody out by staying at the door, whether it speaks or not", async () => {
    const node = await network();
    const [, , host = "", , port = ""] = (node.addresses()[0] ?? "").split("/");
    const silent: Socket[] = [];
    for (let i = 0; i < 90; i++) {
      const socket = connectSocket(Number(port), host)
        .on("error", () => {})
        .resume();
      silent.push(socket);
      await once(socket, "connect");
    }
    const other = await network();
    const link = await other.dial({ peer: node.self, addresses: node.addresses() });
    expect(link.peer).toBe(node.self);
    await Promise.all(silent.map(ended));
  });

  it("locks nobody out by connections on which it says nothing", async () => {
    const node = await network();
    const outsider = await stranger();
    const address = multiaddr(`${node.addresses()[0]}/p2p/${node.self}`);
    const connections: Connection[] = [];
    for (let i = 0; i < 80; i++) {
      connections.push(await outsider.transportManager.dial(address, { signal: AbortSignal.timeout(5_000) }));
    }
    const other = await network();
    expect((await other.dial({ peer: node.self, addresses: node.addresses() })).peer).toBe(node.self);
    await Promise.all(connections.map(gone));
  });

  it("is introduced once it is admitted", async () => {
    const [relay, member, other] = [await network(), await network(), await network()];
    for (const one of [member, other]) {
      relay.admit(one.self);
      one.admit(relay.self);
      await one.dial({ peer: relay.self, addresses: relay.addresses() });
    }
    const accepting = accepted(member);
    const link = await other.dial({ peer: member.self, addresses: [], introducers: [relay.self] });
    // Both have addresses, so the relay only passes on the request to be called back.
    expect(link.path()).toEqual({ kind: "direct", transport: "tcp" });
    await link.open(PROTOCOL);
    await accepting;
  });
});
