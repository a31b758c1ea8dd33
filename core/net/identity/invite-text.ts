/**
 * Invites as people paste them: mail programs and messengers break lines, quote, put links in brackets, end sentences
 * behind them, and write characters as percent signs and numbers. Pure. The check in an invite tells whether one of the
 * readings is an invite.
 */

/** Only this much of a pasted text is looked at: an invite and the mail around it. */
const TEXT_CHARS_MAX = 20_000;
/** The number of lines into which one invite may be broken. */
const PIECES_MAX = 24;
/** Written as percent signs by two programs in turn. */
const ENCODED_TIMES_MAX = 2;

export interface InviteText {
  /** The number behind `v`. */
  readonly version: number;
  /** Candidates for the text behind `v1.`, to be tried in turn. The first is the text as it stands. */
  readonly payloads: readonly string[];
}

/** The invite in the text; undefined if there is none. */
export function inviteIn(pasted: string): InviteText | undefined {
  const text = plain(pasted);
  const match = /#\s*v(\d{1,4})\.([^#]*)/.exec(text) ?? /^[\s<("'[]*v(\d{1,4})\.([^#]*)/.exec(text);
  if (match === null) return undefined;
  const [, version, rest = ""] = match;
  return { version: Number(version), payloads: [...new Set(payloadsOf(rest.trim()))] };
}

/** The page's address: the part of the link before its `#`. */
export function baseIn(pasted: string): string | undefined {
  return /(https?:\/\/[^#<>"']{1,300})#\s*v\d/.exec(plain(pasted))?.[1]?.replaceAll(/\s+/g, "");
}

/** Whether the text, or its part behind the `#`, is empty. */
export function isEmpty(pasted: string): boolean {
  return pasted.slice(pasted.lastIndexOf("#") + 1).trim() === "";
}

function plain(pasted: string): string {
  let text = pasted
    .slice(0, TEXT_CHARS_MAX)
    // Soft hyphens, characters without width, and the soft line breaks of quoted-printable.
    .replaceAll(/[\u00ad\u200b-\u200d\u2060\ufeff]|=\r?\n/g, "");
  for (let time = 0; time < ENCODED_TIMES_MAX; time++) {
    text = text.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return text;
}

/** The first word, then the first two joined, and so on; each also without characters that can't belong to it. */
function payloadsOf(rest: string): string[] {
  // A `>` begins the lines of a quoted mail.
  const words = rest.split(/\s+(?:[>|]\s*)*/).slice(0, PIECES_MAX);
  return words.flatMap((_, i) => {
    const whole = words.slice(0, i + 1).join("");
    const trimmed = whole.replace(/[^\w-]+$/, "");
    return [trimmed, trimmed.replace(/[^\w-].*$/s, "")];
  });
}
