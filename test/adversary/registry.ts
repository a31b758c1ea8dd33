/**
 * Everything that comes from elsewhere, in one list: each schema by the file that has it. `registry.node.test.ts` compares
 * it with the sources, so that a new schema, protocol, topic or map that the suite does not send fails a test.
 */
import type { Schema } from "../../core/base/codec.ts";
import { SCHEMAS as cpu } from "../../core/cpu/protocol.ts";
import { SCHEMAS as kept } from "../../core/disk/files/kept.ts";
import { SCHEMAS as treeValue } from "../../core/disk/files/tree-value.ts";
import { SCHEMAS as layout } from "../../core/disk/layout-entry.ts";
import { SCHEMAS as shards } from "../../core/disk/wire.ts";
import { SCHEMAS as acknowledge } from "../../core/memory/acknowledge.ts";
import { SCHEMAS as journal } from "../../core/memory/journal.ts";
import { SCHEMAS as map } from "../../core/memory/replicated-map.ts";
import { SCHEMAS as session } from "../../core/memory/session.ts";
import { SCHEMAS as admission } from "../../core/net/admission.ts";
import { SCHEMAS as certificate } from "../../core/net/certificate.ts";
import { SCHEMAS as credentials } from "../../core/net/credentials.ts";
import { SCHEMAS as forward } from "../../core/net/forward.ts";
import { SCHEMAS as gossip } from "../../core/net/gossip.ts";
import { SCHEMAS as invite } from "../../core/net/invite.ts";
import { SCHEMAS as record } from "../../core/net/membership-record.ts";
import { SCHEMAS as members } from "../../core/net/membership-wire.ts";
import { SCHEMAS as overlay } from "../../core/net/overlay-wire.ts";
import { SCHEMAS as rpc } from "../../core/net/rpc-wire.ts";
import { SCHEMAS as greeting } from "../../core/transport/greeting.ts";

export const FILES: Readonly<Record<string, Readonly<Record<string, Schema<unknown>>>>> = {
  "core/cpu/protocol.ts": cpu,
  "core/disk/files/kept.ts": kept,
  "core/disk/files/tree-value.ts": treeValue,
  "core/disk/layout-entry.ts": layout,
  "core/disk/wire.ts": shards,
  "core/memory/acknowledge.ts": acknowledge,
  "core/memory/journal.ts": journal,
  "core/memory/replicated-map.ts": map,
  "core/memory/session.ts": session,
  "core/net/admission.ts": admission,
  "core/net/certificate.ts": certificate,
  "core/net/credentials.ts": credentials,
  "core/net/forward.ts": forward,
  "core/net/gossip.ts": gossip,
  "core/net/invite.ts": invite,
  "core/net/membership-record.ts": record,
  "core/net/membership-wire.ts": members,
  "core/net/overlay-wire.ts": overlay,
  "core/net/rpc-wire.ts": rpc,
  "core/transport/greeting.ts": greeting,
};

/** Files that use the combinators and have no schema of what comes from elsewhere, and why. */
export const NO_SCHEMAS: Readonly<Record<string, string>> = {
  "core/base/codec.ts": "makes the building blocks",
  "core/net/gossip-wire.ts": "fields of the frames of gossip.ts and membership-wire.ts",
  "core/net/net.ts": "ping says null",
  "core/disk/serve.ts": "sync says null",
  "node/frames.ts": "the control socket, which only this user may open",
};

/** By file and name: "core/net/gossip.ts#bodySchema". */
export function allSchemas(): Map<string, Schema<unknown>> {
  const all = new Map<string, Schema<unknown>>();
  for (const [file, schemas] of Object.entries(FILES)) {
    for (const [name, schema] of Object.entries(schemas)) all.set(`${file}#${name}`, schema);
  }
  return all;
}

/** What may be as large as a number, a text or a list can be, and why that harms nobody. */
export const UNBOUNDED: Readonly<Record<string, string>> = {
  "core/disk/files/kept.ts#stateSchema.held: array": "this node's own list of what it keeps",
  "core/disk/files/kept.ts#stateSchema.lacking: array": "this node's own list of what it keeps",
  "core/memory/journal.ts#segmentSchema.first: number": "this node's own count of its segments, and only compared",
  "core/net/admission.ts#anySchema: unknown": "a hello, of which the versions are checked first, then all of it",
  "core/net/rpc-wire.ts#replySchema|0.value: unknown":
    "checked against the schema of its protocol before anyone sees it",
};
