/**
 * What a page's program gets from /starfish.js, as types: `openComputer` is the computer of the page at `/`, without its
 * terminal and views. In Node the call of that name comes from the package (node/index.ts).
 *
 *     import { openComputer } from "/starfish.js";
 *     const { sql, memory } = await openComputer();
 */
import type { StarfishError } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";

export type { Computer } from "../core/computer.ts";

export interface OpenComputerOptions {
  /**
   * The invite of a swarm: its link, or what stands behind the `#`. Default: the one in the link of this page, else the one
   * that brought a tab of this browser here before. It is remembered, and taken out of the address bar once it has led to
   * another member.
   */
  readonly invite?: string | undefined;
  /**
   * What stands in this tab's way while it runs: a member turns it away ("version-mismatch", "not-a-member", …), the browser
   * has cleared what it kept ("io") or has no room for more ("full"), another tab has its identity ("in-use"). The console
   * gets them unless it is given.
   */
  readonly onTrouble?: ((error: StarfishError) => void) | undefined;
}

/**
 * Makes this tab a node of the swarm. Resolves when it can be read and written: in a second or two where others are, after ten
 * where nobody answers; at once where the tab has something from before (then a write may reject with "clock" for ten seconds, and
 * says that it may be tried again). Who can be reached shows in `computer.net.members()`. A tab is one node, so a second call gives the same computer. It keeps and computes for others
 * what the person has chosen on the node's own page, which is nothing before they have.
 *
 * Rejects with "bad-invite" (there is none, or it lets nobody in), "version-mismatch", "bad-certificate" (run out), "busy"
 * (too many tabs), "io".
 */
export declare function openComputer(options?: OpenComputerOptions): Promise<Computer>;
