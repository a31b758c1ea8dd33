/** For each schema a value that an honest node would send. The extremes differ from it at one place at a time. */
import type { KeyPair, Crypto } from "../../core/ports/crypto.ts";
import { concat, fromHex, utf8 } from "../../core/base/bytes.ts";
import { encode } from "../../core/base/codec.ts";
import { peerIdOf } from "../../core/base/peer-id.ts";
import { type Entry, LIVE } from "../../core/memory/entry.ts";
import { Packer } from "../../core/memory/pack.ts";
import { ALL, LIST, RangeWriter, SUM } from "../../core/memory/ranges.ts";
import { type Chain, swarmIdOf } from "../../core/net/identity/certificate.ts";
import { PROTOCOL_VERSIONS } from "../../core/net/limits.ts";
import { LIFE_BYTES, signRecord } from "../../core/net/membership/record.ts";
import { packIds, packRows } from "../../core/net/membership/rows.ts";
import type { MemberRecord } from "../../core/net/types.ts";
import type { PeerId } from "../../core/ports/network.ts";

/** Who speaks, to whom, and about what. */
export interface Speaker {
  readonly crypto: Crypto;
  readonly keys: KeyPair;
  /** The swarm's root key, and the certificates from it to the speaker. */
  readonly root: Uint8Array;
  readonly chain: Chain;
  readonly victim: PeerId;
  /** The name of one of the victim's maps. */
  readonly map: string;
  /** An existing content: its layout's id and its CID. */
  readonly layout: string;
  readonly cid: string;
  readonly nowMs: number;
}

const NOTHING = new Uint8Array(0);
const A_HASH = new Uint8Array(32).fill(7);
const HEX_64 = "ab".repeat(32);
/** A job that she has submitted. */
export const A_JOB = "00000000000000aa";
/** One file of three bytes. */
const OFFER = {
  id: new Uint8Array(16).fill(9),
  key: A_HASH,
  manifestBytes: 20,
  totalBytes: 3,
  files: 1,
  folders: 0,
  title: "a",
  names: [["a", 3]],
};
/** A point of the curve (core/io/codes/cpace.test.ts). */
const A_SHARE = fromHex(
  "04cf55f0a53a1b4c43002e1be8171f42737cf20b7cd6177b901ef962c2e2d486b2" +
    "f738263c6da5aa902fe185ae2cda587df8d27a16fc19c32a7b31aab097919736",
);
const MODULE_LIKE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

export function samplesOf(speaker: Speaker): Record<string, unknown> {
  const { crypto, keys, root, chain, victim, map, layout, cid, nowMs } = speaker;
  const peer = peerIdOf(keys.publicKey);
  const swarm = swarmIdOf(root);
  const entries = packed("adversary/plain", nowMs);
  const name = { id: layout, stripe: 0, shard: 0 };
  const lives = { life: new Uint8Array(LIFE_BYTES), rival: undefined };
  const record = signRecord(crypto, keys, chain, nowMs + 3_600_000, recordOf(peer, nowMs), lives).wire;
  const signature = new Uint8Array(64).fill(1);
  const payload = { bytes: Uint8Array.of(1, 2, 3) };
  const program = { kind: "python", entry: "run", source: "lambda x: x", reduce: "lambda a, b: a", form: "lines" };
  const shard = { ...name, sha256: A_HASH, bytes: Uint8Array.of(1, 2, 3) };
  const spec = {
    title: "job",
    program: { kind: "bytes", module: { bytes: MODULE_LIKE } },
    inputs: { from: "range", lo: 0, hi: 1_000, count: 10 },
    combine: { how: "sum" },
    limits: { memoryBytesMax: 65_536, timeMsMax: 1_000 },
    on: [victim],
    keepGoing: false,
    reuse: false,
  };
  const rows = packRows([{ id: 1, incarnation: nowMs }]);
  const certificate = { swarm, chain: [...chain], life: new Uint8Array(8) };
  const { session, tree } = {
    session: { map, cutoffMs: nowMs, ranges: someRanges(), vector: NOTHING },
    tree: { bodies: [Uint8Array.of(1, 2)], have: packIds([1]), graft: packIds([2]), prune: false },
  };
  return {
    "core/jobs/protocol.ts#cpuRequest": {
      op: "run",
      job: "job1",
      module: HEX_64,
      memoryBytesMax: 65_536,
      fuelMax: 1_000_000,
      timeMsMax: 1_000,
      program,
      input: payload,
    },
    "core/sandbox/program.ts#programSchema": program,
    "core/db/schema/model.ts#objectSchema": { k: "table", n: "notes", p: ["id"], r: ["UNIQUE (text)"], o: "STRICT" },
    "core/db/schema/model.ts#columnSchema": { n: "id", d: "TEXT DEFAULT 'a'", o: 0 },
    "core/db/schema/labels.ts#labelSchema": { n: "notices" },
    "core/db/cells/large.ts#largeSchema": { isText: true, sizeBytes: 1_000_000, cid: `b${"a".repeat(58)}` },
    "core/jobs/spec.ts#specSchema": spec,
    "core/jobs/entries.ts#jobSchema": { by: peer, atMs: nowMs, spec },
    "core/jobs/entries.ts#cancelSchema": { by: peer, atMs: nowMs },
    "core/jobs/entries.ts#outcomeSchema": {
      is: "done",
      result: { cid, sizeBytes: 300_000 },
      by: peer,
      finishedAtMs: nowMs,
      failed: 0,
      tasks: 12,
      shares: { nodes: [{ peer, tasks: 10 }], parts: Uint8Array.of(0, 0, 255), again: 1 },
      fuelUsed: 1_000,
      named: [{ peer: victim, task: 3 }],
    },
    "core/jobs/entries.ts#confirmationSchema": { by: peer, hash: A_HASH, signature },
    "core/jobs/entries.ts#workSchema": [
      Uint8Array.of(0, 2),
      Uint8Array.of(5, 1, 1, 1),
      Uint8Array.of(7, 2),
      Uint8Array.of(9, 1),
      [[9, "wasm-trap", "unreachable"]],
      0,
      [[[[Uint8Array.of(0, 2), A_HASH]], Uint8Array.of(0, 2), [[victim, Uint8Array.of(0, 1)]]], signature],
    ],
    "core/jobs/graph-table.ts#rowsSchema": [
      [[], 0, true],
      [[0], 1, false],
      [[0, 1], 0, false],
    ],
    "core/jobs/remembered.ts#rememberedSchema": { by: peer, output: Uint8Array.of(1), fuelUsed: 7, signature },
    "core/jobs/returned.ts#listSchema": {
      tasks: [
        { input: "1", grows: true },
        { base64: "AP8", needs: [0], given: [0], program: 1 },
      ],
    },
    "core/jobs/inputs.ts#filesSchema": [["a.txt", cid, 300_000]],
    "core/jobs/wire.ts#requestSchema": { op: "hold", job: A_JOB, results: [[1, Uint8Array.of(1), 7]] },
    "core/jobs/wire.ts#outputsSchema": [[1, Uint8Array.of(1), 7]],
    "core/jobs/wire.ts#openingsSchema": [[Uint8Array.of(0, 2), new Uint8Array(16), new Uint8Array(32)]],
    "core/jobs/wire.ts#sumsSchema": [Uint8Array.of(0, 2), new Uint8Array(32)],
    "core/jobs/wire.ts#heldSchema": 1,
    "core/jobs/protocol.ts#runReply": { is: "done", output: payload, fuelUsed: 1, runMs: 1, waitMs: 1 },
    "core/jobs/protocol.ts#putReply": null,
    "core/jobs/protocol.ts#getReply": Uint8Array.of(1),
    "core/disk/placement/layout-entry.ts#storedSchema": {
      size: 300_000,
      code: [2, 3, 1, 0],
      list: new Uint8Array(160),
    },
    "core/disk/placement/layout-entry.ts#slotsSchema": [victim, peer],
    "core/disk/placement/layout-entry.ts#storageSchema": [1_000_000_000, 500_000_000],
    "core/disk/files/kept-paths.ts#stateSchema": {
      paths: ["docs"],
      held: [{ cid, sizeBytes: 300_000 }],
      lacking: [cid],
    },
    "core/disk/files/tree-value.ts#fileSchema": {
      size: 3,
      cid,
      by: "mallory",
      inline: Uint8Array.of(1, 2, 3),
      executable: true,
    },
    "core/disk/shards/wire.ts#nameSchema": name,
    "core/disk/shards/wire.ts#giveSchema": { stripes: [{ id: layout, stripe: 0, to: [{ shard: 0, node: victim }] }] },
    "core/disk/shards/wire.ts#fetchSchema": { shards: [{ ...name, from: [victim] }] },
    "core/disk/shards/wire.ts#putSchema": { shards: [shard] },
    "core/disk/shards/wire.ts#putReplySchema": ["ok"],
    "core/disk/shards/wire.ts#giveReplySchema": [["ok"]],
    "core/disk/shards/wire.ts#getSchema": { shards: [name] },
    "core/disk/shards/wire.ts#getReplySchema": [Uint8Array.of(1), null],
    "core/disk/shards/wire.ts#haveSchema": { runs: [{ id: layout, from: 0, to: 64 }] },
    "core/disk/shards/wire.ts#haveReplySchema": [Uint8Array.of(0, 0, 1)],
    "core/disk/shards/wire.ts#nothingSchema": null,
    "core/disk/shards/wire.ts#dropSchema": { id: layout },
    "core/io/devices/wire.ts#requestSchema": { device: "notify", text: "lunch" },
    "core/io/devices/wire.ts#replySchema": "done",
    "core/io/devices/wire.ts#answersSchema": [[victim, true]],
    "core/io/mail/entries.ts#wireSchema": [Uint8Array.of(1), signature],
    "core/io/mail/entries.ts#mailSchema": [
      1,
      peer,
      [victim, A_HASH],
      [
        [cid, 300_000],
        [cid, 300_000],
      ],
      nowMs,
    ],
    "core/io/mail/entries.ts#receiptSchema": [1, new Uint8Array(16), 0, "read", nowMs],
    "core/io/mail/letter.ts#letterSchema": [
      1,
      peer,
      [victim, A_HASH],
      nowMs,
      "lunch",
      "at one?\n",
      [["photo.jpg", 300_000]],
      new Uint8Array(16),
      ["mallory", A_HASH, A_HASH, signature],
    ],
    "core/io/mail/inbox.ts#numbersSchema": [[new Uint8Array(16), 1]],
    "core/io/mail/outbox.ts#sentSchema": [
      1,
      nowMs,
      nowMs,
      "lunch",
      [["photo.jpg", 300_000]],
      [
        [victim, "otter", "waiting", nowMs],
        [A_HASH, "anna", "read", nowMs],
      ],
    ],
    "core/io/people/card.ts#wireSchema": [Uint8Array.of(1), signature],
    "core/io/people/card.ts#bodySchema": [1, peer, nowMs, "mallory", A_HASH, [A_HASH, "mallory", A_HASH, signature]],
    "core/io/people/picture.ts#wireSchema": [Uint8Array.of(1), signature],
    "core/io/people/picture.ts#bodySchema": [1, nowMs, Uint8Array.of(0x89, 0x50, 0x4e, 0x47)],
    "core/io/people/join.ts#askSchema": { ask: new Uint8Array(16) },
    "core/io/people/join.ts#answerSchema": { sealed: new Uint8Array(100) },
    "core/io/people/join.ts#insideSchema": ["mallory", A_HASH],
    "core/io/people/secrets.ts#keptSchema": [["mallory", A_HASH], [[A_HASH, nowMs]]],
    "core/io/codes/wire.ts#requestSchema": { ask: "hold", number: null, forMs: 1_000 },
    "core/io/codes/wire.ts#replySchema": { number: 1 },
    "core/io/codes/wire.ts#wantSchema": { is: "want", number: 1 },
    "core/io/codes/wire.ts#strangerSchema": { is: "stranger", number: 1 },
    "core/io/codes/wire.ts#receiverSchema": {
      is: "share",
      session: A_HASH.subarray(0, 16),
      share: A_SHARE,
      again: false,
    },
    "core/io/codes/wire.ts#senderSchema": { is: "share", share: A_SHARE },
    "core/io/transfer/manifest.ts#blockSchema": [
      ["docs", -1, nowMs],
      ["docs/a", 3, nowMs],
    ],
    "core/io/transfer/wire.ts#senderSchema": { is: "offer", ...OFFER },
    "core/io/transfer/wire.ts#receiverSchema": { is: "accept", pieces: 1, root: A_HASH },
    "core/io/transfer/wire.ts#recordSchema": {
      from: victim,
      name: "mallory",
      ...OFFER,
      pieces: 0,
      root: A_HASH,
      isWhole: false,
      startedAtMs: nowMs,
      touchedAtMs: nowMs,
    },
    "core/memory/acknowledge.ts#ackRequestSchema": { map, held: entries },
    "core/memory/acknowledge.ts#missingSchema": [0],
    "core/memory/journal.ts#segmentSchema": { first: 0, entries, group: 0, last: true, vector: NOTHING },
    "core/memory/replicated-map.ts#gossipSchema": { entries, part: { id: 1, index: 0, count: 2 } },
    "core/memory/exchange.ts#helloSchema": session,
    "core/memory/exchange.ts#frameSchema": {
      entries,
      credit: true,
      ranges: someRanges(),
      outlived: entries,
      vector: NOTHING,
    },
    "core/net/links/admission.ts#anySchema": certificate,
    "core/net/links/admission.ts#versionsSchema": { versions: { ...PROTOCOL_VERSIONS } },
    "core/net/links/admission.ts#passSchema": certificate,
    "core/net/links/admission.ts#answerSchema": { ok: true, ...certificate },
    "core/net/links/admission.ts#verdictSchema": { ok: true },
    "core/net/identity/certificate.ts#statementSchema": [
      1,
      root,
      root,
      keys.publicKey,
      "member",
      "member",
      0,
      nowMs + 3_600_000,
    ],
    "core/net/identity/certificate.ts#certificateSchema": [Uint8Array.of(1), signature],
    "core/net/identity/certificate.ts#chainSchema": [...chain],
    "core/net/identity/credentials.ts#keptSchema": {
      chain: [...chain],
      secret: A_HASH,
      delegation: [...chain],
      delegationKey: A_HASH,
      addresses: ["sim:a"],
      root: A_HASH,
    },
    "core/net/requests/forward.ts#signedSchema": [Uint8Array.of(1), signature],
    "core/net/requests/forward.ts#requestSchema": {
      from: peer,
      to: victim,
      chain: [...chain],
      protocol: "/starfish/ping/1.0.0",
      request: encode(null),
      nonce: new Uint8Array(16),
      atMs: nowMs,
    },
    "core/net/requests/forward.ts#replySchema": { nonce: new Uint8Array(16), reply: Uint8Array.of(1) },
    "core/net/requests/forward.ts#envelopeSchema": Uint8Array.of(1, 2, 3),
    "core/net/requests/forward.ts#forwardSchema": { to: victim, envelope: Uint8Array.of(1, 2, 3) },
    "core/net/gossip/gossip.ts#frameSchema": tree,
    "core/net/gossip/gossip.ts#bodySchema": [`memory/${map}`, Uint8Array.of(1)],
    "core/net/gossip/gossip.ts#sealedSchema": [peer, new Uint8Array(12), Uint8Array.of(1), signature],
    "core/net/identity/invite.ts#wholeSchema": [Uint8Array.of(1), new Uint8Array(4)],
    "core/net/identity/invite.ts#bodySchema": [[...chain], A_HASH, A_HASH, ["sim:a"]],
    "core/net/membership/record.ts#wireSchema": [Uint8Array.of(1), signature, [...chain]],
    "core/net/membership/record.ts#bodySchema": [
      4,
      peer,
      nowMs,
      "mallory",
      "node",
      peer,
      peer,
      ["sim:mallory"],
      1,
      0,
      nowMs,
      "awake",
      null,
      lives.life,
      null,
      new Uint8Array(400).fill(9),
    ],
    "core/net/membership/wire.ts#frameSchema": {
      ...tree,
      ping: [nowMs, 1],
      pong: [nowMs, 1],
      rtt: 20,
      asksTime: true,
      time: [nowMs, 3],
      digest: rows,
      records: [record],
      want: packIds([1]),
      gone: rows,
    },
    "core/net/membership/wire.ts#bodySchema": [0, record, NOTHING],
    "core/net/overlay/wire.ts#overlaySchema": {
      links: packIds([1]),
      added: packIds([2]),
      removed: packIds([3]),
      prune: "ask",
      ask: [1, packIds([1])],
      tell: [1, packIds([1, 2])],
    },
    "core/net/requests/wire.ts#replySchema": { ok: true, value: 1 },
    "core/transport/greeting.ts#firstWordsSchema": { kind: "hello", nonce: new Uint8Array(16), reason: "none" },
  };
}

export function recordOf(peer: PeerId, nowMs: number): MemberRecord {
  return {
    peer,
    incarnation: nowMs,
    name: "mallory",
    kind: "node",
    device: peer,
    host: peer,
    role: "member",
    addresses: ["sim:mallory"],
    coresLent: 1,
    coresBusy: 0,
    startedAtMs: nowMs,
    state: "awake",
    relayReason: undefined,
    card: undefined,
  };
}

/** One packed entry of an unknown writer, with some fields changed. */
export function packed(key: string, nowMs: number, changes: Partial<Entry> = {}, heldAtMs?: number): Uint8Array {
  const packer = new Packer();
  const entry: Entry = {
    stamp: Math.floor(nowMs) * 2_048,
    writer: 666,
    state: LIVE,
    value: "\u0001",
    expiresAtMs: undefined,
    ...changes,
  };
  packer.add(key, entry, heldAtMs);
  return packer.take();
}

function someRanges(): Uint8Array {
  const writer = new RangeWriter();
  writer.add({ to: "m", kind: SUM, count: 7, a: 1, b: 2 });
  writer.add({ to: "n", kind: LIST, ids: [1, 2] });
  writer.add({ to: undefined, kind: ALL });
  return writer.take();
}

/** Byte strings that mean something to one reader or another, at their own edges. */
export function dictionaryOf({ nowMs }: Speaker): Uint8Array[] {
  const [all, key] = [2 ** 53 - 1, "adversary/edge"];
  return [
    encode(null),
    encode([0, Uint8Array.of(0xff), Uint8Array.of(0xff)]),
    // Arrays in arrays, 20,000 deep, and an array that claims 2^32 - 1 elements.
    new Uint8Array(20_000).fill(0x81),
    Uint8Array.of(0x9a, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0x5b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff),
    MODULE_LIKE,
    // Numbers whose bytes have no end, and lengths without the bytes that they announce.
    new Uint8Array(64).fill(0xff),
    new Uint8Array(64).fill(0x80),
    Uint8Array.of(131, 0xff, 0xff, 0xff, 0x7f),
    // Entries at the edges of time.
    packed(key, nowMs, { stamp: all }),
    packed(key, nowMs, { stamp: 0, writer: 0 }),
    packed(key, nowMs, { writer: 2 ** 48 - 1 }, 2 ** 48 - 1),
    packed(key, nowMs, { expiresAtMs: 2 ** 48 - 1 }),
    packed(key, nowMs, { expiresAtMs: 1 }),
    packed("", nowMs),
    packed("k".repeat(1_024), nowMs),
    packed("\0\0f", nowMs),
    concat([packed("twice", nowMs), packed("twice", nowMs)]),
    // Many members that do not exist, and one member as many times.
    packRows(Array.from({ length: 4_000 }, (_, i) => ({ id: i, incarnation: 2 ** 48 - 1 }))),
    packRows(Array.from({ length: 4_000 }, () => ({ id: 1, incarnation: 0 }))),
    packIds(Array.from({ length: 8_000 }, () => 2 ** 48 - 1)),
    utf8("\u001b]0;title\u0007\u001b[2J"),
  ];
}
