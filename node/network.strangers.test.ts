/** What those get who are no members: they speak libp2p, and even Starfish's greeting, and try what there is. */
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

  it("is introduced once it is admitted", async () => {
    const [relay, member, other] = [await network(), await network(), await network()];
    for (const one of [member, other]) {
      relay.admit(one.self);
      one.admit(relay.self);
      await one.dial({ peer: relay.self, addresses: relay.addresses() });
    }
    const accepting = accepted(member);
    const link = await other.dial({ peer: member.self, addresses: [], introducers: [relay.self] });
    // Both have addresses: the relay is only asked to pass on the wish to be called back.
    expect(link.path()).toEqual({ kind: "direct", transport: "tcp" });
    await link.open(PROTOCOL);
    await accepting;
  });
});
