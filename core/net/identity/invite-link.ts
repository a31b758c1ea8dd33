/** The whole link of an invite: the address of the page at which others open it, and whether other devices can. */
import type { Address } from "../../ports/network.ts";
import { INVITE_LINK_CHARS_MAX } from "../limits.ts";
import type { Net } from "../types.ts";

export interface Inviter {
  readonly net: Net;
  /** The page's URL without fragment, as this node knows it. */
  readonly inviteBase: () => string;
}

/**
 * The link, short enough for a QR code that a phone reads from a terminal. An address that leads only to one's own
 * machine is replaced by that of a member that others can reach, if there is one. Throws like `Net.invite`.
 */
export function inviteLink({ net, inviteBase }: Inviter): string {
  const own = inviteBase();
  const base = isLocalLink(own) ? (pageOfOthers(net) ?? own) : own;
  return `${base}#${net.invite({ charsMax: INVITE_LINK_CHARS_MAX - base.length - 1 })}`;
}

/**
 * The link to the app that this node serves beside its page (`up --app`); no other node may have it. Throws like
 * `Net.invite`.
 */
export function appLink({ net, inviteBase }: Inviter): string {
  const base = new URL("app/", inviteBase()).href;
  return `${base}#${net.invite({ charsMax: INVITE_LINK_CHARS_MAX - base.length - 1 })}`;
}

/** Whether the link leads only to the machine on which it is opened. */
export function isLocalLink(link: string): boolean {
  return /^https?:\/\/(localhost|127\.[\d.]+|\[::1\]|0\.0\.0\.0)([:/]|$)/i.test(link);
}

/** Every node that takes WebSockets serves the page at the same address. */
function pageOfOthers(net: Net): string | undefined {
  const awake = net.members().filter(({ isSelf, status }) => !isSelf && status === "awake");
  return awake
    .flatMap(({ record }) => record.addresses)
    .map(pageAt)
    .find((page) => page !== undefined && !isLocalLink(page));
}

/** The page that is served at an address where WebSockets are taken. */
export function pageAt(address: Address): string | undefined {
  const [, kind, host = "", port = "", secure] =
    /^\/(ip4|ip6|dns4|dns6|dns)\/([\w.:-]+)\/tcp\/(\d+)\/(?:ws|(wss|tls\/ws))$/.exec(address) ?? [];
  if (kind === undefined) return undefined;
  const scheme = secure === undefined ? "http" : "https";
  return `${scheme}://${kind === "ip6" ? `[${host}]` : host}:${port}/`;
}
