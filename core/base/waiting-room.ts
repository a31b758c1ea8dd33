/**
 * Connections that have not shown yet that they belong here: bounded, and fair between the places from which they come.
 * When it is full, the oldest one of the place with the most is closed. So an attacker who fills it from one place
 * loses only its own connections, and slow ones cannot keep others out. A place is an IP address; for IPv6 it is a
 * whole network (/64), because a user of IPv6 has all of its addresses.
 */
export class WaitingRoom {
  readonly #max: number;
  /** By place, the oldest first. */
  readonly #places = new Map<string, Set<Waiting>>();
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a connection. Returns the function that takes it out; `dismiss` is called if it has to make room before. */
  enter(place: string, dismiss: () => void): () => void {
    if (this.#size >= this.#max) this.#dismissOne();
    const waiting = { place: networkOf(place), dismiss };
    const there = this.#places.get(waiting.place);
    if (there === undefined) this.#places.set(waiting.place, new Set([waiting]));
    else there.add(waiting);
    this.#size++;
    return () => void this.#remove(waiting);
  }

  #remove(waiting: Waiting): boolean {
    const there = this.#places.get(waiting.place);
    if (there?.delete(waiting) !== true) return false;
    if (there.size === 0) this.#places.delete(waiting.place);
    this.#size--;
    return true;
  }

  #dismissOne(): void {
    let most: Set<Waiting> | undefined;
    for (const there of this.#places.values()) if (there.size > (most?.size ?? 0)) most = there;
    const [oldest] = most ?? [];
    if (oldest !== undefined && this.#remove(oldest)) oldest.dismiss();
  }
}

/** The first half of an IPv6 address; everything of another address, including IPv4 as IPv6 (::ffff:1.2.3.4). */
export function networkOf(address: string): string {
  if (!/^[\da-f]*:[\da-f:]+$/i.test(address)) return address;
  const [before = [], after = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}

interface Waiting {
  readonly place: string;
  readonly dismiss: () => void;
}
