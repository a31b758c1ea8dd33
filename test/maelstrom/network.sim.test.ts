/** The contract of Network, met over messages that are delayed, reordered and lost as Maelstrom does it. */
import { peerIdOf } from "../../core/base/peer-id.ts";
import { networkContract } from "../../core/ports/network.contract.ts";
import { SimWorld } from "../sim/world.ts";
import { Mail, type MailOptions } from "./mail.ts";
import { MaelstromNetwork } from "./network.ts";
import type { Packet } from "./wire.ts";

const MAILS: Readonly<Record<string, MailOptions>> = {
  "Maelstrom's messages": { delayMs: 1, jitterMs: 0, lost: 0 },
  "Maelstrom's messages, reordered and lost": { delayMs: 1, jitterMs: 5, lost: 0.02 },
};

for (const [name, options] of Object.entries(MAILS)) {
  networkContract(name, async () => {
    const world = new SimWorld({ seed: 1 });
    const driver = world.drive();
    const { clock } = world.spawn({ name: "clock", kind: "node" }).ports;
    const mail = new Mail<Packet>(options, clock, world.random.fork("mail"));
    let made = 0;
    const create = async (isDialable: boolean): Promise<MaelstromNetwork> => {
      const node = `n${made++}`;
      const self = peerIdOf(crypto.getRandomValues(new Uint8Array(32)));
      const send = (to: string, packet: Packet): void => mail.send(node, to, packet);
      const network = new MaelstromNetwork({ self, isDialable }, { name: node, clock, send });
      mail.open(node, (from, packet) => network.receive(from, packet));
      return network;
    };
    return {
      clock,
      deadAddress: "maelstrom:nobody",
      node: () => create(true),
      tab: () => create(false),
      [Symbol.asyncDispose]: async () => driver[Symbol.asyncDispose](),
    };
  });
}
