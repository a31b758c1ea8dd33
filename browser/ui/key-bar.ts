/**
 * Keys that phones lack, on a bar above the on-screen keyboard. It is shown if the main pointer is a finger. While
 * somebody types, the page uses the part of the screen above the keyboard, and the lines below the page make room.
 */
import { byId } from "./dom.ts";
import type { PageTerminal } from "./terminal.ts";

const KEYS: readonly (readonly [label: string, name: string, data: string])[] = [
  ["Tab", "Tab, completes", "\t"],
  ["Ctrl-C", "Control C, cancels", "\x03"],
  ["Ctrl-Z", "Control Z, pauses", "\x1a"],
  ["Ctrl-R", "Control R, searches the lines before", "\x12"],
  ["Esc", "Escape", "\x1b"],
  ["←", "Left", "\x1b[D"],
  ["→", "Right", "\x1b[C"],
  ["↑", "Up, the line before", "\x1b[A"],
  ["↓", "Down, the next line", "\x1b[B"],
  ["|", "Pipe", "|"],
];

/** If the viewport is smaller than the page by more than this, a keyboard covers it, px. */
const KEYBOARD_PX = 120;

export function showKeyBar(terminal: PageTerminal): void {
  const bar = byId("keys", HTMLElement);
  for (const [label, name, data] of KEYS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.setAttribute("aria-label", name);
    // Keeps the focus, and so the keyboard.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => terminal.type(data));
    bar.append(button);
  }
  const finger = matchMedia("(pointer: coarse)");
  const update = (): void => {
    bar.hidden = !finger.matches;
  };
  finger.addEventListener("change", update);
  update();
  followKeyboard(finger);
}

/** Some browsers lay the keyboard over the page instead of resizing it; visualViewport tells what is left. */
function followKeyboard(finger: MediaQueryList): void {
  const viewport = window.visualViewport;
  if (viewport === null) return;
  let tallest = viewport.height;
  let { width } = viewport;
  const update = (): void => {
    if (viewport.scale !== 1) return;
    // A keyboard only takes height. Another width means another window, orientation or zoom of the page.
    tallest = viewport.width === width ? Math.max(tallest, viewport.height) : viewport.height;
    ({ width } = viewport);
    document.body.style.setProperty("--height", `${viewport.height}px`);
    document.body.classList.toggle("typing", finger.matches && tallest - viewport.height > KEYBOARD_PX);
    window.scrollTo(0, 0);
  };
  viewport.addEventListener("resize", update);
}
