/** How broadcast trees talk, in the frames of whichever part carries them. */
import * as v from "valibot";
import { bytesOf } from "../../base/codec.ts";
import { WAY_MAX } from "./way.ts";
import { PART_MESSAGE_BYTES_MAX } from "../limits.ts";

/**
 * Bytes of an id on the wire: enough that nobody finds a second body with a given id, and that two bodies do not share
 * one by accident.
 */
export const ID_BYTES = 8;

/** A frame between the trees of two neighbours; an absent field says nothing. */
export interface TreeFrame {
  readonly bodies?: Uint8Array[] | undefined;
  /** Ids of bodies that the sender has, packed. */
  readonly have?: Uint8Array | undefined;
  /** Ids of bodies that the sender wants, packed; for a while it also wants further bodies at once. */
  readonly graft?: Uint8Array | undefined;
  /** The sender has got from elsewhere what it asked for: ids are enough if the link is not a branch of the tree. */
  readonly prune?: boolean | undefined;
  /** Names of the nodes from the tree's root to the sender's parent, packed (way.ts). */
  readonly way?: Uint8Array | undefined;
}

const BODIES_MAX = 1_024;

type Optional<T> = v.OptionalSchema<v.GenericSchema<unknown, T>, undefined>;

const packed = v.optional(bytesOf(0, PART_MESSAGE_BYTES_MAX));
const bodies: v.GenericSchema<unknown, Uint8Array[]> = v.pipe(
  v.array(bytesOf(1, PART_MESSAGE_BYTES_MAX)),
  v.maxLength(BODIES_MAX),
);

/** The fields of a TreeFrame, for the schemas of larger frames. */
export const TREE_FIELDS: {
  readonly bodies: Optional<Uint8Array[]>;
  readonly have: Optional<Uint8Array>;
  readonly graft: Optional<Uint8Array>;
  readonly prune: Optional<boolean>;
  readonly way: Optional<Uint8Array>;
} = {
  bodies: v.optional(bodies),
  have: packed,
  graft: packed,
  prune: v.optional(v.boolean()),
  way: v.optional(bytesOf(0, WAY_MAX * ID_BYTES)),
};

/** An id as a string of ID_BYTES characters from U+0000 to U+00FF: a key that is cheap to make and to compare. */
export function idText(bytes: Uint8Array, at: number = 0): string {
  let id = "";
  for (let i = 0; i < ID_BYTES; i++) id += String.fromCharCode(bytes[at + i] ?? 0);
  return id;
}

export function packIds(ids: readonly string[]): Uint8Array {
  const packed = new Uint8Array(ids.length * ID_BYTES);
  ids.forEach((id, n) => {
    for (let i = 0; i < ID_BYTES; i++) packed[n * ID_BYTES + i] = id.charCodeAt(i);
  });
  return packed;
}

export function unpackIds(packed: Uint8Array): string[] {
  const ids: string[] = [];
  for (let at = 0; at + ID_BYTES <= packed.length; at += ID_BYTES) ids.push(idText(packed, at));
  return ids;
}
