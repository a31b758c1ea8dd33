/** A net whose gossip is lost, duplicated and delayed: worse than the real one, whose trees repair themselves. */
import type { Net } from "../../core/net/types.ts";
import type { SimNode } from "./node.ts";

export interface Lossiness {
  readonly lost: number;
  readonly twice: number;
  /** Share of messages that come late, by up to `lateMs`, and so out of order. */
  readonly late: number;
  readonly lateMs: number;
}

export function lossyGossip({ lost, twice, late, lateMs }: Lossiness): (net: Net, machine: SimNode) => Net {
  return (net, machine) => {
    const { clock, random } = machine.ports;
    const subscribe: Net["subscribe"] = (topic, receive) =>
      net.subscribe(topic, (payload, from) => {
        if (random.real() < lost) return;
        const times = random.real() < twice ? 2 : 1;
        for (let i = 0; i < times; i++) {
          if (random.real() < late) clock.timer(random.real() * lateMs, () => receive(payload, from));
          else receive(payload, from);
        }
      });
    return new Proxy(net, {
      get(target, name) {
        if (name === "subscribe") return subscribe;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  };
}
