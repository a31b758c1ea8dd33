/** Whether the browser tells of new mail while the page is out of sight; only if its person has asked for that. */
import { readSetting, writeSetting } from "../../settings.ts";
import { setText } from "../dom.ts";
import { button, make } from "../make.ts";

/** Undefined if the browser has no notifications for this page. */
export function notifyControl(say: (words: string) => void): HTMLElement {
  if (!("Notification" in globalThis) || !isSecureContext) return make("p", { hidden: true });
  const isOn = (): boolean => readSetting("mail-notify") === "on" && Notification.permission === "granted";
  const show = (): void => {
    toggle.ariaPressed = String(isOn());
    setText(toggle, isOn() ? "Don't notify me" : "Notify me of mail");
  };
  const turn = async (): Promise<void> => {
    if (isOn()) {
      writeSetting("mail-notify", "off");
      say("No more notifications.");
    } else if ((await Notification.requestPermission()) === "granted") {
      writeSetting("mail-notify", "on");
      say("The browser will notify you of mail and files for you while this page is out of sight.");
    } else {
      say("The browser does not let this page notify you: allow it in the settings of this site.");
    }
    show();
  };
  const toggle = button("", () => void turn(), { id: "mail-notify" });
  show();
  const words = "The browser then shows who has written while this page is out of sight.";
  return make("p", { class: "notify" }, toggle, make("small", {}, words));
}
