/** Watches whether this tab has anybody to talk to, and tells when that changes: joined, lost contact, back again. */
import type { SwarmModel } from "./ui/swarm-model.ts";

/** A link may be replaced by a better one within a moment. A longer gap is a loss. */
const LOST_AFTER_MS = 1_000;
/** Joining takes well under two seconds. After this time a person wants to know what is wrong. */
const NOBODY_AFTER_MS = 10_000;

export interface ContactEvents {
  /** The first link is there, and the member behind it is known. */
  joined(): void;
  /** For a while after the start there was no link. */
  nobody(): void;
  lost(): void;
  back(): void;
}

export function watchContact(model: SwarmModel, events: ContactEvents): void {
  let hadContact = false;
  let told: "nothing" | "nobody" | "lost" = "nothing";
  let timer: ReturnType<typeof setTimeout> | undefined;

  const update = (): void => {
    // A link comes a moment before the records of the members behind it.
    if (model.facts.linked > 0 && (hadContact || model.facts.present > 1)) {
      clearTimeout(timer);
      timer = undefined;
      if (!hadContact) events.joined();
      else if (told === "lost") events.back();
      hadContact = true;
      told = "nothing";
      return;
    }
    if (timer !== undefined || told !== "nothing") return;
    timer = setTimeout(
      () => {
        timer = undefined;
        if (model.facts.linked > 0) return;
        told = hadContact ? "lost" : "nobody";
        if (hadContact) events.lost();
        else events.nobody();
      },
      hadContact ? LOST_AFTER_MS : NOBODY_AFTER_MS,
    );
  };
  model.onChange(update);
  update();
}
