/** The regular expressions of sed. Pure. */
import { StarfishError } from "../../base/errors.ts";
import { posixSource } from "../language/posix-regex.ts";

export interface RegexFlags {
  readonly isExtended: boolean;
  readonly ignoreCase?: boolean;
  readonly isMultiline?: boolean;
}

/** Throws "usage". */
export function sedRegex(pattern: string, { isExtended, ignoreCase, isMultiline }: RegexFlags): RegExp {
  const source = posixSource(pattern, { isExtended, isSed: true });
  try {
    return new RegExp(source, `dgsu${ignoreCase === true ? "i" : ""}${isMultiline === true ? "m" : ""}`);
  } catch {
    throw new StarfishError("usage", `invalid regular expression: ${pattern}`);
  }
}
