/** The real clock, randomness and cryptography of this platform, and the store in memory, held to their contracts. */
import { clockContract } from "../ports/clock.contract.ts";
import { cryptoContract } from "../ports/crypto.contract.ts";
import { randomContract } from "../ports/random.contract.ts";
import { storeContract } from "../ports/store.contract.ts";
import { realClock } from "./clock.ts";
import { realCrypto } from "./crypto.ts";
import { MemoryStore } from "./memory-store.ts";
import { realRandom } from "./random.ts";

clockContract("real", () => ({ clock: realClock, pass: (promise) => promise }));
randomContract("real", () => realRandom);
cryptoContract("real", () => realCrypto, { runs: 8 });
storeContract("memory", async () => {
  const disk = new Map<string, Uint8Array>();
  return { open: async () => new MemoryStore(disk) };
});
