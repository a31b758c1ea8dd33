/**
 * The measurements. Each consists of rounds of everything that is compared, in turn. Every node is a process of its
 * own.
 */
import { layoutFor, storageFactor } from "../../core/disk/code/layout.ts";
import { RemoteNode } from "./remote.ts";

const BYTES = 100_000_000;
const NODES = 8;
/** Nodes that are left of the eight: the reader and one more, as many as the code needs. */
const LEFT = 2;
/** The number of bytes that eight nodes store for each byte of content. */
const CODED: number = storageFactor(layoutFor(NODES));
const ALONE_ROUNDS = 7;
const PAIR_ROUNDS = 7;
const EIGHT_ROUNDS = 7;
const FILES = 10_000;
const FILES_MANY = 100_000;
const FILES_NODES = 3;

/** By the name of the ratio, its value in each round. */
export type Ratios = Record<string, readonly number[]>;

class Rounds {
  readonly ratios: Record<string, number[]> = {};

  note(round: Record<string, number>): void {
    for (const [name, value] of Object.entries(round)) (this.ratios[name] ??= []).push(value);
    console.error(
      Object.entries(round)
        .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
        .join(", "),
    );
  }
}

/** `put` in a swarm of one, compared with one SHA-256 over the same bytes. */
export async function alone(): Promise<Ratios> {
  const rounds = new Rounds();
  await using node = await RemoteNode.start();
  await node.open();
  // The first one pays for what is loaded on demand.
  await node.call("put", BYTES, 0);
  for (let round = 1; round <= ALONE_ROUNDS; round++) {
    const { sha256Ms, putMs, safeMs } = await node.call("put", BYTES, round);
    rounds.note({ put: sha256Ms / putMs, safe: sha256Ms / (putMs + safeMs) });
  }
  return rounds.ratios;
}

/** `get` of what one other process holds, compared with a plain stream from there and Helia's bitswap. */
export async function pair(): Promise<Ratios> {
  const rounds = new Rounds();
  await using helia = await RemoteNode.start();
  const heliaAddress = await helia.call("openOther", "helia", undefined);
  for (let round = 1; round <= PAIR_ROUNDS; round++) {
    // The content is put while the holder is alone. The reader is new, and reads before anything is coded for two. A
    // holder that is used for several rounds would code contents of earlier rounds anew while it is read from.
    await using holder = await RemoteNode.start();
    const invite = await holder.open();
    const { ref } = await holder.call("put", BYTES, round);
    const cid = await helia.call("putOther", BYTES, round);
    await using reader = await RemoteNode.start();
    await reader.open(invite);
    await reader.call("meet", 2);
    await reader.call("knows", ref);
    const streamMs = await stream(holder, reader, BYTES);
    const got = await reader.call("get", ref, round);
    await reader.call("openOther", "helia", heliaAddress);
    const others = await reader.call("getOther", cid, BYTES, round);
    rounds.note({
      stream: streamMs / got.ms,
      helia: others.ms / got.ms,
      "helia's first byte": others.firstMs / got.firstMs,
    });
  }
  return rounds.ratios;
}

/**
 * `put` and `get` on eight nodes, and `get` when six of them are dead: then hardly any stripe has both of its data
 * shards.
 */
export async function eight(): Promise<Ratios> {
  const rounds = new Rounds();
  for (let round = 1; round <= EIGHT_ROUNDS; round++) {
    await using stack = new AsyncDisposableStack();
    const nodes: RemoteNode[] = [];
    let invite: string | undefined;
    for (let i = 0; i < NODES; i++) {
      const node = stack.use(await RemoteNode.start());
      // All use the founder's invite, so that all are linked by TCP: other invites begin with WebSocket addresses,
      // which tabs can use too.
      const own = await node.open(invite);
      invite ??= own;
      nodes.push(node);
    }
    const [first, second, ...others] = nodes;
    if (first === undefined || second === undefined) throw new Error("There are two nodes at least");
    await first.call("meet", NODES);
    await second.call("meet", NODES);
    // Seven of the eight have done nothing yet, and half of the first put's time goes into compiling.
    await first.call("put", BYTES, 0);
    const streamMs = await stream(first, second, CODED * BYTES);
    const { ref, putMs, safeMs } = await first.call("put", BYTES, round);
    const healthy = await second.call("get", ref, round);
    await Promise.all(others.map((node) => node.kill()));
    await second.call("awake", LEFT);
    const degraded = await second.call("get", ref, round);
    rounds.note({
      put: putMs / streamMs,
      safe: (putMs + safeMs) / streamMs,
      degraded: healthy.ms / degraded.ms,
    });
  }
  return rounds.ratios;
}

/** Files of 1 KiB on three nodes: how fast they go in and come out, and what the largest node's memory is with many. */
export async function files(): Promise<Ratios> {
  const rounds = new Rounds();
  await using stack = new AsyncDisposableStack();
  const nodes: RemoteNode[] = [];
  let invite: string | undefined;
  for (let i = 0; i < FILES_NODES; i++) {
    const node = stack.use(await RemoteNode.start());
    const own = await node.open(invite);
    invite ??= own;
    nodes.push(node);
  }
  const [writer, reader] = nodes;
  if (writer === undefined || reader === undefined) throw new Error("There are two nodes at least");
  await writer.call("meet", FILES_NODES);
  const written = await writer.call("writeFiles", 0, FILES);
  await reader.call("holdsFiles", FILES);
  const readMs = await reader.call("readFiles", 0, FILES);
  await writer.call("writeFiles", FILES, FILES_MANY);
  await Promise.all(nodes.map((node) => node.call("holdsFiles", FILES_MANY)));
  const memory = await Promise.all(nodes.map((node) => node.call("memory")));
  rounds.note({
    in: (1_000 * FILES) / written.ms,
    safe: (1_000 * FILES) / (written.ms + written.safeMs),
    out: (1_000 * FILES) / readMs,
    heap: Math.max(...memory.map(({ heapBytes }) => heapBytes / 1e6)),
    rss: Math.max(...memory.map(({ rssBytes }) => rssBytes / 1e6)),
  });
  return rounds.ratios;
}

async function stream(from: RemoteNode, to: RemoteNode, bytes: number): Promise<number> {
  return from.call("send", await to.call("receive", bytes), bytes);
}
