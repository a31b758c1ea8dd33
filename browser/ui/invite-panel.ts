/** The invite as a link and a QR code, to copy, share or scan. Loaded when it is first asked for. */
import { messageOf } from "../../core/base/errors.ts";
import { isLocalLink } from "../../core/net/identity/invite-link.ts";
import { byId, setText, svg } from "./dom.ts";

let isConnected = false;

/** `link` is called each time, because bootstrap addresses change. It may throw, in words for people. */
export function showInvite(link: () => string): void {
  if (!isConnected) connect();
  isConnected = true;
  show(link);
}

function connect(): void {
  const dialog = byId("invite", HTMLDialogElement);
  const field = byId("invite-link", HTMLInputElement);
  const share = byId("invite-share", HTMLButtonElement);
  byId("invite-close", HTMLButtonElement).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  field.addEventListener("focus", () => field.select());
  byId("invite-copy", HTMLButtonElement).addEventListener("click", () => void copy());
  share.hidden = typeof navigator.share !== "function";
  share.addEventListener("click", () => {
    // Closing the sheet without sharing rejects, which is no error.
    navigator.share({ title: "Starfish", url: field.value }).catch(() => {});
  });
}

function show(link: () => string): void {
  const field = byId("invite-link", HTMLInputElement);
  const note = byId("invite-note", HTMLElement);
  const code = byId("invite-code", HTMLElement);
  code.replaceChildren();
  try {
    field.value = link();
    const isLocal = isLocalLink(field.value);
    setText(note, isLocal ? ONLY_HERE : "");
    // A phone that reads this link would look for the swarm on itself.
    if (!isLocal) void showCode(code, field.value);
  } catch (error) {
    field.value = "";
    setText(note, messageOf(error));
  }
  byId("invite", HTMLDialogElement).showModal();
}

/** The link is there at once; the code that draws the QR code is loaded when first needed. */
async function showCode(code: HTMLElement, link: string): Promise<void> {
  try {
    const { encode } = await import("uqr");
    code.replaceChildren(drawCode(encode(link, { ecc: "L", border: 0 }).data));
  } catch (error) {
    setText(byId("invite-note", HTMLElement), `There is no QR code: ${messageOf(error)}`);
  }
}

async function copy(): Promise<void> {
  const field = byId("invite-link", HTMLInputElement);
  const note = byId("invite-note", HTMLElement);
  try {
    await navigator.clipboard.writeText(field.value);
    setText(note, "Copied.");
  } catch {
    field.select();
    // Pages without a secure context have no clipboard, but the old way still works.
    const isCopied = document.execCommand("copy");
    setText(note, isCopied ? "Copied." : "The browser does not let the page copy. The link is selected: press Ctrl+C.");
  }
}

const ONLY_HERE =
  "This address works on this machine only: start the node with --host 0.0.0.0 to let other devices in.";

/** Dark modules as one path: a thousand rectangles would show seams. */
function drawCode(modules: readonly (readonly boolean[])[]): SVGSVGElement {
  const image = svg("svg", { viewBox: `0 0 ${modules.length} ${modules.length}`, "shape-rendering": "crispEdges" });
  let d = "";
  modules.forEach((row, y) => row.forEach((dark, x) => (d += dark ? `M${x} ${y}h1v1h-1z` : "")));
  image.append(svg("path", { d }));
  return image;
}
