/**
 * The answers of a real node to a stranger, who speaks plain libp2p, knows every protocol's name, and has no valid
 * certificate.
 */
import { yamux } from "@chainsafe/libp2p-yamux";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { identify } from "@libp2p/identify";
import type { Connection, Stream } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { decode, encode } from "cborg";
import { createLibp2p, type Libp2p } from "libp2p";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HELLO_PROTOCOL, LIFE_BYTES } from "../../core/net/links/admission.ts";
import { PROTOCOL_VERSIONS } from "../../core/net/limits.ts";
import { type Chain, issue, rootKeyOf, type Statement } from "../../core/net/identity/certificate.ts";
import { type Invite, parseInvite } from "../../core/net/identity/invite.ts";
import { realCrypto } from "../../core/platform/crypto.ts";
import type { KeyPair } from "../../core/ports/crypto.ts";
import { GREETING_PROTOCOL } from "../../core/transport/greeting.ts";
import { PROTOCOLS } from "../adversary/registry.ts";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

/** Protocols for members only. Those of the greeting and the handshake are for strangers too. */
const MEMBERS_ONLY = Object.keys(PROTOCOLS).filter((name) => name !== GREETING_PROTOCOL && name !== HELLO_PROTOCOL);
const RELAY_HOP_PROTOCOL = "/libp2p/circuit/relay/0.2.0/hop";
const DAY_MS = 86_400_000;
/** The place of the role in a statement, whose fields are format, swarm, issuer, subject, kind, role and times. */
const ROLE_FIELD = 5;

let lab: Lab;
let node: Node;
let invite: Invite;
let strangers = 0;

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up();
  invite = parseInvite(realCrypto, node.invite);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

/** A libp2p program with a key of its own, connected to the node. */
class Stranger implements AsyncDisposable {
  readonly keys: KeyPair;
  readonly #libp2p: Libp2p;
  readonly connection: Connection;

  private constructor(keys: KeyPair, libp2p: Libp2p, connection: Connection) {
    this.keys = keys;
    this.#libp2p = libp2p;
    this.connection = connection;
  }

  static async connect(): Promise<Stranger> {
    const keys = realCrypto.keyPair(new Uint8Array(32).fill(++strangers));
    const libp2p = await createLibp2p({
      privateKey: await generateKeyPairFromSeed("Ed25519", keys.privateKey),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() },
      connectionGater: { denyDialMultiaddr: () => false },
    });
    const address = invite.addresses.find((candidate) => /\/tcp\/\d+(\/p2p\/[^/]+)?$/.test(candidate));
    if (address === undefined) throw new Error(`No TCP address in ${invite.addresses.join(" ")}`);
    return new Stranger(keys, libp2p, await libp2p.dial(multiaddr(address)));
  }

  /** Sends the greeting that makes the connection a link; it proves nothing. */
  async greet(): Promise<void> {
    const stream = await this.connection.newStream(GREETING_PROTOCOL);
    stream.send(frame(encode({ kind: "hello", nonce: new Uint8Array(16).fill(7) })));
    expect((await listen(stream, 1)).messages).toHaveLength(1);
  }

  /** The node's answer to a hello with this chain. */
  async hello(chain: Chain, hello: { swarm?: string; versions?: { min: number; max: number } } = {}): Promise<unknown> {
    const stream = await this.connection.newStream(HELLO_PROTOCOL);
    stream.send(
      frame(
        encode({
          versions: PROTOCOL_VERSIONS,
          swarm: invite.swarm,
          chain,
          life: new Uint8Array(LIFE_BYTES),
          ...hello,
        }),
      ),
    );
    const { messages } = await listen(stream, 1);
    return decode(messages[0] ?? encode(null));
  }

  /** The messages that come back on a protocol for members, until the node closes it. */
  async tryProtocol(protocol: string): Promise<Uint8Array[]> {
    let stream: Stream;
    try {
      stream = await this.connection.newStream(protocol);
      stream.send(frame(encode({ hello: "there" })));
    } catch {
      return [];
    }
    return (await listen(stream, Infinity)).messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#libp2p.stop();
  }
}

function frame(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + message.length);
  new DataView(framed.buffer).setUint32(0, message.length);
  framed.set(message, 4);
  return framed;
}

/** Collects framed messages until there are `count` of them or the stream is over. */
async function listen(stream: Stream, count: number): Promise<{ messages: Uint8Array[]; bytes: Uint8Array }> {
  let bytes = new Uint8Array();
  const messages: Uint8Array[] = [];
  try {
    for await (const chunk of stream) {
      const more = chunk instanceof Uint8Array ? chunk : chunk.subarray();
      const joined = new Uint8Array(bytes.length + more.length);
      joined.set(bytes);
      joined.set(more, bytes.length);
      bytes = joined;
      for (;;) {
        const length = bytes.length < 4 ? Infinity : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
        if (length === 0xffffffff || bytes.length < 4 + length) break;
        messages.push(bytes.subarray(4, 4 + length));
        bytes = bytes.slice(4 + length);
      }
      if (messages.length >= count) break;
    }
  } catch {
    // The node has aborted the stream; the messages that came before count.
  }
  return { messages, bytes };
}

function delegate(): KeyPair {
  return realCrypto.keyPair(invite.delegation.privateKey);
}

/** A certificate for the key. It is valid unless fields of `says` make it invalid. */
function certificate(issuer: KeyPair, subject: Uint8Array, says: Partial<Statement> = {}): Uint8Array {
  const now = Date.now();
  const right = { swarm: rootKeyOf(invite.swarm), kind: "member", role: "member" } as const;
  return issue(realCrypto, issuer, { ...right, subject, notBeforeMs: now - DAY_MS, notAfterMs: now + DAY_MS, ...says });
}

/** Invalid chains: what is wrong with each, the chain itself, and the code with which the node answers. */
const refused: readonly { what: string; code: string; chain: (keys: KeyPair) => Chain; swarm?: string }[] = [
  { what: "no certificate", code: "not-a-member", chain: () => [] },
  {
    what: "an expired one",
    code: "bad-certificate",
    chain: ({ publicKey }) => [
      ...invite.delegation.chain,
      certificate(delegate(), publicKey, { notBeforeMs: Date.now() - 3 * DAY_MS, notAfterMs: Date.now() - 2 * DAY_MS }),
    ],
  },
  {
    what: "one of another PeerId",
    code: "bad-certificate",
    chain: () => [
      ...invite.delegation.chain,
      certificate(delegate(), realCrypto.keyPair(new Uint8Array(32).fill(99)).publicKey),
    ],
  },
  {
    what: "a role raised above the invite's",
    code: "bad-certificate",
    chain: ({ publicKey }) => [...invite.delegation.chain, certificate(delegate(), publicKey, { role: "admin" })],
  },
  {
    what: "a role raised by hand in a certificate that was right",
    code: "bad-certificate",
    chain: ({ publicKey }) => {
      const [statement, signature] = decode(certificate(delegate(), publicKey, { role: "reader" })) as [
        Uint8Array,
        Uint8Array,
      ];
      const raised = (decode(statement) as unknown[]).map((field, i) => (i === ROLE_FIELD ? "member" : field));
      return [...invite.delegation.chain, encode([encode(raised), signature])];
    },
  },
  {
    what: "a chain that ends with the invite's delegate",
    code: "bad-certificate",
    chain: () => invite.delegation.chain,
  },
  {
    what: "one that is not valid yet",
    code: "bad-certificate",
    chain: ({ publicKey }) => [
      ...invite.delegation.chain,
      certificate(delegate(), publicKey, { notBeforeMs: Date.now() + DAY_MS, notAfterMs: Date.now() + 2 * DAY_MS }),
    ],
  },
  {
    what: "a chain with its head cut off",
    code: "bad-certificate",
    chain: ({ publicKey }) => [certificate(delegate(), publicKey)],
  },
  {
    what: "a chain in another order",
    code: "bad-certificate",
    chain: ({ publicKey }) => [certificate(delegate(), publicKey), ...invite.delegation.chain],
  },
  {
    what: "a certificate changed by hand",
    code: "bad-certificate",
    chain: ({ publicKey }) => {
      const forged = certificate(delegate(), publicKey);
      forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
      return [...invite.delegation.chain, forged];
    },
  },
  {
    what: "one signed by itself",
    code: "bad-certificate",
    chain: (keys) => [certificate(keys, keys.publicKey)],
  },
  {
    what: "one that is right in another swarm",
    code: "wrong-swarm",
    chain: ({ publicKey }) => {
      const root = realCrypto.keyPair(new Uint8Array(32).fill(98));
      return [certificate(root, publicKey, { swarm: root.publicKey })];
    },
  },
  {
    what: "another swarm's name",
    code: "wrong-swarm",
    swarm: "A".repeat(43),
    chain: ({ publicKey }) => [...invite.delegation.chain, certificate(delegate(), publicKey)],
  },
];

async function members(): Promise<number> {
  const peers = (await lab.shJson(node, "peers --json")) as unknown[];
  return peers.length;
}

/** Several of these tests wait at once for the node to hang up; the last test runs when they are done. */
describe("a stranger", () => {
  test.concurrent.each(refused)("with $what is told so, and gets nothing", async ({ chain, code, swarm }) => {
    await using stranger = await Stranger.connect();
    await stranger.greet();
    expect(await stranger.hello(chain(stranger.keys), swarm === undefined ? {} : { swarm })).toMatchObject({
      ok: false,
      code,
      message: expect.stringMatching(/\w+ \w+/),
    });
    for (const protocol of MEMBERS_ONLY) expect(await stranger.tryProtocol(protocol), protocol).toEqual([]);
    await eventually(
      "disconnected",
      async () => stranger.connection.status,
      (status) => status !== "open",
    );
  });

  test.concurrent("that never says hello gets nothing on any protocol, with or without a greeting", async () => {
    await using silent = await Stranger.connect();
    const tries = MEMBERS_ONLY.map((protocol) => silent.tryProtocol(protocol));
    expect((await Promise.all(tries)).flat()).toEqual([]);
    await using greeter = await Stranger.connect();
    await greeter.greet();
    const more = MEMBERS_ONLY.map((protocol) => greeter.tryProtocol(protocol));
    expect((await Promise.all(more)).flat()).toEqual([]);
  });

  test.concurrent("gets no relay slot", async () => {
    await using stranger = await Stranger.connect();
    await stranger.greet();
    const stream = await stranger.connection.newStream(RELAY_HOP_PROTOCOL, { runOnLimitedConnection: true });
    // HopMessage { type: RESERVE }, length-prefixed (circuit relay v2).
    stream.send(Uint8Array.of(2, 0x08, 0x00));
    const { bytes } = await listen(stream, Infinity);
    // If there is an answer, its status (field 5) is not OK (100).
    expect([...bytes].join(",")).not.toMatch(/,40,100(,|$)/);
  });

  test("of another version is told so and not punished", async () => {
    await using stranger = await Stranger.connect();
    await stranger.greet();
    const answer = await stranger.hello([], { versions: { min: 900, max: 901 } });
    expect(answer).toMatchObject({ ok: false, code: "version-mismatch", message: expect.stringContaining("901") });
    const chain = [...invite.delegation.chain, certificate(delegate(), stranger.keys.publicKey)];
    // The same key with a version that fits is admitted at once, over a new connection.
    const again = await createLibp2p({
      privateKey: await generateKeyPairFromSeed("Ed25519", stranger.keys.privateKey),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
    });
    try {
      await eventually(
        "disconnected",
        async () => stranger.connection.status,
        (status) => status !== "open",
      );
      const connection = await again.dial(multiaddr(invite.addresses.find((a) => !a.includes("/ws")) ?? ""));
      const greeting = await connection.newStream(GREETING_PROTOCOL);
      greeting.send(frame(encode({ kind: "hello", nonce: new Uint8Array(16).fill(8) })));
      expect((await listen(greeting, 1)).messages).toHaveLength(1);
      const stream = await connection.newStream(HELLO_PROTOCOL);
      stream.send(
        frame(encode({ versions: PROTOCOL_VERSIONS, swarm: invite.swarm, chain, life: new Uint8Array(LIFE_BYTES) })),
      );
      const { messages } = await listen(stream, 1);
      expect(decode(messages[0] ?? encode(null))).toMatchObject({ ok: true });
    } finally {
      await again.stop();
    }
  });

  test("leaves no trace among the members", async () => {
    expect(await members()).toBe(1);
  });
});
