/**
 * How the page gets its node: reads the invite, starts the node, and brings everything on the page to life; or asks who has
 * no invite for one. With all that it imports it is most of the page's code, and is loaded apart from terminal and prompt.
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
  /** The invite that brought the tab here; undefined for who founds a swarm. */
  readonly text: string | undefined;
  readonly node: Promise<TabNode>;
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

/** Starts a node and dials; without an invite it founds a swarm. Throws "bad-invite" or "version-mismatch". */
export function launch(text: string | undefined): Launched {
  const node = startTabNode({
    root: document.baseURI,
    invite: text === undefined ? undefined : parseInvite(realCrypto, text),
    onRefused: (code, message) => tellContact(refused(code, message)),
    onStorage: (trouble) => showNotice(trouble === "cleared" ? storageCleared : storageFull),
  });
  // It is told by `follow`, when there is where to tell it.
  node.catch(() => {});
  return { text, node };
}

/** Shows the node on the page, once it has started. Rejects with what problems.ts has words for. */
export async function follow(page: Page, { text, node }: Launched): Promise<void> {
  if (text !== undefined) page.swarm = friendlyName(parseInvite(realCrypto, text).swarm);
  bringToLife(page, await node, text);
}

/** For who has no invite, or one of which `trouble` says what is wrong: asks for one, or founds a swarm here. */
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

/** For who comes with a code: fetches what it is for, and starts no node. */
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

/** Brings the page to life. `text` is the invite that brought the tab here; who founded a swarm makes one. */
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
  // For programs, and for whoever opens the developer tools: docs/memory.md.
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
      fetchLater();
      keepPage(document.baseURI);
    },
    nobody: () => {
      // Who was refused knows more than that; who has founded a swarm awaits nobody.
      if (aboutContact === undefined && text !== undefined) tellContact(nobodyAnswers);
    },
    lost: () => tellContact(lostContact),
    back: () => tellContact(undefined),
  });
}
