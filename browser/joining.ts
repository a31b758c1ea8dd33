/**
 * How the page gets its node: it reads the invite, starts the node, and connects the page to it; without an invite it
 * asks for one. With all its imports this is most of the page's code, and is loaded separately from terminal and
 * prompt.
 */
import { StarfishError } from "../core/base/errors.ts";
import { friendlyName } from "../core/net/identity/names.ts";
import { formatInvite, parseInvite } from "../core/net/identity/invite.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { bootstrapAddress } from "./bootstrap.ts";
import { watchContact } from "./contact.ts";
import { keepPage } from "./keep-page.ts";
import { fetchLater } from "./later.ts";
import { followLife } from "./life.ts";
import { LendingPolicy } from "./lending.ts";
import {
  forgetful,
  inUse,
  lostContact,
  nobodyAnswers,
  refused,
  storageCleared,
  storageFull,
  unprotected,
  whyNotStarted,
} from "./problems.ts";
import { protection, tellOnce } from "./protection.ts";
import { keepInvite } from "./settings.ts";
import { StorageCap } from "./storage-cap.ts";
import { locks } from "./tab-locks.ts";
import { startTabNode, type TabNode } from "./tab-node.ts";
import { ComputerViews } from "./ui/computer-views.ts";
import { openDoor, type Entrance } from "./ui/door.ts";
import { LendControl } from "./ui/lend.ts";
import { showNotice, type Notice } from "./ui/notice.ts";
import type { Page } from "./ui/page.ts";

/** A node that is being started. */
export interface Launched {
  /** The invite that brought the tab here; undefined if the tab founds a swarm. */
  readonly text: string | undefined;
  readonly node: Promise<TabNode>;
}

/** A notice about contact replaces the one before; any other stays until its person closes it. */
let aboutContact: Notice | undefined;
function tellContact(notice: Notice | undefined): void {
  if (notice === undefined && aboutContact === undefined) return;
  // The same notice again (each attempt is refused alike) would only disturb.
  if (notice?.title === aboutContact?.title) return;
  aboutContact = notice;
  showNotice(notice);
}

/**
 * Hides the invite in the address bar: whoever sees the screen, or gets the page's address or a screenshot, could join
 * with it.
 */
function hideInvite(text: string): void {
  if (location.hash.slice(1) === text) history.replaceState(history.state, "", location.pathname + location.search);
}

/** Starts a node and dials; without an invite it founds a swarm. Throws "bad-invite" or "version-mismatch". */
export function launch(text: string | undefined): Launched {
  const node = startTabNode({
    root: document.baseURI,
    invite: text === undefined ? undefined : parseInvite(realCrypto, text),
    onRefused: (code, message) => tellContact(refused(code, message)),
    onStorage: (trouble) => showNotice(trouble === "cleared" ? storageCleared : storageFull),
  });
  // `follow` reports the error, when the page can show it.
  node.catch(() => {});
  return { text, node };
}

/** Connects the page to the node, once it has started. Rejects with errors for which problems.ts has words. */
export async function follow(page: Page, { text, node }: Launched): Promise<void> {
  if (text !== undefined) page.swarm = friendlyName(parseInvite(realCrypto, text).swarm);
  bringToLife(page, await node, text);
}

/**
 * For a person without an invite, or with an invalid one (`trouble` says why): asks for one, or founds a swarm here.
 */
export function openEntrance(page: Page, trouble: unknown, fail: (error: unknown) => void): void {
  page.fail(new StarfishError("not-a-member", "This tab is in no swarm yet: paste an invite link above, or start one"));
  page.status.say("Not connected");
  const found = (): void => {
    showNotice(undefined);
    page.status.say("Starting…");
    page.shell.hope();
    follow(page, launch(undefined)).catch(fail);
  };
  openDoor(trouble === undefined ? undefined : whyNotStarted(trouble), (choice) => {
    if (choice === "found") found();
    else if ("link" in choice) location.href = choice.link;
    else enter(choice);
  });
}

/** For somebody who comes with a code: fetches what it is for, and starts no node. */
export async function openFetch(page: Page, text: string): Promise<void> {
  page.fail(new StarfishError("not-a-member", "This tab is in no swarm: it fetches what a code is for, above"));
  page.status.say("Not connected");
  const { showFetch } = await import("./ui/fetch-view.ts");
  await showFetch(text);
}

/** Loads the page anew with this invite in its link, as if the link had been opened. */
function enter({ invite, base }: Entrance): void {
  const address = base !== undefined && URL.canParse(base) ? bootstrapAddress(new URL(base)) : undefined;
  const addresses = address === undefined ? invite.addresses : [...new Set([address, ...invite.addresses])];
  location.hash = formatInvite(realCrypto, { ...invite, addresses });
}

/**
 * Connects the page to the node. `text` is the invite that brought the tab here; a tab that founded a swarm makes one.
 */
function bringToLife(page: Page, node: TabNode, text: string | undefined): void {
  const { computer } = node;
  const invite = text ?? computer.net.invite();
  const swarm = friendlyName(computer.net.swarm);
  const isKept = keepInvite(invite);
  if (protection() !== "none") {
    if (node.forgetful) showNotice(forgetful);
  } else if (tellOnce()) {
    showNotice(unprotected);
  }
  // For programs, and for the developer tools: docs/memory.md.
  Object.assign(globalThis, { starfish: computer });
  const cap = new StorageCap(computer.storage);
  const views = new ComputerViews(page, computer, { swarm, tasksRun: node.tasksRun, cap });
  const control = new LendControl((cores) => lending.choose(cores));
  const lending = new LendingPolicy(computer.cpu, locks, (state) => control.update(state));
  followLife(computer);
  computer.net.onTwin((twin) => showNotice(inUse(twin)));
  if (text === undefined) views.sayWhoIsHere();
  watchContact(views.model, {
    joined: () => {
      tellContact(undefined);
      if (isKept) hideInvite(invite);
      if (text !== undefined) views.sayWhoIsHere();
      fetchLater(keepPage(document.baseURI));
    },
    nobody: () => {
      // A person whose tab was refused has seen a better notice; a tab that founded a swarm waits for nobody.
      if (aboutContact === undefined && text !== undefined) tellContact(nobodyAnswers);
    },
    lost: () => tellContact(lostContact),
    back: () => tellContact(undefined),
  });
}
