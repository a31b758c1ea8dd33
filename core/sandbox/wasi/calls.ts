/**
 * The calls of WASI preview 1 for a program that is a task: standard input is the task's input, standard output becomes
 * its output. There are no files, no sockets and no environment. Time and randomness are the same on every device.
 * Unlike the calls of a process (process/wasi), no call ever waits.
 */
import { concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { PAYLOAD_BYTES_MAX, STDERR_BYTES_MAX } from "../limits.ts";
import { Draw, VirtualClock } from "../virtual.ts";
import { PREVIEW_1 } from "../wasm/imports.ts";
import { ERRNO, WasiError } from "./errno.ts";
import { GuestMemory, lengthOf } from "./guest-memory.ts";

/** Ends a program from within a call. */
export class Exit extends Error {
  override readonly name = "Exit";
  readonly status: number;

  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

type Call = (...args: never[]) => number | void;
type Calls = Readonly<Record<string, Call>>;

const NS_PER_MS = 1_000_000;
/** The size of an event of poll_oneoff, and of a subscription. */
const EVENT_BYTES = 32;
const SUBSCRIPTION_BYTES = 48;
const SUBSCRIPTIONS_MAX = 1_024;
const ABSOLUTE = 1;
const UNKNOWN = 0;
const RIGHT_READ = 1n << 1n;
const RIGHT_WRITE = 1n << 6n;
const WORD = new TextEncoder();

export class TaskProgram {
  readonly memory: GuestMemory = new GuestMemory();
  readonly #args: readonly Uint8Array[];
  readonly #input: Uint8Array;
  readonly #clock = new VirtualClock();
  #draw: Draw | undefined;
  #read = 0;
  readonly #written: { readonly pieces: Uint8Array[]; bytes: number } = { pieces: [], bytes: 0 };
  readonly #complaints: { readonly pieces: Uint8Array[]; bytes: number } = { pieces: [], bytes: 0 };

  constructor(args: readonly string[], input: Uint8Array) {
    this.#args = args.map((word) => WORD.encode(word));
    this.#input = input;
  }

  get output(): Uint8Array {
    return concat(this.#written.pieces);
  }

  /** The beginning of its standard error. */
  get stderr(): Uint8Array {
    return concat(this.#complaints.pieces);
  }

  /** What the module imports. */
  importsFor(module: WebAssembly.Module): Record<string, Record<string, never>> {
    const known: Readonly<Record<string, Calls>> = { [PREVIEW_1]: this.#preview1(), ...this.#host() };
    const imports: Record<string, Record<string, never>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const calls = Object.hasOwn(known, from) ? known[from] : undefined;
      const call = calls !== undefined && Object.hasOwn(calls, name) ? calls[name] : undefined;
      // The declarations of platforms differ in what an import may be.
      (imports[from] ??= {})[name] = (call === undefined ? () => ERRNO.nosys : answered(call)) as never;
    }
    return imports;
  }

  #preview1(): Calls {
    const { memory } = this;
    return {
      args_sizes_get: (count: number, size: number) => {
        memory.u32(count, this.#args.length);
        memory.u32(
          size,
          this.#args.reduce((sum, word) => sum + word.length + 1, 0),
        );
      },
      args_get: (pointers: number, buffer: number) => this.#writeArgs(pointers, buffer),
      environ_sizes_get(count: number, size: number) {
        memory.u32(count, 0);
        memory.u32(size, 0);
      },
      environ_get() {},
      clock_res_get: (id: number, out: number) => memory.u64(out, this.#now(id, BigInt(NS_PER_MS))),
      clock_time_get: (id: number, _precision: bigint, out: number) =>
        memory.u64(out, this.#now(id, BigInt(this.#clock.look() * NS_PER_MS))),
      random_get: (at: number, length: number) => {
        this.#draw ??= new Draw([...this.#args, this.#input]);
        this.#draw.bytes(memory.bytes(at, length));
      },
      proc_exit(status: number) {
        throw new Exit(status >>> 0);
      },
      sched_yield() {},
      poll_oneoff: (subscriptions: number, events: number, count: number, out: number) =>
        this.#poll(subscriptions >>> 0, events >>> 0, count >>> 0, out),
      ...this.#files(),
    };
  }

  #files(): Calls {
    const { memory } = this;
    return {
      fd_read: (fd: number, vectors: number, count: number, out: number) => {
        if (fd !== 0) throw new WasiError("badf");
        const slices = memory.vectors(vectors, count);
        const part = this.#input.subarray(this.#read, this.#read + lengthOf(slices));
        memory.scatter(slices, part);
        this.#read += part.length;
        memory.u32(out, part.length);
      },
      fd_write: (fd: number, vectors: number, count: number, out: number) => {
        const bytes = memory.gather(memory.vectors(vectors, count));
        if (fd === 1) this.#write(bytes);
        else if (fd === 2) this.#complain(bytes);
        else throw new WasiError("badf");
        memory.u32(out, bytes.length);
      },
      fd_close: (fd: number) => this.#stream(fd),
      fd_datasync: (fd: number) => this.#stream(fd),
      fd_sync: (fd: number) => this.#stream(fd),
      fd_fdstat_set_flags: (fd: number) => this.#stream(fd),
      fd_seek: (fd: number) => this.#cannotSeek(fd),
      fd_tell: (fd: number) => this.#cannotSeek(fd),
      fd_fdstat_get: (fd: number, out: number) => {
        this.#stream(fd);
        memory.bytes(out, 24).fill(0);
        memory.u8(out, UNKNOWN);
        memory.u64(out + 8, fd === 0 ? RIGHT_READ : RIGHT_WRITE);
      },
      fd_filestat_get: (fd: number, out: number) => {
        this.#stream(fd);
        memory.bytes(out, 64).fill(0);
        memory.u8(out + 16, UNKNOWN);
      },
      // No directory is open: libc asks for each from 3 on until there is none, and then has no file to open.
      fd_prestat_get: () => ERRNO.badf,
      fd_prestat_dir_name: () => ERRNO.badf,
      path_open: () => ERRNO.badf,
      path_filestat_get: () => ERRNO.badf,
    };
  }

  /** What the coreutils of the agentOS project import besides preview 1. */
  #host(): Readonly<Record<string, Calls>> {
    const { memory } = this;
    return {
      host_fs: { fd_mode: () => 0, path_mode: () => 0, chmod: () => ERRNO.notsup },
      host_user: { isatty: (_fd: number, out: number) => memory.u32(out, 0), getpwuid: () => ERRNO.nosys },
      host_process: {
        proc_getpid: (out: number) => memory.u32(out, 1),
        sleep_ms: (ms: number) => this.#clock.passTo(this.#clock.look() + (ms >>> 0)),
      },
    };
  }

  #stream(fd: number): void {
    if (fd < 0 || fd > 2) throw new WasiError("badf");
  }

  #cannotSeek(fd: number): never {
    this.#stream(fd);
    throw new WasiError("spipe");
  }

  #write(bytes: Uint8Array): void {
    this.#written.bytes += bytes.length;
    if (this.#written.bytes > PAYLOAD_BYTES_MAX) {
      throw new StarfishError("too-large", `The task wrote more than ${PAYLOAD_BYTES_MAX} bytes`);
    }
    if (bytes.length > 0) this.#written.pieces.push(bytes);
  }

  #complain(bytes: Uint8Array): void {
    const part = bytes.subarray(0, STDERR_BYTES_MAX - this.#complaints.bytes);
    this.#complaints.bytes += part.length;
    if (part.length > 0) this.#complaints.pieces.push(part);
  }

  #now(id: number, answer: bigint): bigint {
    if (id < 0 || id > 3) throw new WasiError("inval");
    return answer;
  }

  #writeArgs(pointers: number, buffer: number): void {
    const { memory } = this;
    let at = buffer >>> 0;
    for (const [i, word] of this.#args.entries()) {
      memory.u32((pointers >>> 0) + i * 4, at);
      memory.bytes(at, word.length + 1).set(word);
      memory.u8(at + word.length, 0);
      at += word.length + 1;
    }
  }

  /** Streams are always ready. If the program waits for clocks alone, the time of the earliest one has come. */
  #poll(subscriptions: number, events: number, count: number, out: number): void {
    if (count === 0 || count > SUBSCRIPTIONS_MAX) throw new WasiError("inval");
    const { memory } = this;
    const all = Array.from({ length: count }, (_, i) => {
      const at = subscriptions + i * SUBSCRIPTION_BYTES;
      const type = memory.readU8(at + 8);
      return { userdata: memory.readU64(at), type, dueMs: type === 0 ? this.#dueMs(at + 16) : 0 };
    });
    const dueMs = Math.min(...all.map((one) => one.dueMs));
    this.#clock.passTo(dueMs);
    let ready = 0;
    for (const { userdata, type, dueMs: ownMs } of all) {
      if (ownMs > dueMs) continue;
      const at = events + ready++ * EVENT_BYTES;
      memory.bytes(at, EVENT_BYTES).fill(0);
      memory.u64(at, userdata);
      memory.u8(at + 10, type);
    }
    memory.u32(out, ready);
  }

  #dueMs(clock: number): number {
    const timeout = Number(this.memory.readU64(clock + 8)) / NS_PER_MS;
    const isAbsolute = (this.memory.readU16(clock + 24) & ABSOLUTE) !== 0;
    return isAbsolute ? timeout : this.#clock.look() + timeout;
  }
}

function answered(call: Call): (...args: never[]) => number {
  return (...args) => {
    try {
      return call(...args) ?? ERRNO.success;
    } catch (error) {
      if (error instanceof WasiError) return error.errno;
      throw error;
    }
  };
}
