/** The malicious member of a scene: its machine, the facts that it knows, and how it can come as a stranger. */
import { isStarfishError } from "../../core/base/errors.ts";
import { createMemory, type Memory } from "../../core/memory/memory.ts";
import { HELLO_PROTOCOL } from "../../core/net/links/admission.ts";
import { parseInvite } from "../../core/net/identity/invite.ts";
import { createNet } from "../../core/net/net.ts";
import type { KeyPair } from "../../core/ports/crypto.ts";
import type { PeerId } from "../../core/ports/network.ts";
import type { SimNetwork } from "../sim/network.ts";
import type { SimNode } from "../sim/node.ts";
import type { Scene } from "./scene.ts";
import { Voice, type VoiceParts } from "./voice.ts";

let strangers = 0;
/** How long a stranger stays after it has said what it came for. */
const STRANGER_MS = 200;

export class Intruder extends Voice {
  readonly scene: Scene;
  readonly machine: SimNode;
  /** The maps, as an honest member has them. */
  readonly memory: Memory;

  private constructor(scene: Scene, machine: SimNode, parts: VoiceParts) {
    super(parts);
    this.scene = scene;
    this.machine = machine;
    const { store, clock, random, crypto, log } = machine.ports;
    this.memory = createMemory({ store, clock, random, crypto, log, net: parts.net });
  }

  /** Joins, and gets links to all honest nodes. */
  static async join(scene: Scene, name: string): Promise<Intruder> {
    const { world } = scene;
    const machine = world.spawn({ name, kind: "node" });
    const { store, clock, random, crypto, log } = machine.ports;
    let network: SimNetwork | undefined;
    let own: KeyPair | undefined;
    const starting = createNet({ kind: "node", found: false, name, invite: scene.invite })({
      store,
      clock,
      random,
      crypto,
      log,
      network: async (keys) => {
        own = keys;
        network = machine.networkAs(keys);
        return network;
      },
    });
    const net = await world.settle(starting, { withinMs: 5_000 });
    if (network === undefined || own === undefined) throw new Error("The net has started no network");
    const invite = parseInvite(crypto, scene.invite);
    const made = new Intruder(scene, machine, { net, network, keys: own, invite, clock, crypto, random });
    await world.runUntil(() => made.isLinked, { withinMs: 20_000, what: `${name} is linked to all who are honest` });
    return made;
  }

  get isLinked(): boolean {
    const linked = new Set(this.net.links().map(({ peer }) => peer));
    return this.scene.honest.every(({ net }) => linked.has(net.self));
  }

  async leave(): Promise<void> {
    if (this.machine.running) this.scene.world.crash(this.machine);
  }

  /** Starts a machine that nobody has admitted; it says these messages on the channel of the handshake, and leaves. */
  async knock(victim: PeerId, messages: readonly Uint8Array[]): Promise<void> {
    const { world, honest } = this.scene;
    const machine = world.spawn({ name: `stranger${strangers++}/${world.seed}`, kind: "node" });
    const address = honest.find(({ net }) => net.self === victim)?.net.member(victim)?.record.addresses[0];
    if (address === undefined) throw new Error("The victim has no address");
    try {
      const link = await machine.ports.network.dial({ peer: victim, addresses: [address] });
      const channel = await link.open(HELLO_PROTOCOL);
      channel.onMessage(() => {});
      for (const message of messages) channel.send(message);
      await new Promise<void>((resolve) => machine.ports.clock.timer(STRANGER_MS, resolve));
    } catch (error) {
      if (!isStarfishError(error)) throw error;
    }
    world.crash(machine);
  }
}
