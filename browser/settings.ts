/**
 * What all tabs of the browser share and a person chose or was given: kept in localStorage, because it is needed before
 * anything asynchronous, and because it tells other tabs of changes. Where storage is forbidden it lasts as long as the tab.
 */
import type { Unsubscribe } from "../core/base/events.ts";

type Setting = "invite" | "device" | "cores-lent" | "storage-cap" | "screen-reader";

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

/** Called when another tab has changed it. */
export function onSetting(setting: Setting, listener: (value: string | undefined) => void): Unsubscribe {
  const receive = (event: StorageEvent): void => {
    if (event.key === PREFIX + setting) listener(event.newValue ?? undefined);
  };
  addEventListener("storage", receive);
  return () => removeEventListener("storage", receive);
}
