/**
 * The types of what a page's program gets from /starfish.js. `openComputer` gives the computer of the page at `/`,
 * without its terminal and views. In Node.js the function of that name comes from the package (node/index.ts).
 *
 *     import { openComputer } from "/starfish.js";
 *     const { sql, memory } = await openComputer();
 */
import type { StarfishError } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";

export type { Computer } from "../core/computer.ts";

export interface OpenComputerOptions {
  /**
   * The invite of a swarm: its link, or the part of it after the `#`. Default: the one in the link of this page, else
   * the one with which a tab of this browser came here before. It is remembered, and taken out of the address bar once
   * the tab has met another member with it.
   */
  readonly invite?: string | undefined;
  /**
   * Called with what hinders this tab while it runs: a member refuses it ("version-mismatch", "not-a-member", …), the
   * browser has cleared its storage ("io") or has no room for more ("full"), or another tab has its identity
   * ("in-use"). Without it these errors go to the console.
   */
  readonly onTrouble?: ((error: StarfishError) => void) | undefined;
}

/**
 * Makes this tab a node of the swarm. Resolves when the computer can be read and written: after a second or two if
 * others are there, after ten if nobody answers. It resolves at once if the tab has data from before; then a write may
 * reject with "clock" for ten seconds, with the remark that it may be tried again. `computer.net.members()` tells who
 * can be reached. A tab is one node, so a second call returns the same computer. It stores and computes for others as
 * much as the person has chosen on the node's own page, which is nothing at first.
 *
 * Rejects with "bad-invite" (there is none, or it admits nobody), "version-mismatch", "bad-certificate" (it has
 * expired), "busy" (too many tabs), "io".
 */
export declare function openComputer(options?: OpenComputerOptions): Promise<Computer>;
