/** Codes among what is pasted where an invite is asked for. Loaded with the page, so it knows no words and no curve. */

/** Where a code leads, pasted in a link or typed: to this page, unless the link is of another. What it is worth is found out there. */
export function codeLinkIn(pasted: string): string | undefined {
  const [link] = /https?:\/\/[^\s#<>"']+#code=[\w-]+/.exec(pasted) ?? [];
  if (link !== undefined) return link;
  const [, code] = /^(?:#?code=)?(\d{1,4}[\s\-_.,+]+\p{L}.{0,200})$/su.exec(pasted.trim()) ?? [];
  return code === undefined ? undefined : `#code=${code.replaceAll(/\s+/g, "-")}`;
}
