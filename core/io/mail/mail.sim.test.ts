/** Mail between whole computers in a simulated world: awake, asleep, killed, and long gone. */
import { describe, expect, it } from "vitest";
import { equal, utf8 } from "../../base/bytes.ts";
import { sample } from "../../ports/random.ts";
import { MailLab, pieces } from "../../../test/sim/mail-lab.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { MAIL_KEPT_MS, NOTICES_MAX } from "./limits.ts";

const HOUR_MS = 3_600_000;

describe("mail", () => {
  it("reaches a node that is awake, with its files, and its sender sees how far it is", async () => {
    const lab = await MailLab.of(["anna", "ben"]);
    const photo = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 0xff);
    const told: string[] = [];
    lab.mail("ben").onNotice((notice) => told.push(notice.kind));
    const id = await lab.send("anna", {
      to: [lab.addressOf("ben")],
      subject: "lunch",
      text: "at one?",
      files: [{ name: "photo.jpg", bytes: pieces(photo) }],
    });
    expect(await lab.arrived("ben")).toMatchObject({
      id,
      number: 1,
      from: lab.addressOf("anna").peer,
      fromName: "anna",
      subject: "lunch",
      files: [{ name: "photo.jpg", sizeBytes: 300_000 }],
    });
    await lab.until(() => lab.stateOf("anna", id) === "delivered", "it is delivered");
    expect(lab.mail("ben").unread()).toBe(1);
    expect((await lab.settle(lab.mail("ben").peek(id))).text).toBe("at one?");
    expect(lab.mail("ben").unread()).toBe(1);
    expect(await lab.text("ben", id)).toBe("at one?");
    expect(lab.mail("ben").unread()).toBe(0);
    expect(equal(await lab.file("ben", id), photo)).toBe(true);
    await lab.until(() => lab.stateOf("anna", id) === "read", "it is read");
    expect(told).toEqual(["arrived"]);
  });

  it("announces a few one by one, and says how many more there are", async () => {
    const lab = await MailLab.of(["anna"]);
    const told: (string | number)[] = [];
    lab.mail("anna").onNotice((notice) => told.push(notice.kind === "more" ? notice.mails : notice.kind));
    const count = NOTICES_MAX + 3;
    for (let i = 0; i < count; i++) await lab.send("anna", { to: [lab.addressOf("anna")], text: String(i) });
    await lab.until(() => lab.mail("anna").unread() === count, "all have arrived");
    await lab.until(() => typeof told.at(-1) === "number", "it has said how many more");
    expect(told.slice(0, -1)).toEqual(Array.from({ length: NOTICES_MAX }, () => "arrived"));
    expect(told.at(-1)).toBe(3);
  });

  it("goes from a node that is alone to itself", async () => {
    const lab = await MailLab.of(["anna"]);
    const id = await lab.send("anna", { to: [lab.addressOf("anna")], text: "note to self" });
    await lab.arrived("anna");
    expect(await lab.text("anna", id)).toBe("note to self");
  });

  it("goes to several and to the sender itself, each once, and each sees who else has it", async () => {
    const lab = await MailLab.of(["anna", "ben", "carl"]);
    const to = ["ben", "carl", "anna", "ben"].map((name) => lab.addressOf(name));
    const id = await lab.send("anna", { to, text: "all" });
    for (const name of ["anna", "ben", "carl"]) {
      expect((await lab.arrived(name)).to.map((one) => one.name)).toEqual(["ben", "carl", "anna"]);
    }
    await lab.text("carl", id);
    await lab.until(() => lab.stateOf("anna", id, 1) === "read", "carl has read it");
    expect(lab.stateOf("anna", id, 0)).toBe("delivered");
  });

  it.each(seeds(2, 100))(
    "waits for who sleeps, though its sender and half of the others are gone (seed %i)",
    async (seed) => {
      const others = ["c1", "c2", "c3", "c4", "c5", "c6"];
      const lab = await MailLab.of(["anna", "ben", ...others], seed);
      const random = lab.world.random.fork("halves");
      const large = random.bytes(1_500_000);
      const text = "a secret line of the letter\n".repeat(40);
      lab.kill("ben");
      await lab.noticed();
      const to = [
        lab
          .computer("anna")
          .mail.correspondents()
          .find(({ name }) => name === "ben")?.address,
      ];
      const [ben] = to;
      if (ben === undefined) throw new Error("who sleeps can be written to");
      const small = await lab.send("anna", { to: [ben], subject: "a secret subject", text });
      const second = await lab.send("anna", {
        to: [ben],
        subject: "with a file",
        files: [{ name: "a secret name.bin", bytes: pieces(large) }],
      });
      // Only its reader has a clear byte of it. Even its sender's disk does not have the text.
      const secrets = [
        "a secret line of the letter",
        "a secret subject",
        "a secret name.bin",
        large.slice(7_000, 7_032),
      ];
      for (const name of others) expect(await lab.seenIn(name, secrets)).toEqual([]);
      expect(await lab.seenIn("anna", [secrets[0] ?? "", secrets[3] ?? ""])).toEqual([]);
      lab.kill("anna", ...sample(random, others, 3));
      const returned = await lab.up("ben");
      await lab.until(() => returned.mail.unread() === 2, "both have arrived", 5 * 60_000);
      expect(await lab.text("ben", small)).toBe(text);
      expect(equal(await lab.file("ben", second), large)).toBe(true);
    },
  );

  it("is gone after thirty days, of which its sender is told, once, also after a restart", async () => {
    const lab = await MailLab.of(["anna", "ben", "carl"]);
    const read = await lab.send("anna", { to: [lab.addressOf("carl")], text: "read in time" });
    await lab.arrived("carl");
    await lab.text("carl", read);
    await lab.until(() => lab.stateOf("anna", read) === "read", "it is read");
    const ben = lab.addressOf("ben");
    lab.kill("ben");
    await lab.noticed();
    const id = await lab.send("anna", { to: [ben, lab.addressOf("carl")], text: "in vain" });
    await lab.arrived("carl");
    expect(lab.stateOf("anna", id)).toBe("waiting");
    // All clocks advance by a month, so the time of everything in the map is over.
    await passes(lab, MAIL_KEPT_MS - HOUR_MS);
    expect(lab.stateOf("anna", id)).toBe("waiting");
    const told: string[] = [];
    lab
      .mail("anna")
      .onNotice((notice) => told.push(notice.kind === "more" ? "more" : `${notice.kind} ${notice.mail.id}`));
    await passes(lab, 2 * HOUR_MS);
    await lab.until(() => lab.stateOf("anna", id) === "expired", "its time is over");
    expect(told).toEqual([`expired ${id}`]);
    expect(lab.stateOf("anna", id, 1)).toBe("expired");
    expect(lab.stateOf("anna", read)).toBe("read");
    await lab.until(() => lab.mail("carl").inbox().length === 0, "it is gone");
    await expect(lab.settle(lab.mail("carl").read(id))).rejects.toMatchObject({ code: "not-found" });
    lab.kill("anna");
    const anna = await lab.up("anna");
    anna.mail.onNotice((notice) => told.push(notice.kind === "more" ? "more" : `${notice.kind} ${notice.mail.id}`));
    await lab.world.runFor(30_000);
    expect(told).toEqual([`expired ${id}`]);
    expect(lab.stateOf("anna", id)).toBe("expired");
    // A node that comes back after that finds nothing and is told nothing.
    await lab.up("ben");
    await lab.world.runFor(60_000);
    expect(lab.mail("ben").inbox()).toEqual([]);
  });

  it("waits for a clock that is a day off to be set right, and is not sent from there", async () => {
    const lab = await MailLab.of(["anna", "ben", "carl", "dora"]);
    const ben = lab.addressOf("ben");
    lab.kill("ben");
    await lab.noticed();
    lab.world.node("ben").jumpClock(24 * HOUR_MS);
    const id = await lab.send("anna", { to: [ben], text: "what time is it?" });
    await lab.up("ben");
    await lab.world.runFor(60_000);
    // Its person is told. No map is exchanged with such a node, and its mail stays for it.
    expect(lab.computer("ben").net.notices().join()).toContain("Set the clock of this device right");
    expect(lab.stateOf("anna", id)).toBe("waiting");
    const sending = lab.mail("ben").send({ to: [lab.addressOf("anna")], text: "late" });
    await expect(lab.settle(sending)).rejects.toMatchObject({ code: "clock" });
    expect(lab.mail("ben").sent()).toEqual([]);
    lab.world.node("ben").jumpClock(-24 * HOUR_MS);
    await lab.arrived("ben", 5 * 60_000);
    expect(await lab.text("ben", id)).toBe("what time is it?");
    await lab.until(() => lab.stateOf("anna", id) === "read", "it is read");
  });

  it("is refused by a full swarm, and then there is nothing of it", async () => {
    const lab = await MailLab.of(["anna", "ben", "carl"]);
    for (const { storage } of lab.bench.computers.values()) storage.offer(3_000_000);
    const bytes = new Uint8Array(20_000_000).fill(7);
    const sending = lab.mail("anna").send({ to: [lab.addressOf("ben")], files: [{ name: "f", bytes: pieces(bytes) }] });
    await expect(lab.settle(sending)).rejects.toMatchObject({ code: "full" });
    expect(lab.mail("anna").sent()).toEqual([]);
    await lab.world.runFor(10_000);
    expect(lab.mail("ben").inbox()).toEqual([]);
    // A letter still finds a place.
    await lab.send("anna", { to: [lab.addressOf("ben")], text: "no room for the film" });
    await lab.arrived("ben");
  });

  it("is removed by its reader, and its number is not given to the next as long as others are here", async () => {
    const lab = await MailLab.of(["anna", "ben"]);
    const to = [lab.addressOf("ben")];
    const [one, two] = [await lab.send("anna", { to, text: "1" }), await lab.send("anna", { to, text: "2" })];
    await lab.until(() => lab.mail("ben").unread() === 2, "both are here");
    lab.mail("ben").remove(one);
    expect(lab.mail("ben").inbox()).toMatchObject([{ id: two, number: 2 }]);
    // What is written is stored within a moment.
    await lab.world.runFor(1_000);
    expect(lab.stateOf("anna", one)).toBe("delivered");
    lab.kill("ben");
    await lab.up("ben");
    await lab.until(() => lab.mail("ben").unread() === 1, "the other is here still");
    expect(lab.mail("ben").inbox()).toMatchObject([{ id: two, number: 2 }]);
  });

  it("bounds what is sent, before anything is stored", async () => {
    const lab = await MailLab.of(["anna", "ben"]);
    const to = [lab.addressOf("ben")];
    const nobody = { kind: "node", peer: `12D3KooW${"a".repeat(44)}` } as const;
    const files = Array.from({ length: 33 }, (_, i) => ({ name: `${i}`, bytes: pieces(utf8("x")) }));
    const wrong = [
      [{ to: [] }, "usage"],
      [{ to: [nobody] }, "not-found"],
      [{ to: [...to, { kind: "person", person: "ab".repeat(32) } as const] }, "not-found"],
      [{ to, subject: "s".repeat(201) }, "too-large"],
      [{ to, text: "t".repeat(256 * 1024 + 1) }, "too-large"],
      [{ to, files }, "too-large"],
    ] as const;
    for (const [draft, code] of wrong) {
      await expect(lab.settle(lab.mail("anna").send(draft))).rejects.toMatchObject({ code });
    }
    await lab.world.runFor(5_000);
    expect(lab.mail("ben").inbox()).toEqual([]);
  });
});

/** Lets time pass for all nodes at once; waiting for it would take hours. */
async function passes(lab: MailLab, ms: number): Promise<void> {
  for (const node of lab.world.nodes) node.jumpClock(ms);
  await lab.world.runFor(30_000);
}
