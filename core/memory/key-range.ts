/** A range of keys as its two ends. Pure. */
import type { KeyRange } from "./types.ts";

export interface Bounds {
  readonly from: string;
  /** Undefined: without end. */
  readonly to: string | undefined;
  readonly isReverse: boolean;
}

export function boundsOf(range: string | KeyRange): Bounds {
  const { prefix = "", from = "", to, reverse = false } = typeof range === "string" ? { prefix: range } : range;
  const end = after(prefix);
  return {
    from: from > prefix ? from : prefix,
    to: to === undefined || (end !== undefined && end < to) ? end : to,
    isReverse: reverse,
  };
}

/** The first text after all that begin so; undefined: there is none. It need not be well-formed. */
function after(prefix: string): string | undefined {
  for (let length = prefix.length; length > 0; length--) {
    const unit = prefix.charCodeAt(length - 1);
    if (unit < 0xffff) return prefix.slice(0, length - 1) + String.fromCharCode(unit + 1);
  }
  return undefined;
}
