/** The keys of full-screen programs. */
import type { Keys } from "../editor-keys.ts";

export type ScreenKeyName =
  | "enter"
  | "tab"
  | "backspace"
  | "delete"
  | "left"
  | "right"
  | "up"
  | "down"
  | "home"
  | "end"
  | "page-up"
  | "page-down"
  | "word-left"
  | "word-right"
  | "document-start"
  | "document-end"
  | "escape"
  | "interrupt"
  | "suspend"
  | "undo"
  | "redo"
  | "save"
  | "search"
  | "quit"
  | "cut-line"
  | "half-down"
  | "half-up"
  | "redraw"
  | "cancel";

export const SCREEN_KEYS: Keys<ScreenKeyName> = {
  control: {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\b": "backspace",
    "\x01": "home",
    "\x05": "end",
    "\x03": "interrupt",
    "\x1a": "suspend",
    "\x1f": "undo",
    "\x19": "redo",
    "\x13": "save",
    "\x06": "search",
    "\x11": "quit",
    "\x0b": "cut-line",
    "\x04": "half-down",
    "\x15": "half-up",
    "\x0c": "redraw",
    "\x07": "cancel",
  },
  sequences: {
    "[A": "up",
    "[B": "down",
    "[C": "right",
    "[D": "left",
    OA: "up",
    OB: "down",
    OC: "right",
    OD: "left",
    "[H": "home",
    "[F": "end",
    OH: "home",
    OF: "end",
    "[1~": "home",
    "[4~": "end",
    "[7~": "home",
    "[8~": "end",
    "[3~": "delete",
    "[5~": "page-up",
    "[6~": "page-down",
    "[1;5C": "word-right",
    "[1;5D": "word-left",
    "[1;3C": "word-right",
    "[1;3D": "word-left",
    "[1;5H": "document-start",
    "[1;5F": "document-end",
    f: "word-right",
    b: "word-left",
    "<": "document-start",
    ">": "document-end",
  },
  escape: "escape",
};
