/**
 * What all tabs of the browser share and a person chose or was given. It is in localStorage, because it is needed
 * before anything asynchronous, and because localStorage tells other tabs of changes. If storage is forbidden, it lasts
 * as long as the tab.
 */
import type { Unsubscribe } from "../core/base/events.ts";

type Setting = "invite" | "device" | "machine" | "cores-lent" | "storage-cap" | "screen-reader" | "mail-notify";

const PREFIX = "starfish.";
const forTheTab = new Map<Setting, string>();

export function readSetting(setting: Setting): string | undefined {
  try {
    return localStorage.getItem(PREFIX + setting) ?? undefined;
  } catch {
    return forTheTab.get(setting);
  }
}

export function writeSetting(setting: Setting, value: string): void {
  try {
    localStorage.setItem(PREFIX + setting, value);
  } catch {
    forTheTab.set(setting, value);
  }
}

/**
 * The invite that brought this tab here, or the last one that brought a tab of this browser here. Tabs of the same page
 * address may belong to several swarms.
 */
export function keptInvite(): string | undefined {
  try {
    return sessionStorage.getItem(`${PREFIX}invite`) ?? readSetting("invite");
  } catch {
    return readSetting("invite");
  }
}

/** Returns whether a reload will find it. */
export function keepInvite(invite: string): boolean {
  // A page that came unprotected must not leave a key for the next page that comes unprotected.
  if (window.isSecureContext) writeSetting("invite", invite);
  try {
    sessionStorage.setItem(`${PREFIX}invite`, invite);
    return sessionStorage.getItem(`${PREFIX}invite`) === invite;
  } catch {
    return false;
  }
}

/** Called when another tab has changed it. */
export function onSetting(setting: Setting, listener: (value: string | undefined) => void): Unsubscribe {
  const receive = (event: StorageEvent): void => {
    if (event.key === PREFIX + setting) listener(event.newValue ?? undefined);
  };
  addEventListener("storage", receive);
  return () => removeEventListener("storage", receive);
}
