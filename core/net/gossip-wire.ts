/** How broadcast trees talk, in the frames of whichever part carries them. */
import * as v from "valibot";
import { bytesOf } from "../base/codec.ts";
import { PART_MESSAGE_BYTES_MAX } from "./limits.ts";

/** What a peer's tree tells ours; absent fields say nothing. */
export interface TreeFrame {
  readonly bodies?: Uint8Array[] | undefined;
  /** Ids of bodies that the sender has, packed. */
  readonly have?: Uint8Array | undefined;
  /** Ids of bodies that the sender wants, packed; it also wants further bodies at once. */
  readonly graft?: Uint8Array | undefined;
  /** The sender has most bodies from elsewhere: ids are enough. */
  readonly prune?: boolean | undefined;
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
} = { bodies: v.optional(bodies), have: packed, graft: packed, prune: v.optional(v.boolean()) };
