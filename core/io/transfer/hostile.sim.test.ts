/**
 * What members that know the protocol and break it can do to a sender or a receiver: end their own transfer, and
 * nothing else.
 */
import { expect, test } from "vitest";
import { extremesOf } from "../../../test/adversary/extremes.ts";
import { samplesOf } from "../../../test/adversary/samples.ts";
import { noise, type Peer, sourceOf, TransferLab } from "../../../test/sim/transfer-lab.ts";
import { concat, utf8 } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Channel } from "../../ports/network.ts";
import { PIECE_BYTES, WINDOW_BYTES } from "./limits.ts";
import { encodeManifest, toldOf } from "./manifest.ts";
import type { TransferEntry } from "./types.ts";
import {
  controlMessage,
  REFUSALS,
  pieceMessage,
  type ReceiverMessage,
  receiverSchema,
  TRANSFER_PROTOCOL,
} from "./wire.ts";

async function receiverGoneBad(seed: number): Promise<{ lab: TransferLab; from: Peer; to: Peer }> {
  const lab = new TransferLab(seed);
  const { from, to } = await lab.pair();
  await lab.swarm.settle(to.transfer.close());
  return { lab, from, to };
}

test("a sender takes no nonsense from a receiver", async () => {
  const { lab, from, to } = await receiverGoneBad(1);
  const { ports } = lab.swarm.world.node("to");
  const keys = ports.crypto.keyPair(new Uint8Array(32));
  const speaker = { crypto: ports.crypto, keys, root: keys.publicKey, chain: [], victim: from.net.self };
  const sample = samplesOf({ ...speaker, map: "mem", layout: "l", cid: "c", nowMs: 1_000 });
  const values = [...extremesOf(receiverSchema, sample["core/io/transfer/wire.ts#receiverSchema"])];
  expect(values.length).toBeGreaterThan(20);
  const words = values.map(({ value }) => concat([Uint8Array.of(0), encode(value)]));
  for (const word of [...words, concat(pieceMessage(utf8("a piece"))), new Uint8Array(0), Uint8Array.of(7)]) {
    const stop = to.net.accept(TRANSFER_PROTOCOL, (channel) => {
      channel.onMessage(() => {});
      channel.send(word);
      channel.send(word);
      channel.end();
    });
    const stopSending = new AbortController();
    const sent = from.transfer.send(to.net.self, sourceOf(new Map([["x", utf8("x")]])), {
      signal: stopSending.signal,
    });
    sent.catch(() => {});
    await lab.swarm.world.runFor(1_000);
    stopSending.abort();
    const { code } = await lab.swarm.failure(sent);
    expect([...REFUSALS, "too-large"]).toContain(code);
    expect(from.transfer.list()).toEqual([]);
    stop();
  }
});

test("a sender is not held to what is not there: root and number of pieces are made up", async () => {
  const { lab, from, to } = await receiverGoneBad(2);
  const accept: ReceiverMessage = { is: "accept", pieces: 1_000_000, root: new Uint8Array(32).fill(1) };
  let isAgain = false;
  to.net.accept(TRANSFER_PROTOCOL, (channel) => {
    channel.onMessage((message) => (isAgain ||= new TextDecoder().decode(message).includes("again")));
    channel.send(concat(controlMessage(accept)));
  });
  const sent = from.transfer.send(to.net.self, sourceOf(new Map([["x", noise(1_000_000)]])));
  sent.catch(() => {});
  await lab.swarm.world.runUntil(() => isAgain, { withinMs: 20_000 });
});

interface Said {
  readonly entries?: readonly TransferEntry[];
  readonly offer?: object;
  readonly after?: (channel: Channel, manifest: Uint8Array) => void;
}

/** Returns what the receiver's inbox has afterwards, and whether a fault of the liar was counted. */
async function sayTo(lab: TransferLab, from: Peer, to: Peer, said: Said): Promise<string[]> {
  const { clock, crypto } = lab.swarm.world.node("from").ports;
  const entries = said.entries ?? [{ kind: "file", path: "a", sizeBytes: 3, modifiedMs: 0 }];
  const manifest = await lab.swarm.settle(encodeManifest(entries, clock));
  const sum = entries.reduce((bytes, { sizeBytes }) => bytes + (sizeBytes ?? 0), 0);
  const offer = {
    is: "offer",
    id: lab.swarm.world.node("from").ports.random.bytes(16),
    key: crypto.sha256(manifest),
    manifestBytes: manifest.length,
    totalBytes: sum,
    files: entries.filter(({ kind }) => kind === "file").length,
    folders: entries.filter(({ kind }) => kind === "folder").length,
    title: "a",
    names: toldOf(entries).names,
    ...said.offer,
  };
  const channel = await lab.swarm.settle(from.net.open(to.net.self, TRANSFER_PROTOCOL));
  const heard: string[] = [];
  channel.onMessage((message) => heard.push(new TextDecoder().decode(message)));
  channel.send(concat([Uint8Array.of(0), encode(offer)]));
  await lab.swarm.world.runFor(500);
  if (said.after !== undefined) said.after(channel, manifest);
  else {
    const bytes = concat([manifest, new Uint8Array(sum)]);
    channel.send(pieceMessage(bytes));
    const root = crypto.sha256(concat([new Uint8Array(32), crypto.sha256(bytes)]));
    channel.send(controlMessage({ is: "end", pieces: 1, totalBytes: sum, root }));
  }
  await lab.swarm.world.runFor(2_000);
  channel.abort(new StarfishError("closed", "It has said what it came for"));
  await lab.swarm.world.runFor(500);
  for (const { id, state } of to.transfer.list())
    if (state === "interrupted") await lab.swarm.settle(to.transfer.cancel(id));
  return heard;
}

const file = (path: string, sizeBytes: number | undefined = 0): TransferEntry => ({
  kind: "file",
  path,
  sizeBytes,
  modifiedMs: 0,
});

test("names that lead out of the inbox, or that no file can have, are refused", async () => {
  const lab = new TransferLab(3);
  const { from, to } = await lab.pair();
  for (const path of ["../a", "a/../../b", "/etc/passwd", "a//b", "./a", "a/.", "..", ".", "a\0b", ""]) {
    await sayTo(lab, from, to, { entries: [file(path)], offer: { title: path.split("/")[0] ?? "" } });
    expect(to.transfer.list(), path).toEqual([]);
  }
  const collisions = [
    [file("a"), file("a")],
    [file("a"), file("a/b")],
    [file("a/b/c"), file("a/b")],
  ];
  for (const entries of collisions) {
    await sayTo(lab, from, to, { entries });
    expect(to.transfer.list()).toEqual([]);
  }
  await sayTo(lab, from, to, { entries: [file("a/b\\..\\c\n\u202e")] });
  expect(to.transfer.inbox.items()).toHaveLength(1);
});

test("what is not as it was offered is dropped, and its sender counted as at fault", async () => {
  const lab = new TransferLab(4);
  const { from, to } = await lab.pair();
  const faults = (): number =>
    lab.swarm.world.journal.entries().filter(({ event }) => event === "net.misbehaved").length;
  const end = { is: "end", pieces: 1, totalBytes: 3, root: new Uint8Array(32) } as const;
  const cases: Record<string, Said> = {
    "another title": { offer: { title: "holiday.jpg" } },
    "another name": { offer: { names: [["a.jpg", 3]] } },
    "another size of a file": { offer: { names: [["a", 2]] } },
    "fewer files": { offer: { files: 0 } },
    "a piece too long": { after: (channel) => void channel.send(pieceMessage(new Uint8Array(PIECE_BYTES + 1))) },
    "a piece of another length": { after: (channel) => void channel.send(pieceMessage(new Uint8Array(5))) },
    "an empty piece": { after: (channel) => void channel.send(Uint8Array.of(1)) },
    "two offers": { after: (channel, manifest) => void channel.send(pieceMessage(concat([manifest, manifest]))) },
    "no root": {
      after: (channel, manifest) => {
        channel.send(pieceMessage(concat([manifest, new Uint8Array(3)])));
        channel.send(controlMessage(end));
      },
    },
    "an end before its pieces": { after: (channel) => void channel.send(controlMessage(end)) },
    "more than the window": {
      offer: { totalBytes: 100_000_000 },
      after: (channel) => {
        for (let i = 0; i < WINDOW_BYTES / PIECE_BYTES + 3; i++)
          channel.send(pieceMessage(new Uint8Array(PIECE_BYTES)));
      },
    },
  };
  for (const [what, said] of Object.entries(cases)) {
    const before = faults();
    await sayTo(lab, from, to, said);
    expect(to.transfer.list(), what).toEqual([]);
    // Bytes that do not match their hash may come from a broken disk. A member that fills the queue is disconnected
    // without a message.
    if (!["no root", "an end before its pieces", "more than the window"].includes(what))
      expect(faults(), what).toBeGreaterThan(before);
  }
  expect(lab.swarm.world.node("to").ports.shards.usage().usedBytes).toBe(0);
});

test("what has come whole takes no more, whatever its sender says of it later", async () => {
  const lab = new TransferLab(5);
  const { from, to } = await lab.pair();
  const { shards } = lab.swarm.world.node("to").ports;
  const id = new Uint8Array(16).fill(1);
  await sayTo(lab, from, to, { offer: { id } });
  const whole = to.transfer.list();
  expect(whole).toMatchObject([{ state: "whole", totalBytes: 3 }]);
  const { usedBytes } = shards.usage();
  const more = (channel: Channel): void => {
    channel.send(pieceMessage(new Uint8Array(PIECE_BYTES)));
    channel.send(pieceMessage(new Uint8Array(PIECE_BYTES)));
  };
  const again = (channel: Channel): void => void channel.send(controlMessage({ is: "again" }));
  for (const after of [more, again]) {
    for (const name of [id, new Uint8Array(16).fill(2)]) {
      await sayTo(lab, from, to, { offer: { id: name, totalBytes: 10_000_000 }, after });
      expect(to.transfer.list()).toEqual(whole);
      expect(shards.usage().usedBytes).toBe(usedBytes);
      expect((await lab.filesOf(to, whole[0]?.id ?? "")).get("a")).toEqual(new Uint8Array(3));
    }
  }
});
