/** The Chromium that tests drive: the system's, or the one that playwright has downloaded. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

/**
 * Playwright's own list (coreBundle.js `disabledFeatures`) is repeated here, since only the last such switch counts.
 * Added are the pages behind the address bar, which Chromium makes for each window: nobody sees them, and each costs as
 * much as a page.
 */
const DISABLED_FEATURES: readonly string[] = [
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "TcpPortRandomizationWin",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
  "AimEnabled",
  "PreconnectToSearch",
  "WebUIOmniboxPopup",
  "WebUIOmniboxAimPopup",
];

/** Flags that keep it quiet: no traffic of its own, and safe to run as root in a container. */
export const CHROMIUM_ARGS: string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--disable-features=${DISABLED_FEATURES.join(",")}`,
];

/** Path of the executable, or undefined if there is none: tools/setup.mjs then says how to get one. */
export function findChromium(): string | undefined {
  const candidates = [
    process.env["CHROMIUM_PATH"],
    "/usr/bin/chromium",
    "/usr/bin/google-chrome",
    chromium.executablePath(),
  ];
  return candidates.find((path) => path !== undefined && path !== "" && existsSync(path));
}

/** As findChromium, but throws if there is none: no test is skipped silently. */
export function chromiumPath(): string {
  const path = findChromium();
  if (path === undefined)
    throw new Error("No Chromium found. Run `npm test`, which installs it, or set CHROMIUM_PATH.");
  return path;
}
