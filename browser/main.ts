/**
 * The page's life, in order: terminal and prompt at once; then what this browser lacks, if anything; then the node, which
 * is loaded apart (network and computer are most of the code) and brings everything on the page to life.
 */
import { StarfishError } from "../core/base/errors.ts";
import { friendlyName } from "../core/net/identity/names.ts";
import { parseInvite, type Invite } from "../core/net/identity/invite.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { watchContact } from "./contact.ts";
import { watchFaults } from "./faults.ts";
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
import { LendControl } from "./ui/lend.ts";
import { showNotice, type Notice } from "./ui/notice.ts";
import { Page } from "./ui/page.ts";

watchFaults();
const page = new Page();

/** The invite in the link, or the one that brought this browser here before. Throws "bad-invite" or "version-mismatch". */
function findInvite(): { text: string; invite: Invite } {
  const fragment = location.hash.slice(1);
  const text = fragment === "" ? keptInvite() : fragment;
  const invite = parseInvite(realCrypto, text ?? "");
  return { text: text ?? "", invite };
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

async function start(): Promise<void> {
  const missing = missingHere();
  if (missing !== undefined) {
    page.open(undefined);
    page.fail(new StarfishError("unsupported", missing.title));
    return showNotice(missing);
  }
  const { text, invite } = findInvite();
  const swarm = friendlyName(invite.swarm);
  page.open(swarm);
  const { startTabNode } = await import("./tab-node.ts");
  const node = await startTabNode({
    invite,
    onRefused: (code, message) => tellContact(refused(code, message)),
    onStorage: (trouble) => showNotice(trouble === "cleared" ? storageCleared : storageFull),
  });
  const isKept = keepInvite(text);
  if (protection() !== "none") {
    if (node.forgetful) showNotice(forgetful);
  } else if (tellOnce()) {
    showNotice(unprotected);
  }

  const { computer } = node;
  // For programs, and for whoever opens the developer tools: docs/memory.md.
  Object.assign(globalThis, { starfish: computer });
  const cap = new StorageCap(computer.storage);
  const model = page.follow(computer, { swarm, tasksRun: node.tasksRun, cap });
  const control = new LendControl((cores) => lending.choose(cores));
  const lending = new LendingPolicy(computer.cpu, locks, (state) => control.update(state));
  watchContact(model, {
    joined: () => {
      tellContact(undefined);
      if (isKept) hideInvite(text);
      page.sayWhoIsHere();
      fetchLater();
    },
    nobody: () => {
      // Who was refused knows more than that.
      if (aboutContact === undefined) tellContact(nobodyAnswers);
    },
    lost: () => tellContact(lostContact),
    back: () => tellContact(undefined),
  });
  followLife(computer);
  computer.net.onTwin((twin) => showNotice(inUse(twin)));
}

// Another link in the same tab is another swarm, or a mended key.
addEventListener("hashchange", () => location.reload());

start().catch((error: unknown) => {
  if (!page.opened) page.open(undefined);
  page.fail(error);
  page.status.say("Not connected");
  showNotice(whyNotStarted(error));
});
