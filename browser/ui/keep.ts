/** "Keep up to 2 GB for the others": asked once, where it is visible; changed later beside the space of the files. */
import type { StorageCap } from "../storage-cap.ts";
import { byId } from "./dom.ts";
import { shortBytes } from "./files/words.ts";

export function connectKeep(cap: StorageCap): void {
  const button = byId("keep-button", HTMLButtonElement);
  const forTheOthers = document.createElement("span");
  forTheOthers.textContent = "\u00a0for the others";
  const show = (): void => {
    button.hidden = cap.chosenBytes !== undefined || cap.allowedBytes === 0;
    // The second half is left out if there is no room for it.
    button.replaceChildren(`Keep up to ${shortBytes(cap.allowedBytes)}`, forTheOthers);
    button.ariaLabel = `Keep up to ${shortBytes(cap.allowedBytes)} for the others`;
    button.title = cap.heldBack === undefined ? "" : `Not now: ${cap.heldBack}`;
    button.disabled = cap.heldBack !== undefined;
  };
  button.addEventListener("click", () => cap.choose(cap.allowedBytes));
  cap.onChange(show);
  show();
}
