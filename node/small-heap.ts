/**
 * To be imported before anything else, which is when it works. Settings for a process through which much passes in buffers,
 * whose memory lies outside of V8's heap.
 *
 * The space for new objects stays as small as it begins: buffers are given back only when that space is full. Grown to its
 * usual size it holds 50 MB more of them, and gains nothing that could be measured.
 *
 * That space is gone through on one thread: several cost more to set to work than there is to do.
 *
 * And buffers count together with the heap, not on their own: else every 64 MB of them cost a collection of everything, one
 * after the other while shards are moved, which took half of the time of a `get`. A collection is due when both together have
 * grown by six tenths: by default they may double and more, and a node that puts much took up to 370 MB. With three tenths a put
 * of 2 GiB took twice as long and no less memory, since much comes in while a collection goes on.
 */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--no-parallel-scavenge");
setFlagsFromString("--external-memory-accounted-in-global-limit");
setFlagsFromString("--heap-growing-percent=60");
