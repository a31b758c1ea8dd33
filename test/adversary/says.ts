/** How a member or a stranger says a value of each schema to an honest node, or why nobody can. */
import { concat, toHex } from "../../core/base/bytes.ts";
import { encode } from "../../core/base/codec.ts";
import { CPU_PROTOCOL } from "../../core/jobs/protocol.ts";
import { CellWriter } from "../../core/db/cells/pack.ts";
import type { SqlValue } from "../../core/db/types.ts";
import { cellKey, columnId, columnKey, labelKey, tableId } from "../../core/db/schema/names.ts";
import { statementOf, writable } from "../../core/jobs/entries.ts";
import { workKey, workPurpose } from "../../core/jobs/view.ts";
import { RESULTS_PROTOCOL } from "../../core/jobs/wire.ts";
import { shortIdOf } from "../../core/net/membership/rows.ts";
import {
  DROP_PROTOCOL,
  FETCH_PROTOCOL,
  GET_PROTOCOL,
  GIVE_PROTOCOL,
  HAVE_PROTOCOL,
  PUT_PROTOCOL,
  RECHECK_PROTOCOL,
  SYNC_PROTOCOL,
} from "../../core/disk/shards/wire.ts";
import { CODE_PROTOCOL, STRANGER_PROTOCOL } from "../../core/io/codes/wire.ts";
import { DEVICE_PROTOCOL } from "../../core/io/devices/wire.ts";
import { MAIL_PURPOSE, RECEIPT_PURPOSE } from "../../core/io/mail/entries.ts";
import { CARD_PURPOSE, makeCard } from "../../core/io/people/card.ts";
import { PERSON_PROTOCOL } from "../../core/io/people/join.ts";
import { PICTURE_PURPOSE } from "../../core/io/people/picture.ts";
import { PIECE_BYTES } from "../../core/io/transfer/limits.ts";
import { TRANSFER_PROTOCOL } from "../../core/io/transfer/wire.ts";
import { ACK_PROTOCOL } from "../../core/memory/acknowledge.ts";
import { signStatement } from "../../core/net/identity/statement.ts";
import { DELIVER_PROTOCOL, FORWARD_PROTOCOL } from "../../core/net/requests/forward.ts";
import { PROTOCOL_VERSIONS } from "../../core/net/limits.ts";
import { MESSAGE_BYTES_MAX, type PeerId } from "../../core/ports/network.ts";
import { A_JOB, samplesOf, type Speaker } from "./samples.ts";
import type { Voice } from "./voice.ts";

export interface Saying {
  readonly intruder: Voice;
  /** Says these to the victim on the channel of the handshake, as a peer that nobody has admitted. */
  readonly knock: (messages: readonly Uint8Array[]) => Promise<void>;
  readonly victim: PeerId;
  readonly speaker: Speaker;
}

type Way = (value: unknown, saying: Saying) => Promise<void> | void;

function request(protocol: string): Way {
  return (value, { intruder, victim }) => intruder.request(victim, protocol, value);
}

/** `speak` gives the messages, from the value and from a valid hello. */
function sayAsStranger(speak: (value: unknown, own: Record<string, unknown>) => readonly Uint8Array[]): Way {
  return (value, { intruder, speaker, knock }) => {
    const { swarm } = intruder.invite;
    const own = { versions: PROTOCOL_VERSIONS, swarm, chain: [...speaker.chain], life: new Uint8Array(8) };
    return knock(speak(value, own).filter(({ length }) => length < MESSAGE_BYTES_MAX));
  };
}

const NOTHING = new Uint8Array(0);

/** By schema, how it is said to an honest node that has not asked for it. */
export const WAYS: Readonly<Record<string, Way>> = {
  "core/jobs/spec.ts#specSchema": (spec, saying) => {
    const { speaker } = saying;
    writeJob(saying, freshJob(), { ...record(samplesOf(speaker)["core/jobs/entries.ts#jobSchema"]), spec });
  },
  "core/jobs/entries.ts#jobSchema": (value, saying) => writeJob(saying, freshJob(), value),
  "core/jobs/entries.ts#cancelSchema": (value, { intruder }) => {
    for (const job of [A_JOB, freshJob()]) intruder.write("proc", `c/${job}`, value);
  },
  "core/jobs/entries.ts#outcomeSchema": (value, { intruder }) => {
    for (const job of [A_JOB, freshJob()]) intruder.write("proc", `r/${job}`, value);
  },
  "core/jobs/entries.ts#confirmationSchema": (value, saying) => {
    const { intruder, speaker } = saying;
    const job = freshJob();
    writeJob(saying, job, verifiedJob(saying));
    intruder.write("proc", `r/${job}`, samplesOf(speaker)["core/jobs/entries.ts#outcomeSchema"]);
    const writer = shortIdOf(speaker.crypto, intruder.net.self);
    for (const number of [writer, 666]) intruder.write("proc", `v/${job}/${number.toString(36)}`, value);
  },
  "core/jobs/entries.ts#workSchema": (value, saying) => {
    const { intruder, speaker } = saying;
    const job = freshJob();
    writeJob(saying, job, samplesOf(speaker)["core/jobs/entries.ts#jobSchema"]);
    const writer = shortIdOf(speaker.crypto, intruder.net.self);
    intruder.write("work", workKey(job, writer), value, { writer });
    intruder.write("work", workKey(job, 666), value);
    const verified = freshJob();
    writeJob(saying, verified, verifiedJob(saying));
    intruder.write("work", workKey(verified, writer), signedWork(saying, verified, value), { writer });
  },
  "core/jobs/remembered.ts#rememberedSchema": (value, { intruder, speaker }) => {
    const writer = shortIdOf(speaker.crypto, intruder.net.self);
    const key = fresh().toString(16).padStart(64, "0");
    for (const number of [writer, 666]) intruder.write("work", `t/${key}/${number.toString(36)}`, value, { writer });
  },
  "core/jobs/wire.ts#requestSchema": (value, saying) => {
    writeJob(saying, A_JOB, samplesOf(saying.speaker)["core/jobs/entries.ts#jobSchema"]);
    saying.intruder.request(saying.victim, RESULTS_PROTOCOL, value);
  },
  "core/jobs/protocol.ts#cpuRequest": request(CPU_PROTOCOL),
  "core/sandbox/program.ts#programSchema": (program, { intruder, victim, speaker }) => {
    const run = record(samplesOf(speaker)["core/jobs/protocol.ts#cpuRequest"]);
    return intruder.request(victim, CPU_PROTOCOL, { ...run, program });
  },
  "core/db/schema/model.ts#objectSchema": (value, { intruder }) => {
    for (const name of ["notes", freshId()]) intruder.write("db", `!o/${name}/1`, value);
  },
  "core/db/schema/model.ts#columnSchema": (value, { intruder }) => {
    const table = tableId("notes", 1, ["id"]);
    for (const column of ["id", freshId()]) intruder.write("db", columnKey(table, columnId(column, 0)), value);
    intruder.write("db", `${table}/xrow`, value);
    intruder.write("db", `${table}/${freshId()}`, new Uint8Array([1, 2, 3, 4, 5]));
  },
  "core/db/schema/labels.ts#labelSchema": (value, { intruder }) => {
    const table = tableId("notes", 1, ["id"]);
    for (const column of [undefined, columnId("id", 0)]) intruder.write("db", labelKey(table, column), value);
  },
  "core/db/cells/large.ts#largeSchema": (value, { intruder }) => {
    const table = tableId("notes", 1, ["id"]);
    for (const row of ["xrow", freshId()]) {
      intruder.write("db", `${table}/${row}`, new Uint8Array());
      intruder.write("db", cellKey(`${table}/${row}`, columnId("text", 0)), largeCell(value));
    }
  },
  "core/io/codes/wire.ts#requestSchema": request(CODE_PROTOCOL),
  "core/io/codes/wire.ts#strangerSchema": (value, { intruder, victim }) =>
    intruder.talk(victim, STRANGER_PROTOCOL, [encode(value)]),
  "core/io/devices/wire.ts#requestSchema": request(DEVICE_PROTOCOL),
  "core/io/mail/entries.ts#wireSchema": (value, { intruder }) => {
    intruder.write("mail", `m/${freshJob()}${freshJob()}`, value);
    intruder.write("mail", `r/${freshJob()}${freshJob()}/0/read`, value);
  },
  "core/io/mail/entries.ts#mailSchema": (value, saying) => {
    const [body, wire] = signed(MAIL_PURPOSE, value, saying);
    saying.intruder.write("mail", `m/${toHex(saying.speaker.crypto.sha256(body).subarray(0, 16))}`, wire);
    saying.intruder.write("mail", `m/${freshJob()}${freshJob()}`, wire);
  },
  "core/io/mail/entries.ts#receiptSchema": (value, saying) => {
    const [, wire] = signed(RECEIPT_PURPOSE, value, saying);
    for (const state of ["delivered", "read", "deleted"]) {
      saying.intruder.write("mail", `r/${"0".repeat(32)}/0/${state}`, wire);
    }
  },
  "core/io/people/card.ts#wireSchema": async (value, saying) => {
    const { intruder, victim, speaker } = saying;
    for (const key of [intruder.net.self, victim]) intruder.write("people", key, encode(value));
    const record = intruder.record([...recordFields(speaker).slice(0, -1), encode(value)]);
    await intruder.part(victim, "members", encode({ records: [record] }));
  },
  "core/io/people/card.ts#bodySchema": async (value, saying) => {
    const { intruder, victim, speaker } = saying;
    const card = encode(signed(CARD_PURPOSE, value, saying)[1]);
    for (const key of [intruder.net.self, victim]) intruder.write("people", key, card);
    const record = intruder.record([...recordFields(speaker).slice(0, -1), card]);
    await intruder.part(victim, "members", encode({ records: [record] }));
  },
  "core/io/people/join.ts#askSchema": request(PERSON_PROTOCOL),
  "core/io/people/picture.ts#wireSchema": (value, saying) => {
    saying.intruder.write("pictures", asPerson(saying), encode(value));
    saying.intruder.write("pictures", "0".repeat(64), encode(value));
  },
  "core/io/people/picture.ts#bodySchema": (value, saying) =>
    saying.intruder.write("pictures", asPerson(saying), encode(signed(PICTURE_PURPOSE, value, saying)[1])),
  "core/io/transfer/wire.ts#senderSchema": async (value, { intruder, victim, speaker }) => {
    const offer = record(samplesOf(speaker)["core/io/transfer/wire.ts#senderSchema"]);
    // As the first message, and after an offer that was accepted.
    await intruder.talk(victim, TRANSFER_PROTOCOL, [control(value)]);
    const fresh = { ...offer, id: idOf(freshJob()), key: idOf(freshJob().repeat(2)) };
    await intruder.talk(victim, TRANSFER_PROTOCOL, [control(fresh), control(value)]);
  },
  "core/io/transfer/manifest.ts#blockSchema": async (value, { intruder, victim, speaker }) => {
    const offer = record(samplesOf(speaker)["core/io/transfer/wire.ts#senderSchema"]);
    const block = encode(value);
    const head = Uint8Array.of(0, block.length >>> 16, (block.length >>> 8) & 255, block.length & 255);
    const manifest = concat([head, block]);
    const piece = concat([manifest, Uint8Array.of(1, 2, 3)]);
    if (piece.length > PIECE_BYTES) return;
    const { crypto } = speaker;
    const root = crypto.sha256(concat([new Uint8Array(32), crypto.sha256(piece)]));
    const says = { ...offer, id: idOf(freshJob()), key: crypto.sha256(manifest), manifestBytes: manifest.length };
    await intruder.talk(victim, TRANSFER_PROTOCOL, [
      control({ ...says, title: "docs", folders: 1, names: [["docs/a", 3]] }),
      concat([Uint8Array.of(1), piece]),
      control({ is: "end", pieces: 1, totalBytes: 3, root }),
    ]);
  },
  "core/disk/placement/layout-entry.ts#storedSchema": (value, { intruder, speaker }) => {
    intruder.write("layout", `c/${speaker.cid}/${freshId()}`, value);
    intruder.write("layout", `c/${freshId()}/${speaker.layout}`, value);
  },
  "core/disk/placement/layout-entry.ts#slotsSchema": (value, { intruder }) =>
    intruder.write("layout", `p/${Math.floor(fresh() % 1_024)}`, value),
  "core/disk/placement/layout-entry.ts#storageSchema": (value, { intruder }) => {
    intruder.write("layout", `d/${intruder.net.self}`, value);
    intruder.write("layout", `d/nobody${freshId()}`, value);
  },
  "core/disk/files/tree-value.ts#fileSchema": (value, { intruder }) => {
    intruder.write("tree", treeKeyOf(intruder, freshId()), value);
    intruder.write("tree", treeKeyOf(intruder, "many"), value);
  },
  "core/disk/shards/wire.ts#nameSchema": request(RECHECK_PROTOCOL),
  "core/disk/shards/wire.ts#giveSchema": request(GIVE_PROTOCOL),
  "core/disk/shards/wire.ts#fetchSchema": request(FETCH_PROTOCOL),
  "core/disk/shards/wire.ts#putSchema": request(PUT_PROTOCOL),
  "core/disk/shards/wire.ts#getSchema": request(GET_PROTOCOL),
  "core/disk/shards/wire.ts#haveSchema": request(HAVE_PROTOCOL),
  "core/disk/shards/wire.ts#dropSchema": request(DROP_PROTOCOL),
  "core/disk/shards/wire.ts#nothingSchema": request(SYNC_PROTOCOL),
  "core/memory/acknowledge.ts#ackRequestSchema": request(ACK_PROTOCOL),
  "core/memory/replicated-map.ts#gossipSchema": (value, { intruder }) => {
    for (const map of ["mem", "layout", "tree", "proc", "work", "people", "pictures", "mail", "db"])
      intruder.publish(`memory/${map}`, value);
  },
  "core/memory/exchange.ts#helloSchema": (value, { intruder, victim }) => intruder.reconcile(victim, [encode(value)]),
  "core/memory/exchange.ts#frameSchema": (value, { intruder, victim, speaker }) =>
    intruder.reconcile(victim, [encode(samplesOf(speaker)["core/memory/exchange.ts#helloSchema"]), encode(value)]),
  "core/net/links/admission.ts#anySchema": sayAsStranger((value) => [encode(value)]),
  "core/net/links/admission.ts#versionsSchema": sayAsStranger((value, own) => [encode({ ...own, ...record(value) })]),
  "core/net/links/admission.ts#passSchema": sayAsStranger((value, own) => [encode({ ...own, ...record(value) })]),
  "core/net/links/admission.ts#verdictSchema": sayAsStranger((value, own) => [encode(own), encode(value)]),
  "core/net/identity/certificate.ts#statementSchema": async (value, saying) => {
    const { intruder, victim, speaker } = saying;
    const chain = intruder.chain(value);
    await intruder.part(victim, "members", encode({ records: [intruder.record(recordBody(speaker), chain)] }));
    await sayAsStranger((_, own) => [encode({ ...own, chain })])(value, saying);
  },
  "core/net/identity/certificate.ts#certificateSchema": async (value, { intruder, victim, speaker }) => {
    const chain = [...intruder.invite.delegation.chain, encode(value)];
    await intruder.part(victim, "members", encode({ records: [intruder.record(recordBody(speaker), chain)] }));
  },
  "core/net/identity/certificate.ts#chainSchema": sayAsStranger((chain, own) => [encode({ ...own, chain })]),
  "core/net/requests/forward.ts#signedSchema": (value, { intruder, victim }) =>
    intruder.request(victim, DELIVER_PROTOCOL, encode(value)),
  "core/net/requests/forward.ts#requestSchema": (value, { intruder, victim }) =>
    intruder.request(victim, DELIVER_PROTOCOL, intruder.envelope(value)),
  "core/net/requests/forward.ts#envelopeSchema": request(DELIVER_PROTOCOL),
  "core/net/requests/forward.ts#forwardSchema": request(FORWARD_PROTOCOL),
  "core/net/gossip/gossip.ts#frameSchema": (value, { intruder, victim }) =>
    intruder.part(victim, "gossip", encode(value)),
  "core/net/gossip/gossip.ts#bodySchema": (value, { intruder, victim }) =>
    intruder.part(victim, "gossip", encode({ bodies: [encode(value)] })),
  "core/net/gossip/gossip.ts#sealedSchema": (value, { intruder, victim }) =>
    intruder.part(victim, "gossip", encode({ bodies: [encode(["memory/mem", intruder.sealed("memory/mem", value)])] })),
  "core/net/membership/record.ts#wireSchema": (value, { intruder, victim }) =>
    intruder.part(victim, "members", encode({ records: [encode(value)] })),
  "core/net/membership/record.ts#bodySchema": async (value, { intruder, victim }) => {
    const signed = intruder.record(value);
    await intruder.part(victim, "members", encode({ records: [signed] }));
    await intruder.part(victim, "members", encode({ bodies: [encode([0, signed, NOTHING])] }));
  },
  "core/net/membership/wire.ts#frameSchema": (value, { intruder, victim }) =>
    intruder.part(victim, "members", encode(value)),
  "core/net/membership/wire.ts#bodySchema": (value, { intruder, victim }) =>
    intruder.part(victim, "members", encode({ bodies: [encode(value)] })),
  "core/net/overlay/wire.ts#overlaySchema": (value, { intruder, victim }) =>
    intruder.part(victim, "overlay", encode(value)),
};

/** Schemas that are said as the answer to a request of an honest node, by the protocol of the request. */
export const ANSWERS: Readonly<Record<string, string>> = {
  "core/jobs/protocol.ts#runReply": CPU_PROTOCOL,
  "core/jobs/wire.ts#outputsSchema": RESULTS_PROTOCOL,
  "core/jobs/wire.ts#heldSchema": RESULTS_PROTOCOL,
  "core/jobs/wire.ts#openingsSchema": RESULTS_PROTOCOL,
  "core/jobs/wire.ts#sumsSchema": RESULTS_PROTOCOL,
  "core/jobs/protocol.ts#putReply": CPU_PROTOCOL,
  "core/jobs/protocol.ts#getReply": CPU_PROTOCOL,
  "core/disk/shards/wire.ts#putReplySchema": PUT_PROTOCOL,
  "core/disk/shards/wire.ts#giveReplySchema": GIVE_PROTOCOL,
  "core/disk/shards/wire.ts#getReplySchema": GET_PROTOCOL,
  "core/disk/shards/wire.ts#haveReplySchema": HAVE_PROTOCOL,
  "core/io/devices/wire.ts#replySchema": DEVICE_PROTOCOL,
  "core/memory/acknowledge.ts#missingSchema": ACK_PROTOCOL,
  "core/net/requests/wire.ts#replySchema": "",
};

/** Schemas of values that a node finds in its own store when it starts, by their key. */
export const STORED: Readonly<Record<string, string>> = {
  "core/memory/journal.ts#segmentSchema": "memory/layout/zzzz",
  "core/disk/files/kept-paths.ts#stateSchema": "files/kept",
  "core/io/devices/wire.ts#answersSchema": "io/answers",
  "core/io/transfer/wire.ts#recordSchema": `io/inbox/${"09".repeat(16)}`,
  "core/net/identity/credentials.ts#keptSchema": "net/swarm/",
};

/** Schemas that other suites say, or that have the same readers as another schema. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  "core/io/codes/wire.ts#replySchema": "a number, to who has asked for one: core/io/codes/codes.sim.test.ts",
  "core/io/codes/wire.ts#wantSchema": "said by a stranger at the page: core/io/codes/hostile.sim.test.ts",
  "core/io/codes/wire.ts#receiverSchema": "said where a code is open: core/io/codes/hostile.sim.test.ts",
  "core/io/codes/wire.ts#senderSchema": "said to a stranger who has asked: core/io/codes/hostile.sim.test.ts",
  "core/io/mail/letter.ts#letterSchema": "what a reader finds when it opens a letter: letter.test.ts",
  "core/io/mail/inbox.ts#numbersSchema": "a node's own store: io/mail/stored.test.ts",
  "core/io/mail/outbox.ts#sentSchema": "a node's own store: io/mail/stored.test.ts",
  "core/io/people/secrets.ts#keptSchema": "a node's own store: io/mail/stored.test.ts",
  "core/io/people/join.ts#answerSchema": "asked for with a code of one's own: join.test.ts",
  "core/io/people/join.ts#insideSchema": "sealed under a code of one's own: join.test.ts",
  "core/jobs/graph-table.ts#rowsSchema": "a content that a job names, read by who runs it: graph.test.ts",
  "core/jobs/returned.ts#listSchema": "a task's output, read by who runs the job: returned.test.ts, graph.sim.test.ts",
  "core/jobs/inputs.ts#filesSchema": "a content that a job names, read by who runs it: inputs.test.ts",
  "core/io/transfer/wire.ts#receiverSchema":
    "answered to an honest sender on its own channel: core/io/transfer/hostile.sim.test.ts",
  "core/net/links/admission.ts#answerSchema":
    "the same fields as passSchema, judged by the same code: admission.test.ts",
  "core/net/requests/forward.ts#replySchema": "opened only with the nonce of a question of one's own: forward.test.ts",
  "core/net/identity/invite.ts#wholeSchema": "a person pastes it: invite.test.ts",
  "core/net/identity/invite.ts#bodySchema": "a person pastes it: invite.test.ts",
  "core/transport/greeting.ts#firstWordsSchema": "said to real processes: test/system/adversary.test.ts",
};

function freshJob(): string {
  return fresh().toString(16).padStart(16, "0");
}

function verifiedJob({ speaker }: Saying): unknown {
  const job = record(samplesOf(speaker)["core/jobs/entries.ts#jobSchema"]);
  return writable({ ...job, spec: { ...record(job["spec"]), on: undefined, verify: { runs: 2, agree: 2 } } });
}

/** An entry of a verified job with this member's own signature, where it has a place for one. */
function signedWork({ speaker }: Saying, job: string, value: unknown): unknown {
  const [votes] = Array.isArray(value) && Array.isArray(value[6]) ? value[6] : [];
  if (!Array.isArray(value) || votes === undefined) return value;
  const { crypto, keys } = speaker;
  const statement = statementOf(value, votes);
  return [...value.slice(0, 6), [votes, signStatement(crypto, keys.privateKey, workPurpose(job), statement)]];
}

/** As its submitter would, so that it is believed and run. */
function writeJob({ intruder, speaker }: Saying, job: string, value: unknown): void {
  const writer = shortIdOf(speaker.crypto, intruder.net.self);
  intruder.write("proc", `j/${job}`, value, { writer });
}

/** A control message of a transfer. */
function control(value: unknown): Uint8Array {
  return concat([Uint8Array.of(0), encode(value)]);
}

function idOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length }, (_, i) => hex.charCodeAt(i));
}

let count = 0;

function fresh(): number {
  return ++count;
}

function freshId(): string {
  return `x${fresh().toString(36)}`;
}

function treeKeyOf({ nowMs }: Voice, name: string): string {
  const version = (nowMs * 2_048 + fresh()).toString(36).padStart(11, "0") + "666".padStart(10, "0");
  return `\0${name}\0f${version}`;
}

function signed(
  purpose: string,
  value: unknown,
  { speaker }: Saying,
): readonly [body: Uint8Array, wire: readonly Uint8Array[]] {
  const body = encode(value);
  return [body, [body, signStatement(speaker.crypto, speaker.keys.privateKey, purpose, body)]];
}

/** Makes the intruder a person, whose key is its own, so that the person's picture is read. */
function asPerson({ intruder, speaker }: Saying): string {
  const { crypto, keys, nowMs } = speaker;
  const mailKey = new Uint8Array(32).fill(9);
  const person = { keys, name: "mallory", mailKey };
  const sign = (purpose: string, body: Uint8Array): Uint8Array => signStatement(crypto, keys.privateKey, purpose, body);
  const says = { peer: intruder.net.self, madeAtMs: Math.round(nowMs) + fresh(), name: "mallory", mailKey, person };
  intruder.write("people", intruder.net.self, makeCard(crypto, sign, says).wire);
  return toHex(keys.publicKey);
}

function recordFields(speaker: Speaker): readonly unknown[] {
  const body = recordBody(speaker);
  return Array.isArray(body) ? body : [];
}

function recordBody(speaker: Speaker): unknown {
  return samplesOf(speaker)["core/net/membership/record.ts#bodySchema"];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** A cell that claims to refer to a large value, with these fields as far as a cell can have them. */
function largeCell(value: unknown): Uint8Array {
  const { isText, sizeBytes, cid } = record(value);
  const writer = new CellWriter();
  writer.bytes(Uint8Array.of(7, typeof isText === "boolean" ? Number(isText) : 9));
  for (const field of [sizeBytes, cid]) {
    const isOfSql = ["string", "number", "bigint"].includes(typeof field) || field instanceof Uint8Array;
    writer.value(isOfSql ? (field as SqlValue) : null);
  }
  // What is longer never comes into the map.
  return writer.slice().subarray(0, 60_000);
}
