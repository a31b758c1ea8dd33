/**
 * The page's start, in order. The node's code is loaded and dials. While the network answers, terminal and prompt are
 * drawn. Then the page is connected to the node (joining.ts). Without an invite the page says what Starfish is, and
 * asks for one.
 */
import { isStarfishError, StarfishError } from "../core/base/errors.ts";
import { noteFault, watchFaults } from "./faults.ts";
import type { Launched } from "./joining.ts";
import { missingHere, whyNotStarted } from "./problems.ts";
import { keptInvite } from "./settings.ts";
import { showNotice } from "./ui/notice.ts";
import { Page } from "./ui/page.ts";

watchFaults();

/** How long the terminal waits for the node's code, which is being loaded already: dialling comes before drawing. */
const DIAL_FIRST_MS = 60;

/** The invite in the link, or the one that brought this browser here before. */
function inviteText(): string | undefined {
  const fragment = location.hash.slice(1);
  return fragment === "" ? keptInvite() : fragment;
}

/** The code in the link, of something that is fetched without joining anything. */
function codeText(): string | undefined {
  return location.hash.startsWith("#code=") ? location.hash.slice(1) : undefined;
}

async function start(): Promise<void> {
  const missing = missingHere();
  if (missing !== undefined) {
    const page = new Page();
    page.open("apart");
    page.fail(new StarfishError("unsupported", missing.title));
    return showNotice(missing);
  }
  const code = codeText();
  const text = code === undefined ? inviteText() : undefined;
  const joining = import("./joining.ts");
  const launched = text === undefined ? undefined : joining.then(({ launch }) => launch(text));
  const waited = new Promise((resolve) => setTimeout(resolve, launched === undefined ? 0 : DIAL_FIRST_MS));
  // A failure is reported below, when there is a page to show it on.
  joining.catch(() => {});
  await Promise.race([launched, waited]).catch(() => {});
  const page = new Page();
  page.open(text === undefined ? "apart" : "joining");
  try {
    if (code !== undefined) await (await joining).openFetch(page, code);
    else await enterSwarm(page, await joining, launched);
  } catch (error) {
    fail(page, error);
  }
}

async function enterSwarm(
  page: Page,
  { follow, openEntrance }: typeof import("./joining.ts"),
  launched: Promise<Launched> | undefined,
): Promise<void> {
  const tell = (error: unknown): void => fail(page, error);
  if (launched === undefined) return openEntrance(page, undefined, tell);
  let node: Launched;
  try {
    node = await launched;
  } catch (error) {
    if (isStarfishError(error, "bad-invite")) return openEntrance(page, error, tell);
    throw error;
  }
  await follow(page, node);
}

function fail(page: Page, error: unknown): void {
  page.fail(error);
  page.status.say("Not connected");
  showNotice(whyNotStarted(error));
}

// Another link in the same tab means another swarm, or a corrected key.
addEventListener("hashchange", () => location.reload());

start().catch(noteFault);
