/**
 * A node that runs hostile modules in real workers. Each module ends in time with the right error, and the node goes on
 * working. Run with the sandbox of each platform, on a swarm of one.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostile, i32, i64, mirror, string, wasm } from "../../test/fixtures/wasm.ts";
import { text, utf8 } from "../base/bytes.ts";
import type { StarfishError } from "../base/errors.ts";
import { createNet } from "../net/net.ts";
import type { Net } from "../net/types.ts";
import { realClock } from "../platform/clock.ts";
import { realCrypto } from "../platform/crypto.ts";
import { MemoryStore } from "../platform/memory-store.ts";
import { realRandom } from "../platform/random.ts";
import { silentLog } from "../ports/log.ts";
import type { KeyPair } from "../ports/crypto.ts";
import type { Network } from "../ports/network.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { createLibp2pNetwork } from "../transport/network.ts";
import { createCpu } from "../jobs/cpu.ts";
import type { Cpu, MapJob } from "../jobs/types.ts";
import { FUEL_MAX } from "./limits.ts";

/** Time limit of the tasks that never end. */
const TIME_MS_MAX = 500;
const ENDLESS = { limits: { timeMsMax: TIME_MS_MAX, fuelMax: FUEL_MAX } };
const FUELLED = { limits: { fuelMax: 10_000_000 } };
/** How long a busy machine may take for anything here. */
const PATIENCE_MS = 10_000;

export function hostileContract(name: string, sandbox: () => Sandbox): void {
  describe(`${name}: hostile modules`, () => {
    const ports = { clock: realClock, crypto: realCrypto, random: realRandom };
    let net: Net;
    let cpu: Cpu;

    beforeAll(async () => {
      const network = ({ privateKey }: KeyPair): Promise<Network> =>
        createLibp2pNetwork({ privateKey, linksMax: 1, webrtc: false });
      net = await createNet({ kind: "node", found: true })({
        ...ports,
        store: new MemoryStore(),
        log: silentLog,
        network,
      });
      cpu = createCpu()({ ...ports, net, sandbox: sandbox() });
    });
    afterAll(async () => {
      await cpu.close();
      await net.leave();
    });

    async function run(
      module: Uint8Array,
      more: Partial<MapJob> = {},
      signal = new AbortController().signal,
    ): Promise<string[]> {
      const outputs: string[] = [];
      const job = { title: "test", module, inputs: [utf8("ab"), utf8("cd")], ...more };
      for await (const { index, output } of cpu.map(job, { signal })) outputs[index] = text(output);
      return outputs;
    }

    async function failure(promise: Promise<unknown>): Promise<StarfishError> {
      return promise.then(
        () => Promise.reject(new Error("It did not fail")),
        (error: unknown) => error as StarfishError,
      );
    }

    async function works(): Promise<void> {
      expect(await run(mirror())).toEqual(["ba", "dc"]);
      expect(cpu.running()).toEqual([]);
    }

    test.each<[string, string, Uint8Array, RegExp]>([
      ["is no module", "not-wasm", utf8("GIF89a"), /not begin/],
      ["does not validate", "not-wasm", wasm({ run: i32(0) }), /valid/],
      [
        "imports",
        "wasm-imports",
        wasm({ extra: [[2, [1, ...string("env"), ...string("fetch"), 0, 0]]] }),
        /env\.fetch/,
      ],
      [
        "has no run",
        "wasm-abi",
        wasm({
          exports: [
            ["memory", 2, 0],
            ["alloc", 0, 0],
          ],
        }),
        /run/,
      ],
      ["traps", "wasm-trap", hostile.trap(), /trap/],
      ["recurses for ever", "call-depth", hostile.recursion(), /nest/],
      ["reads beyond its memory", "wasm-trap", hostile.outOfBounds(), /trap/],
      ["loops for ever", "out-of-fuel", hostile.loop(), /fuel of 10000000/],
      ["loops in its start function", "out-of-fuel", hostile.loopInStart(), /fuel of 10000000/],
      ["loops for longer than it has time", "timeout", hostile.loop(), /0\.5 s/],
      ["eats memory", "out-of-memory", hostile.memoryEater(), /64\.0 MiB/],
      ["wants 4 GiB of memory", "out-of-memory", wasm({ memory: [0, 0x80, 0x80, 0x04] }), /4096 MiB/],
      ["wants a huge table", "out-of-memory", hostile.hugeTable(), /10000000 entries/],
      ["has 100,001 functions", "too-large", hostile.manyFunctions(100_001), /100001 functions/],
      ["has 100,000 functions, and traps", "wasm-trap", hostile.manyFunctions(100_000), /unreachable/],
      ["starts with too much memory", "out-of-memory", wasm({ memory: [0, 0x81, 0x08] }), /limit is 64 MiB/],
      ["gives bogus pointers", "wasm-abi", hostile.bogusOutput(), /outside/],
      ["wants its input nowhere", "wasm-abi", hostile.bogusAlloc(), /outside/],
      ["gives too much", "too-large", wasm({ memory: [0, 0x80, 0x04], run: i64(0x1100000n) }), /17825792 bytes/],
    ])("a module that %s: %s, and the node goes on", { timeout: PATIENCE_MS }, async (_what, code, module, message) => {
      const error = await failure(run(module, code === "timeout" ? ENDLESS : FUELLED));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
      await works();
    });

    test("cancelling ends a loop at once, without waiting for its time", async () => {
      const controller = new AbortController();
      const running = failure(
        run(hostile.loop(), { limits: { timeMsMax: 600_000, fuelMax: FUEL_MAX } }, controller.signal),
      );
      await expect.poll(() => cpu.running().length, { timeout: PATIENCE_MS }).toBeGreaterThan(0);
      controller.abort();
      expect((await running).code).toBe("cancelled");
      await expect.poll(() => cpu.running().length, { timeout: PATIENCE_MS }).toBe(0);
      await works();
    });
  });
}
