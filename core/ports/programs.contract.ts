/** What every adapter of the port Programs must do: run programs, several at once, and end each in its own way. */
import { afterEach, describe, expect, test } from "vitest";
import { concat, equal, text, utf8 } from "../base/bytes.ts";
import { realClock } from "../platform/clock.ts";
import { ProgramRunner } from "../process/runner.ts";
import type { ProgramStream } from "../process/types.ts";
import { decodeText, encodeText } from "../shell/language/bytes.ts";
import { createPipe } from "../shell/pipe.ts";
import { Namespace } from "../shell/namespace/namespace.ts";
import { TemporaryTree } from "../shell/namespace/temporary/tree.ts";
import { programTree } from "../shell/programs/tree.ts";
import {
  callOnce,
  command,
  eatsMemory,
  opens,
  passesOn,
  passesOnAndSpins,
  recurses,
  sleeps,
  spins,
  traps,
  writes,
  writesForEver,
} from "../../test/fixtures/programs.ts";
import type { Programs } from "./programs.ts";

export interface ProgramsContractOptions {
  /** Whether an endless program can be ended (the simulator, with its one thread, can't). */
  readonly threads: boolean;
}

const MEMORY_BYTES_MAX = 8 * 1024 * 1024;

export function programsContract(name: string, programs: Programs, options: ProgramsContractOptions): void {
  describe(`${name}: the contract of Programs`, () => {
    const runners: ProgramRunner[] = [];
    const tree = new TemporaryTree(realClock);

    function runner(): ProgramRunner {
      const made = new ProgramRunner({
        programs,
        tree: programTree(new Namespace([{ path: "/", tree }])),
        clock: realClock,
        text: { encode: encodeText, decode: decodeText },
      });
      runners.push(made);
      return made;
    }

    function call(
      bytes: Uint8Array,
      streams: ReadonlyMap<number, ProgramStream> = new Map(),
      signal: AbortSignal = new AbortController().signal,
      environment: ReadonlyMap<string, string> = new Map(),
    ): Parameters<ProgramRunner["run"]>[0] {
      return {
        name: "program",
        moduleKey: String(keys++),
        load: () => Promise.resolve(bytes),
        args: ["program", "ä"],
        environment,
        cwd: "/",
        streams,
        openStream: () => Promise.resolve(undefined),
        signal,
        memoryBytesMax: MEMORY_BYTES_MAX,
      };
    }
    let keys = 0;

    afterEach(() => {
      for (const one of runners.splice(0)) one.close();
    });

    test("a program writes, and exits with its status", async () => {
      const output = collector();
      const end = await runner().run(call(writes("hello\n"), new Map([[1, output.stream]])));
      expect(end).toEqual({ is: "exit", status: 0 });
      expect(output.text()).toBe("hello\n");
    });

    test("programs of one pipe run at once in one thread", async () => {
      const one = runner();
      const pipes = [createPipe(), createPipe()];
      const output = collector();
      const ends = await Promise.all([
        one.run(call(writes("through\n"), new Map([[1, writer(pipes[0])]]))).finally(() => pipes[0]?.output.end()),
        one
          .run(
            call(
              passesOn(),
              new Map([
                [0, reader(pipes[0])],
                [1, writer(pipes[1])],
              ]),
            ),
          )
          .finally(() => pipes[1]?.output.end()),
        one.run(
          call(
            passesOn(),
            new Map([
              [0, reader(pipes[1])],
              [1, output.stream],
            ]),
          ),
        ),
      ]);
      expect(ends).toEqual(Array.from({ length: 3 }, () => ({ is: "exit", status: 0 })));
      expect(output.text()).toBe("through\n");
    });

    test("much goes through unchanged", async () => {
      const pipe = createPipe();
      const output = collector();
      // More than is on its way at once, so that memory is used again.
      const sent = new Uint8Array(3_000_000).map((_, i) => i % 251);
      const running = runner().run(
        call(
          passesOn(),
          new Map([
            [0, reader(pipe)],
            [1, output.stream],
          ]),
        ),
      );
      await pipe.output.write(sent);
      pipe.output.end();
      expect(await running).toEqual({ is: "exit", status: 0 });
      expect(equal(output.bytes(), sent)).toBe(true);
    });

    test("output that nobody reads ends a program as SIGPIPE does", async () => {
      const pipe = createPipe();
      const running = runner().run(call(writesForEver("y\n"), new Map([[1, writer(pipe)]])));
      for await (const piece of pipe.input) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
      pipe.close();
      expect(await running).toEqual({ is: "broken-pipe" });
    });

    test.each([
      ["leaves its directory", opens("../outside"), 76],
      ["takes an absolute path from a directory", opens("/etc/passwd"), 76],
      ["opens what there is not", opens("missing"), 44],
      ["opens below a descriptor that it has not", opens("x", 17), 8],
      ["writes to a descriptor that it has not", writes("x", 9), 8],
      ["reads past its memory", callOnce("fd_write", [1, 65_530, 1, 8]), 21],
      ["asks for a clock that there is not", callOnce("clock_time_get", [9, 0n, 8]), 28],
      ["takes a descriptor for a socket", callOnce("sock_shutdown", [3, 0]), 57],
    ])("a program that %s gets its error", async (_what, bytes, errno) => {
      const end = await runner().run(call(bytes, new Map([[1, collector().stream]])));
      expect(end).toEqual({ is: "exit", status: errno });
    });

    test.each([
      ["traps", traps(), "wasm-trap", /unreachable/],
      ["recurses for ever", recurses(), "wasm-trap", /too deeply|call stack/],
      ["takes memory until it gets no more", eatsMemory(), "out-of-memory", /taken 7\.1 of 8\.0 MiB/],
      ["has no _start", command({ imports: [], body: [], start: "run" }), "wasm-abi", /exports no _start/],
      [
        "imports what is not of WASI",
        command({ imports: [{ from: "env", name: "system", takes: [] }], body: [] }),
        "wasm-imports",
        /imports env\.system/,
      ],
    ])("a program that %s fails with its reason, and the next one runs", async (_what, bytes, code, message) => {
      const one = runner();
      const end = await one.run(call(bytes));
      expect(end).toMatchObject({ is: "failed", code, message: expect.stringMatching(message) as string });
      expect(await one.run(call(command({ imports: [], body: [] })))).toEqual({ is: "exit", status: 0 });
    });

    test.each([
      ["are no module", utf8("GIF89a"), "not-wasm"],
      ["want more memory than there is", command({ imports: [], body: [], pages: 200 }), "out-of-memory"],
      ["the engine refuses", command({ imports: [], body: [0x6a] }), "not-wasm"],
    ])("bytes that %s don't start", async (_what, bytes, code) => {
      await expect(runner().run(call(bytes))).rejects.toMatchObject({ code });
    });

    test("a program that sleeps ends when it is told to, and others go on", async () => {
      const one = runner();
      const stop = new AbortController();
      const pipe = createPipe();
      const output = collector();
      const other = one.run(
        call(
          passesOn(),
          new Map([
            [0, reader(pipe)],
            [1, output.stream],
          ]),
        ),
      );
      const sleepy = collector();
      const sleeping = one.run(call(sleeps("z"), new Map([[1, sleepy.stream]]), stop.signal));
      await pipe.output.write(utf8("a"));
      await Promise.all([output.written, sleepy.written]);
      stop.abort();
      await expect(sleeping).rejects.toMatchObject({ code: "cancelled" });
      await pipe.output.write(utf8("b"));
      pipe.output.end();
      expect(await other).toEqual({ is: "exit", status: 0 });
      expect(output.text()).toBe("ab");
    });

    test("what a program did not read is there for the next reader", async () => {
      const given: Uint8Array[] = [];
      const pieces = [utf8("one"), utf8("two")];
      const stream: ProgramStream = {
        type: "pipe",
        read: () => Promise.resolve(pieces.shift()),
        unread: (bytes) => void given.push(bytes),
      };
      // Reads two bytes.
      const bytes = callOnce("fd_read", [0, 512, 1, 8], [[512, [0, 4, 0, 0, 2, 0, 0, 0]]]);
      expect(await runner().run(call(bytes, new Map([[0, stream]])))).toEqual({ is: "exit", status: 0 });
      expect(text(concat([...given.reverse(), ...pieces]))).toBe("etwo");
    });

    if (!options.threads) return;
    test("a program that spins ends when it is told to; what shares its thread is told, and the next one runs", async () => {
      const one = runner();
      const stop = new AbortController();
      const pipe = createPipe();
      const output = collector();
      const other = one.run(
        call(
          passesOn(),
          new Map([
            [0, reader(pipe)],
            [1, output.stream],
          ]),
        ),
      );
      await pipe.output.write(utf8("a"));
      await output.written;
      const spinning = one.run(call(spins(), new Map(), stop.signal));
      stop.abort();
      await expect(spinning).rejects.toMatchObject({ code: "cancelled" });
      pipe.output.end();
      const end = await other;
      if (end.is === "failed") expect(end.message).toMatch(/shared a thread with program/);
      expect(await one.run(call(command({ imports: [], body: [] })))).toEqual({ is: "exit", status: 0 });
    });

    test("a program that has read and then spins ends when it is told to, and the next one runs", async () => {
      const one = runner();
      const stop = new AbortController();
      const pipe = createPipe();
      const output = collector();
      const streams = new Map([
        [0, reader(pipe)],
        [1, output.stream],
      ]);
      const spinning = one.run(call(passesOnAndSpins(), streams, stop.signal));
      await pipe.output.write(utf8("a"));
      await output.written;
      stop.abort();
      await expect(spinning).rejects.toMatchObject({ code: "cancelled" });
      expect(await one.run(call(command({ imports: [], body: [] })))).toEqual({ is: "exit", status: 0 });
    });
  });
}

/** `written` resolves with the first bytes. */
function collector(): { stream: ProgramStream; text(): string; bytes(): Uint8Array; written: Promise<void> } {
  const parts: Uint8Array[] = [];
  const { promise: written, resolve } = Promise.withResolvers<void>();
  const bytes = (): Uint8Array => concat(parts);
  return {
    stream: {
      type: "pipe",
      write: (piece) => {
        parts.push(Uint8Array.from(piece));
        resolve();
        return Promise.resolve();
      },
    },
    bytes,
    written,
    text: () => text(bytes()),
  };
}

function reader(pipe: ReturnType<typeof createPipe> | undefined): ProgramStream {
  const iterator = pipe?.input[Symbol.asyncIterator]();
  return {
    type: "pipe",
    read: async () => {
      const next = await iterator?.next();
      return next === undefined || next.done === true ? undefined : next.value;
    },
    reuse: (pieces) => pipe?.reuse(pieces),
  };
}

function writer(pipe: ReturnType<typeof createPipe> | undefined): ProgramStream {
  return { type: "pipe", write: (bytes) => pipe?.output.write(bytes) ?? Promise.resolve() };
}
