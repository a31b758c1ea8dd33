/** Files for the demo: the real tree on a map and contents of this page alone. */
import type { Contents, Files } from "../../../core/disk/types.ts";
import { createFiles } from "../../../core/disk/files/files.ts";
import { realClock } from "../../../core/platform/clock.ts";
import { realCrypto } from "../../../core/platform/crypto.ts";
import { MemoryStore } from "../../../core/platform/memory-store.ts";
import type { PeerId } from "../../../core/ports/network.ts";
import { shortIdOf } from "../../../core/net/membership/rows.ts";
import { MemoryContents } from "../../fixtures/contents.ts";
import { ReplicaMap, TestTime } from "../../fixtures/replica-map.ts";

export async function demoDisk(peer: PeerId): Promise<{ readonly files: Files; readonly storage: Contents }> {
  const self = shortIdOf(realCrypto, peer);
  const time = new TestTime();
  time.nowMs = Date.now();
  const storage = new MemoryContents(async (pieces) => pieces.map((piece) => realCrypto.sha256(piece)));
  storage.self = peer;
  const files = await createFiles({
    map: new ReplicaMap(self, time),
    contents: storage,
    store: new MemoryStore(),
    clock: realClock,
    crypto: realCrypto,
    log: { write: () => {} },
    self,
    name: () => "demo",
    devices: () => 1,
    machines: () => 1,
  });
  for (const [path, bytes] of [
    ["/notes.txt", 900],
    ["/photos/beach.jpg", 3_000_000],
    ["/photos/hills.jpg", 2_000_000],
  ] as const) {
    await files.write(path, from(new Uint8Array(bytes).fill(97)));
  }
  return { files, storage };
}

async function* from(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
