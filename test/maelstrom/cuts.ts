/** Ways to cut a network, as Jepsen's nemesis does: which nodes can't hear which. Nodes are numbers from 0. */

/** Whether nothing gets from the first to the second. */
export type Cut = (from: number, to: number) => boolean;

/** Two parts, one of which has more than half. `order` is the nodes in some order. */
export function majority(order: readonly number[]): Cut {
  const side = new Set(order.slice(0, Math.floor(order.length / 2)));
  return (from, to) => side.has(from) !== side.has(to);
}

/** One node is alone. */
export function single(order: readonly number[]): Cut {
  const [alone] = order;
  return (from, to) => (from === alone) !== (to === alone);
}

/** Every node hears more than half of all nodes, and no two hear the same. */
export function ring(order: readonly number[]): Cut {
  const place = new Map(order.map((node, i) => [node, i]));
  const reach = Math.floor((Math.floor(order.length / 2) + 1) / 2);
  return (from, to) => {
    const apart = Math.abs((place.get(from) ?? 0) - (place.get(to) ?? 0));
    return Math.min(apart, order.length - apart) > reach;
  };
}
