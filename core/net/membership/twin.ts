/**
 * Two nodes with one identity: a data directory was copied, or a machine restored from a snapshot. Each raises
 * its incarnation above the other's, again and again, and links to one are taken for links to the other. So each record
 * names the life of its node, which is drawn at its start, and another life whose record it answers. News of a former
 * life of this node may still go round, but a former life can't answer. So a node that reads a record which answers its
 * own, present life has a twin that runs now. Of the two, the one that started later ends. Pure.
 */
import { momentWords } from "../../base/moment.ts";
import { equal, toHex } from "../../base/bytes.ts";
import type { Twin } from "../types.ts";
import type { UncheckedRecord } from "./record.ts";

/** The life that this node names in its own record. */
export interface OwnLife {
  readonly life: Uint8Array;
  readonly startedAtMs: number;
}

/** Undefined: it may be a former life of this node. The record's signature has been found right. */
export function twinOf(own: OwnLife, { says, lives }: UncheckedRecord): Twin | undefined {
  if (lives.rival === undefined || !equal(lives.rival, own.life)) return undefined;
  const isLater =
    own.startedAtMs !== says.startedAtMs ? own.startedAtMs > says.startedAtMs : toHex(own.life) > toHex(lives.life);
  const other = `Another node has been running with this node's identity since ${momentWords(says.startedAtMs)}`;
  const why = "a data directory was copied, or a machine was restored from a snapshot";
  return isLater
    ? {
        givesWay: true,
        message: `${other}: ${why}. This one started later and ends. Give it a data directory of its own, and an invite.`,
      }
    : {
        givesWay: false,
        message: `${other}: ${why}. It started later and gives way. If it comes back, stop it, and give it a data directory of its own.`,
      };
}
