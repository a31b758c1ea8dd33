/** The messages with which members reach each other's devices, and the stored form of a person's answers. */
import * as v from "valibot";
import { type Schema, textOf } from "../../base/codec.ts";
import type { PeerId } from "../../ports/network.ts";
import type { DeviceName } from "./types.ts";
import { ANSWERS_MAX, TEXT_CHARS_MAX } from "./limits.ts";

export const DEVICE_PROTOCOL = "/starfish/device/1.0.0";

export interface DeviceRequest {
  readonly device: DeviceName;
  readonly text: string;
}

/** "asked": the person has not answered yet; the sender is to ask again. */
export type DeviceReply = "done" | "asked";

const PEER_CHARS_MAX = 64;

const requestSchema: Schema<DeviceRequest> = v.object({
  device: v.picklist(["notify", "tty", "clipboard"]),
  text: textOf(TEXT_CHARS_MAX),
});
const replySchema: Schema<DeviceReply> = v.picklist(["done", "asked"]);
/** PeerIds, and whether they are allowed. */
const answersSchema: Schema<[PeerId, boolean][]> = v.pipe(
  v.array(v.tuple([textOf(PEER_CHARS_MAX), v.boolean()])),
  v.maxLength(ANSWERS_MAX),
);

export { answersSchema, replySchema, requestSchema };

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { requestSchema, replySchema, answersSchema };
