/**
 * A node that starts with mail and people in its store: whether these are damaged or not, it starts, or says what is
 * wrong.
 */
import { describe, expect, it } from "vitest";
import { encode, type Schema } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { realCrypto } from "../../platform/crypto.ts";
import { MemoryStore } from "../../platform/memory-store.ts";
import { realRandom } from "../../platform/random.ts";
import { type Log, silentLog } from "../../ports/log.ts";
import { Secrets, SCHEMAS as secrets } from "../people/secrets.ts";
import { extremesOf } from "../../../test/adversary/extremes.ts";
import { Inbox, type InboxParts, SCHEMAS as inbox } from "./inbox.ts";
import { Outbox, SCHEMAS as outbox } from "./outbox.ts";
import type { SentMail } from "./types.ts";

const NOW = 1_800_000_000_000;
const peer = `12D3KooW${"a".repeat(44)}`;
const KEY = new Uint8Array(32).fill(7);

function extremes(schema: Schema<unknown> | undefined, honest: unknown): { bytes: Uint8Array; isValid: boolean }[] {
  if (schema === undefined) throw new Error("There is such a schema");
  return [...extremesOf(schema, honest)].map(({ value, isValid }) => ({ bytes: encode(value), isValid }));
}

function counting(): { readonly log: Log; readonly warnings: string[] } {
  const warnings: string[] = [];
  return { log: { write: (level, event) => void (level === "warn" && warnings.push(event)) }, warnings };
}

describe("a node's own store", () => {
  it("numbers mails anew where the numbers are damaged", async () => {
    for (const { bytes, isValid } of extremes(inbox["numbersSchema"], [[new Uint8Array(16), 1]])) {
      const store = new MemoryStore();
      await store.set("mail/numbers", bytes);
      const { log, warnings } = counting();
      const loaded = await Inbox.load({ store, log } as unknown as InboxParts);
      expect(loaded.list()).toEqual([]);
      expect(warnings).toEqual(isValid ? [] : ["mail.numbers-unreadable"]);
    }
  });

  it("passes over what can't be read of what was sent, and keeps the rest", async () => {
    const right: SentMail = {
      id: "f".repeat(32),
      number: 1,
      sentAtMs: NOW,
      expiresAtMs: NOW + 1,
      subject: "lunch",
      files: [{ name: "photo.jpg", sizeBytes: 3 }],
      deliveries: [
        { to: { address: { kind: "node", peer }, name: "otter" }, state: "waiting", atMs: NOW },
        { to: { address: { kind: "person", person: "07".repeat(32) }, name: "anna" }, state: "read", atMs: NOW },
      ],
    };
    const honest = [
      1,
      NOW,
      NOW,
      "s",
      [["f", 3]],
      [
        [peer, "otter", "waiting", NOW],
        [KEY, "anna", "read", NOW],
      ],
    ];
    for (const { bytes, isValid } of extremes(outbox["sentSchema"], honest)) {
      const store = new MemoryStore();
      await (await Outbox.load(store, silentLog)).add(right);
      await store.set(`mail/sent/${"0".repeat(32)}`, bytes);
      const { log, warnings } = counting();
      const loaded = await Outbox.load(store, log);
      expect(loaded.get(right.id)).toEqual(right);
      expect(loaded.list().length).toBe(isValid ? 2 : 1);
      expect(warnings).toEqual(isValid ? [] : ["mail.sent-unreadable"]);
    }
  });

  it("does not start with a damaged key in silence: mail to it would be lost", async () => {
    const ports = (store: MemoryStore): Parameters<typeof Secrets.load>[0] => ({
      store,
      crypto: realCrypto,
      random: realRandom,
    });
    for (const { bytes, isValid } of extremes(secrets["keptSchema"], [["anna", KEY], [[KEY, NOW]]])) {
      const store = new MemoryStore();
      await store.set("people/self", bytes);
      const loading = Secrets.load(ports(store));
      if (isValid) await loading;
      else await expect(loading).rejects.toSatisfy((error) => isStarfishError(error, "io"));
    }
    const store = new MemoryStore();
    await store.set("mail/key", KEY.slice(1));
    await expect(Secrets.load(ports(store))).rejects.toMatchObject({ code: "io" });
    const good = new MemoryStore();
    const made = await Secrets.load(ports(good));
    await made.become({ name: "anna", seed: KEY }, NOW);
    await made.become({ name: "anne", seed: KEY.map((byte) => byte + 1) }, NOW);
    const again = await Secrets.load(ports(good));
    expect(again.node).toEqual(made.node);
    expect(again.person?.name).toBe("anne");
    expect(again.all(NOW).map(({ id }) => id)).toEqual(made.all(NOW).map(({ id }) => id));
    expect(again.all(NOW).length).toBe(2);
    expect(again.all(NOW + 61 * 24 * 3_600_000).length).toBe(1);
  });
});
