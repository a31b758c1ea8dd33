/** What can prevent a tab from working, in words: what happened, whether anything was lost, what to do. */
import { isStarfishError, messageOf, type ErrorCode } from "../core/base/errors.ts";
import type { Twin } from "../core/net/types.ts";
import type { Notice } from "./ui/notice.ts";

const reload = { label: "Reload", run: () => location.reload() };

/** What this browser lacks to be a node at all; undefined if nothing. */
export function missingHere(): Notice | undefined {
  if (typeof WebAssembly === "undefined" || typeof Worker === "undefined") {
    return {
      title: "This browser is too old to be a node",
      words: [
        "Starfish needs Chrome or Edge 133, Firefox 135, Safari 18.4, or anything newer.",
        "Update it and open the link again.",
      ],
    };
  }
  return undefined;
}

/** No IndexedDB: some private windows, or storage is switched off. The tab works, but as a new node each time. */
export const forgetful: Notice = {
  title: "This tab will be forgotten",
  words: [
    "The browser lets this page store nothing (a private window, perhaps), so this tab is a new node each time it is opened.",
    "Everything else works. To be remembered, allow storage for this site or use a normal window.",
  ],
  closable: true,
};

/**
 * Plain http from another machine. The missing functions are replaced; but anybody in between could have changed the
 * page.
 */
export const unprotected: Notice = {
  title: "This page came unprotected",
  words: [
    "It came by plain http from another machine: whoever runs the network in between could have changed it, and so be in the swarm with you. What nodes say to each other is encrypted all the same.",
    "So this tab stores nothing on this device and is a new node each time it is opened. Everything else works. Protected are pages by https: start the node with --tls self.",
  ],
  closable: true,
};

/** Another node has the same identity, for example because a browser profile was copied. */
export function inUse({ givesWay, message }: Twin): Notice {
  return {
    title: givesWay ? "This tab has ended: it runs elsewhere too" : "This tab runs elsewhere too",
    words: [
      message,
      givesWay
        ? "Nothing was lost. Clear this site's data in the browser and open an invite link: it is a new node then."
        : "This one goes on.",
    ],
    closable: !givesWay,
  };
}

/** Somebody has cleared the page's storage while it was open. */
export const storageCleared: Notice = {
  title: "This page's storage was cleared",
  words: [
    "This tab's identity is gone from this browser, and what it kept of the swarm's files. The others still have theirs.",
    "Nothing that you put or change here would be kept, so it is refused. Reload the page, or open your invite link again: " +
      "the tab becomes a new node.",
  ],
  actions: [reload],
};

export const storageFull: Notice = {
  title: "The browser's storage is full",
  words: [
    "This tab still reads and passes on, but stores nothing new until there is room. What it has stays.",
    "Free some space on this device, or close other tabs of Starfish.",
  ],
  closable: true,
};

/** Why the tab did not become a node. */
export function whyNotStarted(error: unknown): Notice {
  const code: ErrorCode | undefined = isStarfishError(error) ? error.code : undefined;
  const words = WORDS[code ?? "closed"] ?? {
    title: "This tab could not become a node",
    words: ["Nothing was lost. Reload the page. If that does not help, the details below may."],
  };
  // Loading a bad link again does not help; the message says what is wrong with it.
  if (code === "bad-invite") return { title: words.title, words: [sentence(messageOf(error)), ...words.words] };
  return { title: words.title, words: words.words, detail: messageOf(error), actions: [reload] };
}

const WORDS: Partial<Record<ErrorCode, Pick<Notice, "title" | "words">>> = {
  "bad-invite": {
    title: "This link does not let you in",
    words: ["Nothing was lost. Whoever sent it can make a new one with the command invite."],
  },
  "bad-certificate": {
    title: "This tab's membership has run out",
    words: [
      "Nothing was lost. Ask somebody in the swarm for a new link and open it here: this tab stays the node that it was.",
    ],
  },
  "not-a-member": {
    title: "The swarm does not let this tab in",
    words: [
      "Its members say that this tab's membership is no longer valid. Ask one of them for a new link. Nothing here was lost.",
    ],
  },
  "wrong-swarm": {
    title: "Another swarm lives here",
    words: ["The node at this address belongs to another swarm than your link. Ask for a link to the one you want."],
  },
  "version-mismatch": {
    title: "This page is of another version than the swarm",
    words: [
      "Nothing was lost, and nobody did anything wrong. Reloading gets the version of the node that serves the page.",
    ],
  },
  busy: {
    title: "Too many tabs",
    words: ["Each tab is a node of its own. Close some tabs of Starfish and reload."],
  },
  io: {
    title: "The browser's storage failed",
    words: ["This tab keeps its identity there. Make room or allow storage for this site, then reload."],
  },
};

export const lostContact: Notice = {
  title: "No contact with the swarm",
  words: [
    "This tab has no link to anybody now: the network may be down, or the others have gone. Nothing was lost.",
    "It is dialling the node that this page came from, all others that it knows, and the other tabs of this browser, again and again. What you run meanwhile runs on this tab alone.",
  ],
  closable: true,
};

export const nobodyAnswers: Notice = {
  title: "Nobody of this swarm answers yet",
  words: [
    "The link is good, but none of the addresses in it answers. Perhaps they are asleep or on another network.",
    "This tab keeps trying; you can leave it open. What you run meanwhile runs on this tab alone.",
  ],
  closable: true,
};

/** A member has refused this node, and has told the reason. */
export function refused(code: ErrorCode, message: string): Notice {
  const words = WORDS[code] ?? {
    title: "The swarm does not take this tab",
    words: ["It keeps trying. Nothing was lost."],
  };
  return { ...words, detail: message, actions: code === "version-mismatch" ? [reload] : [], closable: true };
}

function sentence(words: string): string {
  return /[.!?]$/.test(words) ? words : `${words}.`;
}
