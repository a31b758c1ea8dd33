/**
 * The page's life, in order: the node is loaded and dials; while the network answers, terminal and prompt are drawn; then the
 * node brings everything on the page to life. Without an invite the page says what Starfish is, and asks for one.
 */
import { isStarfishError, StarfishError } from "../core/base/errors.ts";
import { friendlyName } from "../core/net/identity/names.ts";
import { formatInvite, parseInvite, type Invite } from "../core/net/identity/invite.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { bootstrapAddress } from "./bootstrap.ts";
import { watchContact } from "./contact.ts";
import { noteFault, watchFaults } from "./faults.ts";
import { fetchLater } from "./later.ts";
import { followLife } from "./life.ts";
import { LendingPolicy } from "./lending.ts";
import {
  forgetful,
  inUse,
  lostContact,
  missingHere,
  nobodyAnswers,
  refused,
  storageCleared,
  storageFull,
  unprotected,
  whyNotStarted,
} from "./problems.ts";
import { protection, tellOnce } from "./protection.ts";
import { keepInvite, keptInvite } from "./settings.ts";
import { StorageCap } from "./storage-cap.ts";
import { locks } from "./tab-locks.ts";
import type { TabNode } from "./tab-node.ts";
import { openDoor, type Entrance } from "./ui/door.ts";
import { LendControl } from "./ui/lend.ts";
import { showNotice, type Notice } from "./ui/notice.ts";
import { Page } from "./ui/page.ts";

watchFaults();

/** How long the terminal waits for the node's code, which is on its way already: to dial comes before drawing. */
const DIAL_FIRST_MS = 60;

interface Found {
  readonly text: string;
  readonly invite: Invite;
}

/**
 * The invite in the link, or the one that brought this browser here before; undefined where there is none. Throws "bad-invite"
 * or "version-mismatch".
 */
function findInvite(): Found | undefined {
  const fragment = location.hash.slice(1);
  const text = fragment === "" ? keptInvite() : fragment;
  return text === undefined ? undefined : { text, invite: parseInvite(realCrypto, text) };
}

/** Notices about contact give way to each other; any other stays until its person closes it. */
let aboutContact: Notice | undefined;
function tellContact(notice: Notice | undefined): void {
  if (notice === undefined && aboutContact === undefined) return;
  // The same again (each attempt is refused alike) would only disturb.
  if (notice?.title === aboutContact?.title) return;
  aboutContact = notice;
  showNotice(notice);
}

/** Whoever looks at the screen, or gets the page's address or a picture of it, would be let in by what stands there. */
function hideInvite(text: string): void {
  if (location.hash.slice(1) === text) history.replaceState(history.state, "", location.pathname + location.search);
}

/** Loads the node and starts it. Without an invite it founds a swarm. */
async function launch(invite: Invite | undefined): Promise<TabNode> {
  const { startTabNode } = await import("./tab-node.ts");
  return await startTabNode({
    invite,
    onRefused: (code, message) => tellContact(refused(code, message)),
    onStorage: (trouble) => showNotice(trouble === "cleared" ? storageCleared : storageFull),
  });
}

/** What can be known before anything is drawn. */
function begin(): { readonly found: Found | undefined; readonly trouble: unknown } {
  const missing = missingHere();
  if (missing !== undefined) return { found: undefined, trouble: new StarfishError("unsupported", missing.title) };
  try {
    return { found: findInvite(), trouble: undefined };
  } catch (error) {
    return { found: undefined, trouble: error };
  }
}

async function start(): Promise<void> {
  const { found, trouble } = begin();
  const launched = found === undefined ? undefined : launch(found.invite);
  // It is told below, when there is where to tell it.
  launched?.catch(() => {});
  await Promise.race([launched, new Promise((resolve) => setTimeout(resolve, launched ? DIAL_FIRST_MS : 0))]).catch(
    () => {},
  );
  const page = new Page();
  const swarm = found === undefined ? undefined : friendlyName(found.invite.swarm);
  page.open(swarm);
  try {
    if (launched !== undefined && found !== undefined) return follow(page, await launched, found.text);
  } catch (error) {
    return fail(page, error);
  }
  const missing = missingHere();
  if (missing !== undefined) {
    page.fail(trouble);
    return showNotice(missing);
  }
  if (trouble !== undefined && !(isStarfishError(trouble) && trouble.code === "bad-invite")) return fail(page, trouble);
  page.fail(new StarfishError("not-a-member", "This tab is in no swarm yet: paste an invite link above, or start one"));
  page.status.say("Not connected");
  openDoor(trouble === undefined ? undefined : whyNotStarted(trouble), (choice) => {
    if (choice !== "found") return enter(choice);
    showNotice(undefined);
    page.status.say("Starting…");
    launch(undefined).then(
      (node) => follow(page, node, undefined),
      (error: unknown) => fail(page, error),
    );
  });
}

/** Loads the page anew with this invite in its link, as if the link had been opened. */
function enter({ invite, base }: Entrance): void {
  const address = base !== undefined && URL.canParse(base) ? bootstrapAddress(new URL(base)) : undefined;
  const addresses = address === undefined ? invite.addresses : [...new Set([address, ...invite.addresses])];
  location.hash = formatInvite(realCrypto, { ...invite, addresses });
}

function fail(page: Page, error: unknown): void {
  page.fail(error);
  page.status.say("Not connected");
  showNotice(whyNotStarted(error));
}

/** Brings the page to life. `text` is the invite that brought the tab here; who founded a swarm makes one. */
function follow(page: Page, node: TabNode, text: string | undefined): void {
  const { computer } = node;
  const invite = text ?? computer.net.invite();
  const swarm = friendlyName(computer.net.swarm);
  const isKept = keepInvite(invite);
  if (protection() !== "none") {
    if (node.forgetful) showNotice(forgetful);
  } else if (tellOnce()) {
    showNotice(unprotected);
  }
  // For programs, and for whoever opens the developer tools: docs/memory.md.
  Object.assign(globalThis, { starfish: computer });
  const cap = new StorageCap(computer.storage);
  const model = page.follow(computer, { swarm, tasksRun: node.tasksRun, cap });
  const control = new LendControl((cores) => lending.choose(cores));
  const lending = new LendingPolicy(computer.cpu, locks, (state) => control.update(state));
  followLife(computer);
  computer.net.onTwin((twin) => showNotice(inUse(twin)));
  if (text === undefined) page.sayWhoIsHere();
  watchContact(model, {
    joined: () => {
      tellContact(undefined);
      if (isKept) hideInvite(invite);
      if (text !== undefined) page.sayWhoIsHere();
      fetchLater();
    },
    nobody: () => {
      // Who was refused knows more than that; who has founded a swarm awaits nobody.
      if (aboutContact === undefined && text !== undefined) tellContact(nobodyAnswers);
    },
    lost: () => tellContact(lostContact),
    back: () => tellContact(undefined),
  });
}

// Another link in the same tab is another swarm, or a mended key.
addEventListener("hashchange", () => location.reload());

start().catch(noteFault);
