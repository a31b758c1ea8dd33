/** Mail between whole computers in a simulated world: awake, asleep, killed, and long gone. */
import { describe, expect, it } from "vitest";
import { concat, equal } from "../../base/bytes.ts";
import type { Computer } from "../../computer.ts";
import { ShellBench } from "../../../test/sim/shell-bench.ts";
import type { Draft, InboxMail } from "./types.ts";

const MINUTE_MS = 60_000;

/** Some nodes that see each other, and each other's keys. */
async function swarm(names: readonly string[], seed: number | string = 1): Promise<ShellBench> {
  const bench = new ShellBench({ seed });
  const [first = "first", ...others] = names;
  const { net } = await bench.up(first);
  for (const name of others) await bench.up(name, { invite: net.invite() });
  await bench.world.runUntil(() => [...bench.computers.values()].every((one) => knowsAll(one, names.length)), {
    withinMs: 30_000,
    what: "all know each other's keys",
  });
  return bench;
}

function knowsAll({ mail }: Computer, count: number): boolean {
  return mail.correspondents().filter(({ address }) => address.kind === "node").length >= count;
}

function nodeOf(computer: Computer): { kind: "node"; peer: string } {
  return { kind: "node", peer: computer.net.self };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.slice(at, at + 50_000);
}

async function send(bench: ShellBench, from: string, draft: Draft): Promise<string> {
  const { mail } = bench.computer(from);
  const { id, safe } = await bench.world.settle(mail.send(draft), { withinMs: 5 * MINUTE_MS });
  await bench.world.settle(safe, { withinMs: 5 * MINUTE_MS });
  return id;
}

async function arrived(bench: ShellBench, at: string, withinMs = MINUTE_MS): Promise<InboxMail> {
  const { mail } = bench.computer(at);
  await bench.world.runUntil(() => mail.inbox().some(({ state }) => state === "unread"), {
    withinMs,
    everyMs: 100,
    what: `mail has arrived at ${at}`,
    describe: () => JSON.stringify(mail.inbox()),
  });
  const one = mail.inbox().find(({ state }) => state === "unread");
  if (one === undefined) throw new Error("nothing has arrived");
  return one;
}

describe("mail", () => {
  it("reaches a node that is awake, with its files, and its sender sees how far it is", async () => {
    const bench = await swarm(["anna", "ben"]);
    const [anna, ben] = [bench.computer("anna"), bench.computer("ben")];
    const photo = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 0xff);
    const id = await send(bench, "anna", {
      to: [nodeOf(ben)],
      subject: "lunch",
      text: "at one?",
      files: [{ name: "photo.jpg", bytes: pieces(photo) }],
    });
    const mail = await arrived(bench, "ben");
    expect(mail).toMatchObject({
      id,
      number: 1,
      from: anna.net.self,
      fromName: "anna",
      subject: "lunch",
      files: [{ name: "photo.jpg", sizeBytes: 300_000 }],
    });
    const stateOf = (): string | undefined => anna.mail.sent()[0]?.deliveries[0]?.state;
    await bench.world.runUntil(() => stateOf() === "delivered", { withinMs: MINUTE_MS });
    expect(ben.mail.unread()).toBe(1);
    const opened = await bench.world.settle(ben.mail.read(id), { withinMs: MINUTE_MS });
    expect(opened.text).toBe("at one?");
    expect(ben.mail.unread()).toBe(0);
    const file = await bench.world.settle(Array.fromAsync(ben.mail.file(id, 0)), { withinMs: MINUTE_MS });
    expect(equal(concat(file), photo)).toBe(true);
    await bench.world.runUntil(() => stateOf() === "read", { withinMs: MINUTE_MS });
  });
});
