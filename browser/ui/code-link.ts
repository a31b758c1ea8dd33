/**
 * Recognises a code that somebody pastes where an invite is asked for. It is loaded with the page, so it has neither
 * the word lists nor the cryptography of codes.
 */

/**
 * The link for a code that was typed, or pasted in a link: that link's page, else this page. Whether the code is valid
 * is found out there.
 */
export function codeLinkIn(pasted: string): string | undefined {
  const [link] = /https?:\/\/[^\s#<>"']+#code=[\w-]+/.exec(pasted) ?? [];
  if (link !== undefined) return link;
  const [, code] = /^(?:#?code=)?(\d{1,4}[\s\-_.,+]+\p{L}.{0,200})$/su.exec(pasted.trim()) ?? [];
  return code === undefined ? undefined : `#code=${code.replaceAll(/\s+/g, "-")}`;
}
