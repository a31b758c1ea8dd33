/** Ways to cut a network, as Jepsen's nemesis has them: who can't hear whom. Nodes are numbers from 0. */

/** Whether nothing gets from the one to the other. */
export type Cut = (from: number, to: number) => boolean;

/** Two parts, of which one has more than half. `order` is the nodes in some order. */
export function majority(order: readonly number[]): Cut {
  const side = new Set(order.slice(0, Math.floor(order.length / 2)));
  return (from, to) => side.has(from) !== side.has(to);
}

/** One node is alone. */
export function single(order: readonly number[]): Cut {
  const [alone] = order;
  return (from, to) => (from === alone) !== (to === alone);
}

/** Everyone hears more than half of all, and no two of them the same. */
export function ring(order: readonly number[]): Cut {
  const place = new Map(order.map((node, i) => [node, i]));
  const reach = Math.floor((Math.floor(order.length / 2) + 1) / 2);
  return (from, to) => {
    const apart = Math.abs((place.get(from) ?? 0) - (place.get(to) ?? 0));
    return Math.min(apart, order.length - apart) > reach;
  };
}
