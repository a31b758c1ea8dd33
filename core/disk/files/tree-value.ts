/** Values of the tree: the value of a file's entry. The value of a directory's entry says only who made it. */
import * as v from "valibot";
import { bytesOf, integerOf, lineOf, type Schema, textOf } from "../../base/codec.ts";
import { isContentCid } from "../content/block.ts";
import { CONTENT_BYTES_MAX } from "../limits.ts";
import { BY_CHARS_MAX, INLINE_BYTES_MAX } from "./limits.ts";

export interface FileValue {
  readonly size: number;
  readonly cid: string;
  /**
   * The name at that time of the node that wrote it. The names of conflict copies contain it, the same on every node.
   */
  readonly by: string;
  /** Content of up to 4 KiB. */
  readonly inline?: Uint8Array | undefined;
  /** May be run as a program or script. */
  readonly executable?: true | undefined;
  /** Overwritten or removed. Such an entry expires. */
  readonly past?: true | undefined;
}

const fileSchema: Schema<FileValue> = v.object({
  size: integerOf(0, CONTENT_BYTES_MAX),
  cid: v.pipe(textOf(64), v.check(isContentCid, "no CID of a content")),
  // The name is part of the names of conflict copies.
  by: v.pipe(
    lineOf(BY_CHARS_MAX),
    v.transform((name) => name.toWellFormed()),
  ),
  inline: v.optional(bytesOf(0, INLINE_BYTES_MAX)),
  executable: v.optional(v.literal(true)),
  past: v.optional(v.literal(true)),
});

/** Undefined for what no honest node writes. */
export function parseFileValue(value: unknown): FileValue | undefined {
  const result = v.safeParse(fileSchema, value, { abortEarly: true });
  if (!result.success) return undefined;
  const { size, inline } = result.output;
  return inline === undefined || inline.length === size ? result.output : undefined;
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { fileSchema };
