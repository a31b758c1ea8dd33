/** The sender is a stranger, too: either the person was told of what arrives, or nothing is taken. */
import { expect, test } from "vitest";
import { concat } from "../../base/bytes.ts";
import { realClock } from "../../platform/clock.ts";
import { realCrypto } from "../../platform/crypto.ts";
import type { Coder } from "../../ports/coder.ts";
import { encodeManifest, toldOf } from "../transfer/manifest.ts";
import type { TransferEntry } from "../transfer/types.ts";
import { ContentsSink } from "./contents-sink.ts";

const sha256 = (parts: readonly Uint8Array[]): Uint8Array => realCrypto.sha256(concat(parts));
const coder: Pick<Coder, "hash"> = { hash: async (pieces) => pieces.map((piece) => sha256([piece])) };

function file(path: string, sizeBytes: number): TransferEntry {
  return { kind: "file", path, sizeBytes, modifiedMs: 0 };
}

/** What is taken if the offer states another list than the one that is sent. */
async function taken(offered: readonly TransferEntry[], sent: readonly TransferEntry[]): Promise<string[]> {
  const manifest = await encodeManifest(sent, realClock);
  const key = sha256([manifest]);
  const offer = {
    is: "offer",
    id: new Uint8Array(16),
    key,
    manifestBytes: manifest.length,
    ...toldOf(offered),
  } as const;
  const paths: string[] = [];
  const parts = { clock: realClock, crypto: realCrypto, coder: coder as Coder };
  const sink = new ContentsSink(offer, parts, async (entries) => {
    for await (const { path } of entries) paths.push(path);
  });
  await sink.pass(0, manifest, sha256([]));
  await sink.finish();
  return paths;
}

const OFFERED = [file("d/holiday.jpg", 0), file("d/letter.txt", 0)];

test.each([
  ["name", [file("d/holiday.jpg", 0), file("d/letter.exe", 0)]],
  ["title", [file(".config/holiday.jpg", 0), file(".config/letter.txt", 0)]],
  ["size", [file("d/holiday.jpg", 7), file("d/letter.txt", 0)]],
  ["file", [file("d/holiday.jpg", 0)]],
])("what has another %s than was offered is not taken", async (_, sent) => {
  await expect(taken(OFFERED, sent)).rejects.toMatchObject({ code: "malformed" });
});

test("what was offered is taken, also where a name has been made a line", async () => {
  expect(await taken(OFFERED, OFFERED)).toEqual(["d/holiday.jpg", "d/letter.txt"]);
});
