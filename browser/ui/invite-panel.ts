/** The invite as link and QR code, to copy, share or scan. The code is drawn when it is asked for. */
import { messageOf } from "../../core/base/errors.ts";
import { byId, setText } from "./dom.ts";

export class InvitePanel {
  readonly #dialog = byId("invite", HTMLDialogElement);
  readonly #link = byId("invite-link", HTMLInputElement);
  readonly #note = byId("invite-note", HTMLElement);

  /** `link` is asked for anew each time: bootstrap addresses change. It may throw, in words for people. */
  constructor(link: () => string) {
    const open = byId("invite-open", HTMLButtonElement);
    const copy = byId("invite-copy", HTMLButtonElement);
    const share = byId("invite-share", HTMLButtonElement);
    open.disabled = false;
    open.addEventListener("click", () => void this.#open(link));
    byId("invite-close", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    this.#link.addEventListener("focus", () => this.#link.select());
    copy.addEventListener("click", () => void this.#copy());
    share.hidden = typeof navigator.share !== "function";
    share.addEventListener("click", () => {
      // Closing the sheet without sharing rejects, and is fine.
      navigator.share({ title: "Starfish", url: this.#link.value }).catch(() => {});
    });
  }

  async #open(link: () => string): Promise<void> {
    setText(this.#note, "");
    const code = byId("invite-code", HTMLElement);
    try {
      this.#link.value = link();
    } catch (error) {
      this.#link.value = "";
      code.replaceChildren();
      setText(this.#note, messageOf(error));
    }
    this.#dialog.showModal();
    if (this.#link.value === "") return;
    setText(this.#note, onlyHere(this.#link.value) ? "This address works on this machine only: start the node with --host to let other devices in." : "");
    const { encode } = await import("uqr");
    code.replaceChildren(drawCode(encode(this.#link.value, { ecc: "L", border: 0 }).data));
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#link.value);
      setText(this.#note, "Copied.");
    } catch {
      this.#link.select();
      setText(this.#note, "The browser does not let the page copy. The link is selected: press Ctrl+C.");
    }
  }
}

function onlyHere(link: string): boolean {
  const { hostname } = new URL(link);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

/** Dark modules as one path: a thousand rectangles would show seams. */
function drawCode(modules: readonly (readonly boolean[])[]): SVGSVGElement {
  const SVG = "http://www.w3.org/2000/svg";
  const image = document.createElementNS(SVG, "svg");
  image.setAttribute("viewBox", `0 0 ${modules.length} ${modules.length}`);
  image.setAttribute("shape-rendering", "crispEdges");
  const path = document.createElementNS(SVG, "path");
  let d = "";
  modules.forEach((row, y) => row.forEach((dark, x) => (d += dark ? `M${x} ${y}h1v1h-1z` : "")));
  path.setAttribute("d", d);
  image.append(path);
  return image;
}
