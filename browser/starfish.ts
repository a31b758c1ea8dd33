/**
 * Starfish for programs in a page, served as /starfish.js; open-computer.ts says what it promises. It shares its code
 * with the page at `/` (what both load is a file of its own), and also the browser's storage. So a tab of an app takes
 * its number, and with it its identity, from the same sequence as the tabs of that page.
 */
import { StarfishError } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";
import { inviteIn } from "../core/net/identity/invite-text.ts";
import { parseInvite } from "../core/net/identity/invite.ts";
import { timeKnown } from "../core/net/time/known.ts";
import { realCrypto } from "../core/platform/crypto.ts";
import { keepApp } from "./keep-page.ts";
import { LendingPolicy } from "./lending.ts";
import { followLife } from "./life.ts";
import type { openComputer as Open, OpenComputerOptions } from "./open-computer.ts";
import { keepInvite, keptInvite } from "./settings.ts";
import { StorageCap } from "./storage-cap.ts";
import { locks } from "./tab-locks.ts";
import { startTabNode } from "./tab-node.ts";

/**
 * This file is beside the page of the node, wherever the app is. The expression is not written inline, because the
 * bundler would look for a file.
 */
const own = import.meta.url;
const root = new URL(".", own).href;

let opened: Promise<Computer> | undefined;

export const openComputer: typeof Open = (options = {}) => {
  opened ??= open(options).catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
};

async function open({ invite, onTrouble = tell }: OpenComputerOptions): Promise<Computer> {
  const text = invite ?? inviteInLink() ?? keptInvite();
  if (text === undefined) {
    throw new StarfishError("bad-invite", "This page needs an invite link. Whoever is in the swarm can send one");
  }
  const { computer } = await startTabNode({
    root,
    invite: parseInvite(realCrypto, text),
    onRefused: (code, message) => onTrouble(new StarfishError(code, message)),
    onStorage: (trouble) => onTrouble(trouble === "cleared" ? cleared() : full()),
  });
  computer.net.onTwin(({ message }) => onTrouble(new StarfishError("in-use", message)));
  // The person's choices in this browser hold for apps too.
  void new StorageCap(computer.storage);
  void new LendingPolicy(computer.cpu, locks, () => {});
  followLife(computer);
  const isKept = keepInvite(text);
  onceInCompany(computer, () => {
    // Whoever sees the address, or is sent it, could join with it.
    if (isKept && location.hash.slice(1) === text)
      history.replaceState(history.state, "", location.pathname + location.search);
    void keepApp(root);
  });
  // Another link in the same tab means another swarm, or a corrected key.
  addEventListener("hashchange", () => {
    if (inviteInLink() !== undefined) location.reload();
  });
  // A tab that was here before has something to show at once.
  if (computer.sql.stat().entries + computer.memory.count() === 0) await timeKnown(computer.net, computer.clock);
  return computer;
}

/** The fragment, if it is an invite; it may also be a place in the app. */
function inviteInLink(): string | undefined {
  return inviteIn(location.hash) === undefined ? undefined : location.hash.slice(1);
}

function onceInCompany({ net }: Computer, act: () => void): void {
  const stop = net.onMember(() => look());
  const look = (): void => {
    if (!net.members().some(({ isSelf, status }) => !isSelf && status === "awake")) return;
    stop();
    act();
  };
  look();
}

function tell(error: StarfishError): void {
  console.error(`Starfish: ${error.message} (${error.code})`);
}

function cleared(): StarfishError {
  return new StarfishError("io", "This page's storage was cleared: nothing is kept here any more. Reload the page");
}

function full(): StarfishError {
  return new StarfishError("full", "The browser's storage is full: free some space on this device");
}
