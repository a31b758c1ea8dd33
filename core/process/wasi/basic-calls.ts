/** Calls that need no file: arguments, environment, clocks, randomness, exit. */
import { CLOCK } from "./layout.ts";
import { Unwind } from "./channel.ts";
import { ERRNO, WasiError } from "../../sandbox/wasi/errno.ts";
import type { Import, Program } from "./program.ts";

const NS_PER_MS = 1_000_000;
/** The most that one call of the port gives, as in WebCrypto. */
const RANDOM_BYTES_MAX = 65_536;

export function basicCalls(program: Program): Readonly<Record<string, Import>> {
  const { memory, channel, random } = program;
  return {
    args_sizes_get: (count: number, size: number) => sizes(program, program.args, count, size),
    args_get: (pointers: number, buffer: number) => list(program, program.args, pointers, buffer),
    environ_sizes_get: (count: number, size: number) => sizes(program, program.environment, count, size),
    environ_get: (pointers: number, buffer: number) => list(program, program.environment, pointers, buffer),
    clock_res_get(id: number, out: number) {
      clockNow(program, id);
      memory.u64(out, 1000n);
    },
    clock_time_get(id: number, _precision: bigint, out: number) {
      channel.check();
      memory.u64(out, clockNow(program, id));
    },
    random_get(at: number, length: number) {
      const bytes = memory.bytes(at, length);
      for (let from = 0; from < bytes.length; from += RANDOM_BYTES_MAX)
        bytes.set(random.bytes(Math.min(RANDOM_BYTES_MAX, bytes.length - from)), from);
    },
    proc_exit(status: number) {
      throw new Unwind("exit", status >>> 0);
    },
    proc_raise: () => ERRNO.nosys,
    sock_accept: (fd: number) => noSocket(program, fd),
    sock_recv: (fd: number) => noSocket(program, fd),
    sock_send: (fd: number) => noSocket(program, fd),
    sock_shutdown: (fd: number) => noSocket(program, fd),
  };
}

/** The time of a clock in nanoseconds. Throws EINVAL for an unknown clock. */
export function clockNow({ clock, startedAtMs }: Program, id: number): bigint {
  switch (id) {
    case CLOCK.realtime:
      return BigInt(Math.round(clock.now() * 1000)) * 1000n;
    case CLOCK.monotonic:
      return BigInt(Math.round(clock.monotonic() * NS_PER_MS));
    // No engine tells the processor time; the time since the start is its upper bound.
    case CLOCK.processCpu:
    case CLOCK.threadCpu:
      return BigInt(Math.round((clock.monotonic() - startedAtMs) * NS_PER_MS));
    default:
      throw new WasiError("inval");
  }
}

function noSocket({ table }: Program, fd: number): number {
  table.get(fd);
  return ERRNO.notsock;
}

function sizes({ memory }: Program, words: readonly Uint8Array[], count: number, size: number): void {
  memory.u32(count, words.length);
  memory.u32(
    size,
    words.reduce((sum, word) => sum + word.length + 1, 0),
  );
}

function list({ memory }: Program, words: readonly Uint8Array[], pointers: number, buffer: number): void {
  let at = buffer >>> 0;
  for (const [i, word] of words.entries()) {
    memory.u32((pointers >>> 0) + i * 4, at);
    memory.bytes(at, word.length + 1).set(word);
    memory.u8(at + word.length, 0);
    at += word.length + 1;
  }
}
