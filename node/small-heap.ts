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
 */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--no-parallel-scavenge");
setFlagsFromString("--external-memory-accounted-in-global-limit");
setFlagsFromString("--heap-growing-percent=60");
