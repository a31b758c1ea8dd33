/**
 * poll_oneoff and sched_yield: a program sleeps until one of several events, and its thread runs the others meanwhile.
 */
import { SUBSCRIPTIONS_MAX } from "../limits.ts";
import { clockNow } from "./basic-calls.ts";
import { ERRNO, errnoOf } from "../../sandbox/wasi/errno.ts";
import { EVENT, RIGHT } from "./layout.ts";
import type { Stream } from "./open.ts";
import type { Import, Program } from "./program.ts";

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const ABSOLUTE = 1;
const NS_PER_MS = 1e6;

interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  /** Ms from now. */
  readonly delayMs?: number;
  readonly stream?: Stream;
  /** Set if the event is ready at once: a file, or an error. */
  readonly errno?: number;
}

export function pollCalls(program: Program): Readonly<Record<string, Import>> {
  const { channel } = program;
  return {
    sched_yield: () => wait(program, 0, []),
    async poll_oneoff(input: number, output: number, count: number, out: number) {
      if (count === 0 || count >>> 0 > SUBSCRIPTIONS_MAX) return ERRNO.inval;
      const subscriptions = Array.from({ length: count }, (_, i) => readOne(program, input + i * SUBSCRIPTION_BYTES));
      const startedAtMs = program.clock.monotonic();
      let ready = subscriptions.filter((one) => isReady(one, 0));
      const hasToWait = ready.length === 0;
      if (hasToWait) channel.sleeps(true);
      program.send();
      while (ready.length === 0) {
        const passedMs = program.clock.monotonic() - startedAtMs;
        const delays = subscriptions.flatMap(({ delayMs }) => delayMs ?? []);
        const streams = subscriptions.flatMap(({ stream, type }) => (stream === undefined ? [] : [{ stream, type }]));
        await wait(program, delays.length === 0 ? undefined : Math.max(0, Math.min(...delays) - passedMs), streams);
        channel.check();
        const nowMs = program.clock.monotonic() - startedAtMs;
        ready = subscriptions.filter((one) => isReady(one, nowMs));
      }
      if (hasToWait) channel.sleeps(false);
      for (const [i, one] of ready.entries()) writeEvent(program, output + i * EVENT_BYTES, one);
      program.memory.u32(out, ready.length);
      return ERRNO.success;
    },
  };
}

function readOne(program: Program, at: number): Subscription {
  const { memory, table } = program;
  const userdata = memory.readU64(at);
  const type = memory.readU8(at + 8);
  try {
    if (type === EVENT.clock) {
      const now = clockNow(program, memory.readU32(at + 16));
      const timeout = memory.readU64(at + 24);
      const isAbsolute = (memory.readU16(at + 40) & ABSOLUTE) !== 0;
      const delay = isAbsolute ? timeout - now : timeout;
      return { userdata, type, delayMs: delay <= 0n ? 0 : Number(delay) / NS_PER_MS };
    }
    const open = table.get(memory.readU32(at + 16), type === EVENT.fdRead ? RIGHT.fdRead : RIGHT.fdWrite);
    if (open.is === "stream") return { userdata, type, stream: open };
    return { userdata, type, errno: open.is === "file" ? ERRNO.success : ERRNO.badf };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return { userdata, type, errno };
  }
}

function isReady({ type, delayMs, stream, errno }: Subscription, passedMs: number): boolean {
  if (errno !== undefined) return true;
  if (delayMs !== undefined) return passedMs >= delayMs;
  if (stream === undefined) return false;
  return type === EVENT.fdRead ? stream.isReadable : stream.hasRoom;
}

/** Resolves after that time, or when one of the streams is readable; rejects when the program is killed. */
function wait(
  { clock, channel }: Program,
  delayMs: number | undefined,
  streams: readonly { stream: Stream; type: number }[],
): Promise<void> {
  channel.check();
  return new Promise((resolve, reject) => {
    const timer = delayMs === undefined ? undefined : clock.timer(delayMs, () => done(resolve));
    const done = (settle: () => void): void => {
      timer?.cancel();
      forget();
      settle();
    };
    const fail = (error: unknown): void => done(() => reject(error));
    const forget = channel.onKill(fail);
    for (const { stream, type } of streams)
      (type === EVENT.fdRead ? stream.ready() : stream.room()).then(() => done(resolve), fail);
  });
}

function writeEvent({ memory }: Program, at: number, { userdata, type, errno, stream }: Subscription): void {
  memory.bytes(at, EVENT_BYTES).fill(0);
  memory.u64(at, userdata);
  memory.u16(at + 8, errno ?? ERRNO.success);
  memory.u8(at + 10, type);
  if (stream !== undefined) memory.u64(at + 16, BigInt(type === EVENT.fdRead ? stream.restBytes : 65_536));
}
