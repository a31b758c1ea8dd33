/**
 * The thread's side: compiles and runs programs. JavaScript Promise Integration suspends a call that may wait, so that
 * many programs share the thread. A program that computes for long delays the others.
 */
import { messageOf, StarfishError } from "../base/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { sleep } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { clampMemory } from "./clamp.ts";
import type { CompileReply, FromThread, ProgramEnd, StartMessage, ToThread } from "./messages.ts";
import { canSuspend, promising, suspending } from "./suspend.ts";
import { basicCalls } from "./wasi/basic-calls.ts";
import { Channel, Unwind } from "./wasi/channel.ts";
import { ERRNO, errnoOf } from "../sandbox/wasi/errno.ts";
import { fileCalls } from "./wasi/file-calls.ts";
import { pathCalls } from "./wasi/path-calls.ts";
import { pollCalls } from "./wasi/poll.ts";
import { type Import, Program } from "./wasi/program.ts";

const PREVIEW_1 = "wasi_snapshot_preview1";
/** Calls that never wait: a plain call is ten times as fast as one that may suspend. */
const AT_ONCE =
  /^(args_|environ_|clock_|random_get|proc_|sock_|fd_fdstat_|fd_prestat_|fd_tell|fd_advise|isatty|fd_mode|path_mode|chmod|getpwuid)/;

export interface ThreadPorts {
  readonly clock: Clock;
  readonly random: Random;
}

/** Serves programs in this thread. Returns the function that takes the node's messages. */
export function serveProgramThread(
  post: (message: FromThread, transfer: ArrayBuffer[]) => void,
  ports: ThreadPorts,
): (message: ToThread) => void {
  const channels = new Map<number, Channel>();
  return (message) => {
    switch (message.is) {
      case "compile":
        void compile(message.bytes, message.memoryBytesMax).then((reply) =>
          post({ is: "compiled", id: message.id, reply }, []),
        );
        return;
      case "start": {
        const { process } = message;
        const channel = new Channel(process, post);
        channels.set(process, channel);
        void run(message, channel, ports).then((end) => {
          channels.delete(process);
          post({ is: "ended", process, end }, []);
        });
        return;
      }
      case "reply":
        channels.get(message.process)?.replied(message.call, message.reply);
        return;
      case "kill":
        channels.get(message.process)?.kill();
    }
  };
}

async function compile(bytes: Uint8Array, memoryBytesMax: number): Promise<CompileReply> {
  try {
    if (!canSuspend()) {
      throw new StarfishError(
        "unsupported",
        "programs need JavaScript Promise Integration, which this browser does not have: " +
          "use Chromium or Firefox of 2025 or later, or another node",
      );
    }
    return { module: await WebAssembly.compile(clampMemory(bytes, memoryBytesMax)) };
  } catch (error) {
    if (error instanceof StarfishError) return { code: error.code, message: error.message };
    if (error instanceof RangeError) return { code: "out-of-memory", message: messageOf(error) };
    return { code: "not-wasm", message: `it is no valid WebAssembly module: ${messageOf(error)}` };
  }
}

async function run(message: StartMessage, channel: Channel, ports: ThreadPorts): Promise<ProgramEnd> {
  const program = new Program(message, channel, ports);
  let end = await execute(program, message.module).catch((error: unknown) => endOf(error, program));
  if (end.is !== "killed" && !channel.isKilled)
    await program.finish().catch((error: unknown) => {
      // A failed write is reported. If the reader has gone, the program ends as with SIGPIPE.
      end = error instanceof Unwind ? endOf(error, program) : end;
    });
  return end;
}

async function execute(program: Program, module: WebAssembly.Module): Promise<ProgramEnd> {
  const instance = await WebAssembly.instantiate(module, importsOf(program, module));
  const { memory, _start: start } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof start !== "function") {
    const what = typeof start === "function" ? "no memory" : "no _start";
    return { is: "failed", code: "wasm-abi", message: `it is no WASI command: it exports ${what}` };
  }
  program.memory.attach(memory);
  await promising(start)();
  return { is: "exit", status: 0 };
}

/** A program that traps with this much of its memory used has most likely asked for more. Engines don't say so. */
const NEARLY_ALL = 0.75;

function endOf(error: unknown, { memory, memoryBytesMax }: Program): ProgramEnd {
  if (error instanceof Unwind) {
    if (error.end === "exit") return { is: "exit", status: error.status };
    return { is: error.end };
  }
  if (error instanceof StarfishError) return { is: "failed", code: error.code, message: error.message };
  if (error instanceof WebAssembly.LinkError) return { is: "failed", code: "wasm-imports", message: messageOf(error) };
  if (error instanceof RangeError) {
    const isStack = /call stack/i.test(error.message);
    return {
      is: "failed",
      code: isStack ? "wasm-trap" : "out-of-memory",
      message: isStack ? "it called itself too deeply" : `out of memory: ${error.message}`,
    };
  }
  if (memory.sizeBytes >= NEARLY_ALL * memoryBytesMax) {
    const [taken, most] = [memory.sizeBytes, memoryBytesMax].map((bytes) => (bytes / 2 ** 20).toFixed(1));
    const message = `out of memory: it had taken ${taken} of ${most} MiB when it gave up (${messageOf(error)})`;
    return { is: "failed", code: "out-of-memory", message };
  }
  return { is: "failed", code: "wasm-trap", message: `it trapped: ${messageOf(error)}` };
}

function importsOf(program: Program, module: WebAssembly.Module): Record<string, Record<string, never>> {
  const known: Readonly<Record<string, Readonly<Record<string, Import>>>> = {
    [PREVIEW_1]: {
      ...basicCalls(program),
      ...fileCalls(program),
      ...pathCalls(program),
      ...pollCalls(program),
    },
    ...hostCalls(program),
  };
  const imports: Record<string, Record<string, never>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const calls = Object.hasOwn(known, from) ? known[from] : undefined;
    if (calls === undefined || kind !== "function") {
      const hint = from === "wasi_unstable" ? ", WASI as it was before preview 1" : "";
      throw new StarfishError("wasm-imports", `it imports ${from}.${name}${hint}; only WASI preview 1 is given`);
    }
    const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
    const given = call === undefined ? () => ERRNO.nosys : wrapped(program, name, call);
    // The platforms' type declarations differ in what an import may be.
    (imports[from] ??= {})[name] = given as never;
  }
  return imports;
}

function wrapped({ channel }: Program, name: string, call: Import): unknown {
  const failed = (error: unknown): number => {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return errno;
  };
  const run = (...args: never[]): number | Promise<number> => {
    try {
      channel.check();
      const result = call(...args);
      return result instanceof Promise ? result.then((errno) => errno ?? ERRNO.success, failed) : (result ?? 0);
    } catch (error) {
      return failed(error);
    }
  };
  return AT_ONCE.test(name) ? run : suspending(run);
}

/**
 * The imports of the agentOS project's coreutils beyond preview 1. They report no permissions (0: unknown) and start no
 * programs.
 */
function hostCalls(program: Program): Readonly<Record<string, Readonly<Record<string, Import>>>> {
  const { memory, table, clock } = program;
  return {
    host_fs: { fd_mode: () => 0, path_mode: () => 0, chmod: () => ERRNO.notsup },
    host_user: {
      isatty(fd: number, out: number) {
        memory.u32(out, table.get(fd).type === "terminal" ? 1 : 0);
      },
      getpwuid: () => ERRNO.nosys,
    },
    host_process: {
      proc_getpid(out: number) {
        memory.u32(out, 1);
      },
      async sleep_ms(ms: number) {
        program.send();
        const stop = new AbortController();
        const forget = program.channel.onKill((error) => stop.abort(error));
        program.channel.sleeps(true);
        await sleep(clock, ms >>> 0, { signal: stop.signal }).catch(() => program.channel.check());
        forget();
        program.channel.sleeps(false);
      },
    },
  };
}
