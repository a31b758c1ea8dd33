/**
 * Settings for a process through which much data passes in buffers, whose memory is outside of V8's heap. They only
 * work if this file is imported before anything else.
 *
 * The space for new objects stays as small as at the start, because buffers are given back only when that space is
 * full. At its usual size it keeps 50 MB more of them alive, with no measurable gain.
 *
 * That space is collected on one thread: starting several threads costs more than the work.
 *
 * Buffers are counted together with the heap and not by themselves. Otherwise every 64 MB of them would cause a
 * collection of everything, one after the other while shards are moved, which took half of the time of a `get`. A
 * collection is due when both together have grown by six tenths. By default they may double and more, and a node that
 * puts much took up to 370 MB. With three tenths a put of 2 GiB took twice as long and no less memory, because much
 * data arrives while a collection runs.
 *
 * On a busy machine V8's own collection can come late or take long, and what arrives meanwhile outlives it: a node that
 * puts then took 290 MB instead of 220. So the size of all buffers is looked at, too, and a collection made when it is
 * too large.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const MIB: number = 1024 * 1024;
/** Bytes of buffers, with those that nobody uses any more, from which on a collection is made. */
const BUFFERS_BYTES_MAX: number = 48 * MIB;
/** If more than that is in use: how far the buffers may outgrow what the last collection left. */
const GROWTH = 1.5;
/** How often to look, in ms: seldom while there is little, often while much passes through. */
const LOOK_MS = { few: 250, many: 40 };

setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--no-parallel-scavenge");
setFlagsFromString("--external-memory-accounted-in-global-limit");
setFlagsFromString("--heap-growing-percent=60");
setFlagsFromString("--expose-gc");

const collect = runInNewContext("gc") as () => void;
look(BUFFERS_BYTES_MAX);

/** Collects if the buffers exceed `bytesMax`, and looks again later. It does not keep the process alive. */
function look(bytesMax: number): void {
  let { arrayBuffers } = process.memoryUsage();
  let next = bytesMax;
  if (arrayBuffers > bytesMax) {
    collect();
    arrayBuffers = process.memoryUsage().arrayBuffers;
    next = Math.max(BUFFERS_BYTES_MAX, arrayBuffers * GROWTH);
  }
  setTimeout(look, arrayBuffers > BUFFERS_BYTES_MAX / 4 ? LOOK_MS.many : LOOK_MS.few, next).unref();
}
