/** People over several nodes in a simulated world: one inbox for all of them, and keys that change. */
import { describe, expect, it } from "vitest";
import type { Computer } from "../../computer.ts";
import type { Address } from "../mail/types.ts";
import { MailLab } from "../../../test/sim/mail-lab.ts";

/** A lab in which the first two nodes are anna's. */
async function withAnna(...others: readonly string[]): Promise<MailLab> {
  const lab = await MailLab.of(["laptop", "phone", ...others]);
  await lab.settle(lab.computer("laptop").people.setName("anna"));
  await joins(lab, "phone");
  return lab;
}

async function joins(lab: MailLab, name: string): Promise<void> {
  const { code } = lab.computer("laptop").people.add();
  await lab.settle(lab.computer(name).people.join(code));
  const peer = lab.computer(name).net.self;
  const seesIt = ({ people }: Computer): boolean => people.all()[0]?.nodes.includes(peer) === true;
  await lab.until(() => [...lab.bench.computers.values()].every(seesIt), `all see that ${name} is anna's`);
}

function anna(lab: MailLab, seenBy: string): Address {
  const [person] = lab.computer(seenBy).people.all();
  if (person === undefined) throw new Error("anna is known");
  return { kind: "person", person: person.id };
}

describe("a person", () => {
  it("reads a mail on two nodes at once, also while they are cut off from each other", async () => {
    const lab = await withAnna("ben");
    const id = await lab.send("ben", { to: [anna(lab, "ben")], subject: "both", text: "to both" });
    await lab.arrived("laptop");
    await lab.arrived("phone");
    lab.world.partition([["laptop"], ["phone", "ben"]]);
    await lab.world.runFor(1_000);
    const both = Promise.all([lab.mail("laptop").read(id), lab.mail("phone").read(id)]);
    expect((await lab.settle(both)).map(({ text }) => text)).toEqual(["to both", "to both"]);
    expect(lab.mail("laptop").unread() + lab.mail("phone").unread()).toBe(0);
    await lab.until(() => lab.stateOf("ben", id) === "read", "ben sees that it is read");
    lab.mail("phone").remove(id);
    lab.world.heal();
    await lab.until(
      () => lab.mail("laptop").inbox().length === 0,
      "what is removed on one is gone from the other",
      180_000,
    );
    expect(lab.mail("laptop").setAside).toBe(0);
    expect(lab.stateOf("ben", id)).toBe("read");
  });

  it("hears on the second node of a mail that the first has, and not of one that was read there", async () => {
    const lab = await withAnna("ben");
    const told: string[] = [];
    lab.mail("laptop").onNotice(({ kind }) => told.push(`laptop ${kind}`));
    lab.kill("phone");
    await lab.noticed();
    const one = await lab.send("ben", { to: [anna(lab, "ben")], text: "1" });
    await lab.arrived("laptop");
    await lab.text("laptop", one);
    await lab.send("ben", { to: [anna(lab, "ben")], text: "2" });
    await lab.arrived("laptop");
    const phone = await lab.up("phone");
    phone.mail.onNotice(({ kind }) => told.push(`phone ${kind}`));
    await lab.until(() => phone.mail.inbox().length === 2 && phone.mail.unread() === 1, "one of two is unread");
    await lab.world.runFor(2_000);
    expect(told.toSorted()).toEqual(["laptop arrived", "laptop arrived", "phone arrived"]);
  });

  it("gives a removed node no new mail, and all others a new key, those that sleep too", async () => {
    const lab = await withAnna("tablet", "ben");
    await joins(lab, "tablet");
    const old = anna(lab, "ben");
    const before = await lab.send("ben", { to: [old], text: "before" });
    for (const name of ["laptop", "phone", "tablet"]) await lab.arrived(name);
    lab.kill("tablet");
    await lab.noticed();
    await lab.settle(lab.computer("laptop").people.remove(lab.computer("phone").net.self));
    const self = lab.computer("laptop").people.self();
    expect(self?.id).not.toBe(old.kind === "person" ? old.person : "");
    const tablet = await lab.up("tablet");
    await lab.until(() => tablet.people.self()?.id === self?.id, "who slept has the new key");
    const now: Address = { kind: "person", person: self?.id ?? "" };
    await lab.until(
      () =>
        lab
          .computer("ben")
          .people.all()
          .some(({ id, nodes }) => id === self?.id && nodes.length === 2),
      "ben sees the new one",
    );
    const after = await lab.send("ben", { to: [now], text: "after" });
    for (const name of ["laptop", "tablet"]) {
      await lab.until(
        () =>
          lab
            .mail(name)
            .inbox()
            .some(({ id }) => id === after),
        `${name} has it`,
      );
      expect(await lab.text(name, after)).toBe("after");
      expect(await lab.text(name, before)).toBe("before");
    }
    // News are no mail for people.
    expect(
      lab
        .mail("tablet")
        .inbox()
        .map(({ id }) => id),
    ).toEqual([before, after]);
    await lab.world.runFor(5_000);
    expect(
      lab
        .mail("phone")
        .inbox()
        .map(({ id }) => id),
    ).toEqual([before]);
    // The others do not know whose node it is, and ignore what it says with the old key.
    await expect(
      lab.settle(lab.computer("phone").people.remove(lab.computer("laptop").net.self)),
    ).rejects.toMatchObject({
      code: "not-found",
    });
    expect(lab.computer("laptop").people.self()?.id).toBe(self?.id);
  });

  it("has another name on all nodes when one says so, and keeps it over a restart", async () => {
    const lab = await withAnna("ben");
    await lab.settle(lab.computer("phone").people.setName("anne"));
    await lab.until(() => lab.computer("laptop").people.self()?.name === "anne", "the laptop knows");
    await lab.until(() => lab.computer("ben").people.all()[0]?.name === "anne", "ben knows");
    await lab.world.runFor(1_000);
    const id = lab.computer("laptop").people.self()?.id;
    lab.kill("laptop");
    const laptop = await lab.up("laptop");
    expect(laptop.people.self()).toMatchObject({ id, name: "anne", isSelf: true });
    await lab.settle(laptop.people.remove(laptop.net.self));
    expect(laptop.people.self()).toBeUndefined();
    await lab.until(() => lab.computer("ben").people.of(laptop.net.self) === undefined, "the laptop is nobody's");
    await expect(lab.settle(laptop.people.setName("two words"))).rejects.toMatchObject({ code: "usage" });
  });
});
