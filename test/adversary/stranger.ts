/** Who is not admitted, or not yet: a machine that dials an honest one and says on the channel of the handshake what it likes. */
import { isStarfishError } from "../../core/base/errors.ts";
import { HELLO_PROTOCOL } from "../../core/net/admission.ts";
import type { Saying } from "./says.ts";

let strangers = 0;

/** `speak` gives the messages, of the value and of what a right hello would be. */
export function sayAsStranger(
  speak: (value: unknown, own: Record<string, unknown>) => readonly Uint8Array[],
): (value: unknown, saying: Saying) => Promise<void> {
  return async (value, { intruder, speaker, victim }) => {
    const { scene, invite } = intruder;
    const machine = scene.world.spawn({ name: `stranger${strangers++}/${scene.world.seed}`, kind: "node" });
    const address = scene.honest.find(({ net }) => net.self === victim)?.net.member(victim)?.record.addresses[0];
    if (address === undefined) throw new Error("The victim has no address");
    const own = {
      versions: { min: 1, max: 1 },
      swarm: invite.swarm,
      chain: [...speaker.chain],
      life: new Uint8Array(8),
    };
    try {
      const link = await machine.ports.network.dial({ peer: victim, addresses: [address] });
      const channel = await link.open(HELLO_PROTOCOL);
      channel.onMessage(() => {});
      for (const message of speak(value, own)) if (message.length < 1024 * 1024) channel.send(message);
      await new Promise<void>((resolve) => machine.ports.clock.timer(200, resolve));
    } catch (error) {
      if (!isStarfishError(error)) throw error;
    }
    scene.world.crash(machine);
  };
}
