/** Which addresses to give to newcomers, and to keep for the next start. Pure. */
import type { Address } from "../../ports/network.ts";
import { ADDRESS_CHARS_MAX, INVITE_ADDRESSES_MAX } from "../limits.ts";
import type { Member } from "../types.ts";

/**
 * The best few addresses, in order: this node's own, then one of each other device that can be dialled (awake ones
 * first, and of these the oldest, since they are likeliest to stay), then further ones of the same devices, and last
 * those that were known before.
 */
export function bestAddresses(
  members: readonly Member[],
  own: readonly Address[],
  before: readonly Address[],
  countMax: number = INVITE_ADDRESSES_MAX,
): Address[] {
  const others = members
    .filter(({ isSelf, record, status }) => !isSelf && status === "awake" && record.addresses.length > 0)
    .toSorted((a, b) => a.record.startedAtMs - b.record.startedAtMs);
  const devices = new Set<string>();
  const firsts: Address[] = [];
  const more: Address[] = [];
  for (const { record } of others) {
    const [first, ...rest] = record.addresses;
    if (first === undefined) continue;
    (devices.has(record.device) ? more : firsts).push(first);
    devices.add(record.device);
    more.push(...rest);
  }
  const [ownFirst, ...ownRest] = own;
  const ranked = [...(ownFirst === undefined ? [] : [ownFirst]), ...firsts, ...ownRest, ...more, ...before];
  const usable = ranked.filter((address) => address.length <= ADDRESS_CHARS_MAX);
  return [...new Set(usable)].slice(0, countMax);
}

/**
 * The addresses for an invite. On another device, an address of one's own machine would mean that device, so it is left
 * out unless there is no other.
 */
export function forOtherDevices(addresses: readonly Address[]): readonly Address[] {
  const far = addresses.filter((address) => !isLoopback(address));
  return far.length > 0 ? far : addresses;
}

function isLoopback(address: Address): boolean {
  return /^\/(ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/)/.test(address);
}
