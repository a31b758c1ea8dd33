/**
 * A list of everything that comes from elsewhere: each schema by the file that has it. `registry.node.test.ts` compares
 * it with the sources, so that a new schema, protocol, topic or map that the suite does not send fails a test.
 */
import type { Schema } from "../../core/base/codec.ts";
import { SCHEMAS as cpu } from "../../core/jobs/protocol.ts";
import { SCHEMAS as jobEntries } from "../../core/jobs/entries.ts";
import { SCHEMAS as jobGraph } from "../../core/jobs/graph-table.ts";
import { SCHEMAS as jobInputs } from "../../core/jobs/inputs.ts";
import { SCHEMAS as remembered } from "../../core/jobs/remembered.ts";
import { SCHEMAS as returned } from "../../core/jobs/returned.ts";
import { SCHEMAS as spec } from "../../core/jobs/spec.ts";
import { SCHEMAS as results } from "../../core/jobs/wire.ts";
import { SCHEMAS as program } from "../../core/sandbox/program.ts";
import { SCHEMAS as large } from "../../core/db/cells/large.ts";
import { SCHEMAS as labels } from "../../core/db/schema/labels.ts";
import { SCHEMAS as database } from "../../core/db/schema/model.ts";
import { SCHEMAS as kept } from "../../core/disk/files/kept-paths.ts";
import { SCHEMAS as treeValue } from "../../core/disk/files/tree-value.ts";
import { SCHEMAS as layout } from "../../core/disk/placement/layout-entry.ts";
import { SCHEMAS as shards } from "../../core/disk/shards/wire.ts";
import { SCHEMAS as codes } from "../../core/io/codes/wire.ts";
import { SCHEMAS as devices } from "../../core/io/devices/wire.ts";
import { SCHEMAS as mailEntries } from "../../core/io/mail/entries.ts";
import { SCHEMAS as mailNumbers } from "../../core/io/mail/inbox.ts";
import { SCHEMAS as letter } from "../../core/io/mail/letter.ts";
import { SCHEMAS as mailSent } from "../../core/io/mail/outbox.ts";
import { SCHEMAS as card } from "../../core/io/people/card.ts";
import { SCHEMAS as picture } from "../../core/io/people/picture.ts";
import { SCHEMAS as join } from "../../core/io/people/join.ts";
import { SCHEMAS as secrets } from "../../core/io/people/secrets.ts";
import { SCHEMAS as manifest } from "../../core/io/transfer/manifest.ts";
import { SCHEMAS as transfer } from "../../core/io/transfer/wire.ts";
import { SCHEMAS as acknowledge } from "../../core/memory/acknowledge.ts";
import { SCHEMAS as journal } from "../../core/memory/journal.ts";
import { SCHEMAS as map } from "../../core/memory/replicated-map.ts";
import { SCHEMAS as session } from "../../core/memory/exchange.ts";
import { SCHEMAS as admission } from "../../core/net/links/admission.ts";
import { SCHEMAS as certificate } from "../../core/net/identity/certificate.ts";
import { SCHEMAS as credentials } from "../../core/net/identity/credentials.ts";
import { SCHEMAS as forward } from "../../core/net/requests/forward.ts";
import { SCHEMAS as gossip } from "../../core/net/gossip/gossip.ts";
import { SCHEMAS as invite } from "../../core/net/identity/invite.ts";
import { SCHEMAS as record } from "../../core/net/membership/record.ts";
import { SCHEMAS as members } from "../../core/net/membership/wire.ts";
import { SCHEMAS as overlay } from "../../core/net/overlay/wire.ts";
import { SCHEMAS as rpc } from "../../core/net/requests/wire.ts";
import { SCHEMAS as greeting } from "../../core/transport/greeting.ts";

export const FILES: Readonly<Record<string, Readonly<Record<string, Schema<unknown>>>>> = {
  "core/jobs/protocol.ts": cpu,
  "core/jobs/entries.ts": jobEntries,
  "core/jobs/graph-table.ts": jobGraph,
  "core/jobs/inputs.ts": jobInputs,
  "core/jobs/remembered.ts": remembered,
  "core/jobs/returned.ts": returned,
  "core/jobs/spec.ts": spec,
  "core/jobs/wire.ts": results,
  "core/sandbox/program.ts": program,
  "core/db/schema/model.ts": database,
  "core/db/schema/labels.ts": labels,
  "core/db/cells/large.ts": large,
  "core/disk/files/kept-paths.ts": kept,
  "core/disk/files/tree-value.ts": treeValue,
  "core/disk/placement/layout-entry.ts": layout,
  "core/disk/shards/wire.ts": shards,
  "core/io/codes/wire.ts": codes,
  "core/io/devices/wire.ts": devices,
  "core/io/mail/entries.ts": mailEntries,
  "core/io/mail/inbox.ts": mailNumbers,
  "core/io/mail/letter.ts": letter,
  "core/io/mail/outbox.ts": mailSent,
  "core/io/people/card.ts": card,
  "core/io/people/join.ts": join,
  "core/io/people/picture.ts": picture,
  "core/io/people/secrets.ts": secrets,
  "core/io/transfer/manifest.ts": manifest,
  "core/io/transfer/wire.ts": transfer,
  "core/memory/acknowledge.ts": acknowledge,
  "core/memory/journal.ts": journal,
  "core/memory/replicated-map.ts": map,
  "core/memory/exchange.ts": session,
  "core/net/links/admission.ts": admission,
  "core/net/identity/certificate.ts": certificate,
  "core/net/identity/credentials.ts": credentials,
  "core/net/requests/forward.ts": forward,
  "core/net/gossip/gossip.ts": gossip,
  "core/net/identity/invite.ts": invite,
  "core/net/membership/record.ts": record,
  "core/net/membership/wire.ts": members,
  "core/net/overlay/wire.ts": overlay,
  "core/net/requests/wire.ts": rpc,
  "core/transport/greeting.ts": greeting,
};

/** Files that use the combinators but have no schema for data from elsewhere, with the reasons. */
export const NO_SCHEMAS: Readonly<Record<string, string>> = {
  "core/base/codec.ts": "makes the building blocks",
  "core/net/gossip/wire.ts": "fields of the frames of gossip/gossip.ts and membership/wire.ts",
  "core/net/net.ts": "ping says null; and the moment at which this node last heard what time it is",
  "node/frames.ts": "the control socket, which only this user may open",
  "node/lending.ts": "a file of the data directory, in which the node keeps what its person has chosen",
};

/** By file and name: "core/net/gossip/gossip.ts#bodySchema". */
export function allSchemas(): Map<string, Schema<unknown>> {
  const all = new Map<string, Schema<unknown>>();
  for (const [file, schemas] of Object.entries(FILES)) {
    for (const [name, schema] of Object.entries(schemas)) all.set(`${file}#${name}`, schema);
  }
  return all;
}

/** Numbers, texts and lists without a bound, and why each harms nobody. */
export const UNBOUNDED: Readonly<Record<string, string>> = {
  "core/disk/files/kept-paths.ts#stateSchema.held: array": "this node's own list of what it keeps",
  "core/disk/files/kept-paths.ts#stateSchema.lacking: array": "this node's own list of what it keeps",
  "core/net/links/admission.ts#anySchema: unknown": "a hello, of which the versions are checked first, then all of it",
  "core/net/requests/wire.ts#replySchema|0.value: unknown":
    "checked against the schema of its protocol before anyone sees it",
};

const HELLO = ["anySchema", "versionsSchema", "passSchema", "answerSchema", "verdictSchema"];

/** The protocols, and the schemas of their messages. The answer to a request has the form of net/requests/wire.ts. */
export const PROTOCOLS: Readonly<Record<string, readonly string[]>> = {
  "/starfish/link/1.0.0": ["core/transport/greeting.ts#firstWordsSchema"],
  "/starfish/hello/1.0.0": HELLO.map((name) => `core/net/links/admission.ts#${name}`),
  "/starfish/members/1.0.0": ["core/net/membership/wire.ts#frameSchema", "core/net/membership/wire.ts#bodySchema"],
  "/starfish/overlay/1.0.0": ["core/net/overlay/wire.ts#overlaySchema"],
  "/starfish/gossip/1.0.0": ["core/net/gossip/gossip.ts#frameSchema", "core/net/gossip/gossip.ts#bodySchema"],
  "/starfish/ping/1.0.0": ["core/net/requests/wire.ts#replySchema"],
  "/starfish/forward/1.0.0": [
    "core/net/requests/forward.ts#forwardSchema",
    "core/net/requests/forward.ts#envelopeSchema",
  ],
  "/starfish/deliver/1.0.0": [
    "core/net/requests/forward.ts#signedSchema",
    "core/net/requests/forward.ts#requestSchema",
  ],
  "/starfish/memory/2.0.0": ["core/memory/exchange.ts#helloSchema", "core/memory/exchange.ts#frameSchema"],
  "/starfish/memory-ack/2.0.0": [
    "core/memory/acknowledge.ts#ackRequestSchema",
    "core/memory/acknowledge.ts#missingSchema",
  ],
  "/starfish/shards/put/1.0.0": ["core/disk/shards/wire.ts#putSchema", "core/disk/shards/wire.ts#putReplySchema"],
  "/starfish/shards/get/1.0.0": ["core/disk/shards/wire.ts#getSchema", "core/disk/shards/wire.ts#getReplySchema"],
  "/starfish/shards/have/1.0.0": ["core/disk/shards/wire.ts#haveSchema", "core/disk/shards/wire.ts#haveReplySchema"],
  "/starfish/shards/drop/1.0.0": ["core/disk/shards/wire.ts#dropSchema"],
  "/starfish/shards/sync/1.0.0": ["core/disk/shards/wire.ts#nothingSchema"],
  "/starfish/shards/fetch/2.0.0": ["core/disk/shards/wire.ts#fetchSchema", "core/disk/shards/wire.ts#putReplySchema"],
  "/starfish/shards/give/1.0.0": ["core/disk/shards/wire.ts#giveSchema", "core/disk/shards/wire.ts#giveReplySchema"],
  "/starfish/shards/recheck/1.0.0": ["core/disk/shards/wire.ts#nameSchema"],
  "/starfish/code/1.0.0": ["core/io/codes/wire.ts#requestSchema", "core/io/codes/wire.ts#replySchema"],
  "/starfish/stranger/1.0.0": ["strangerSchema", "receiverSchema", "senderSchema"].map(
    (name) => `core/io/codes/wire.ts#${name}`,
  ),
  "/starfish/device/1.0.0": ["core/io/devices/wire.ts#requestSchema", "core/io/devices/wire.ts#replySchema"],
  "/starfish/person/1.0.0": ["askSchema", "answerSchema", "insideSchema"].map(
    (name) => `core/io/people/join.ts#${name}`,
  ),
  "/starfish/transfer/1.0.0": [
    "core/io/transfer/wire.ts#senderSchema",
    "core/io/transfer/wire.ts#receiverSchema",
    "core/io/transfer/manifest.ts#blockSchema",
  ],
  "/starfish/results/2.0.0": ["requestSchema", "outputsSchema", "heldSchema", "openingsSchema", "sumsSchema"].map(
    (name) => `core/jobs/wire.ts#${name}`,
  ),
  "/starfish/cpu/1.0.0": ["core/jobs/protocol.ts#cpuRequest", "core/jobs/protocol.ts#runReply"],
};

/** The replicated maps, and the schemas of their values; values that people write have none. */
export const MAPS: Readonly<Record<string, readonly string[]>> = {
  mem: [],
  layout: ["storedSchema", "slotsSchema", "storageSchema"].map((name) => `core/disk/placement/layout-entry.ts#${name}`),
  proc: ["jobSchema", "cancelSchema", "outcomeSchema", "confirmationSchema"].map(
    (name) => `core/jobs/entries.ts#${name}`,
  ),
  work: ["core/jobs/entries.ts#workSchema", "core/jobs/remembered.ts#rememberedSchema"],
  people: ["wireSchema", "bodySchema"].map((name) => `core/io/people/card.ts#${name}`),
  pictures: ["wireSchema", "bodySchema"].map((name) => `core/io/people/picture.ts#${name}`),
  mail: ["wireSchema", "mailSchema", "receiptSchema"].map((name) => `core/io/mail/entries.ts#${name}`),
  db: [
    ...["objectSchema", "columnSchema"].map((name) => `core/db/schema/model.ts#${name}`),
    "core/db/schema/labels.ts#labelSchema",
    "core/db/cells/large.ts#largeSchema",
  ],
  tree: ["core/disk/files/tree-value.ts#fileSchema"],
};

/** Files that publish on a topic or subscribe to one. */
export const TOPICS: Readonly<Record<string, string>> = { "core/memory/replicated-map.ts": "memory/<map>" };
