/** Exit statuses with a meaning of their own, as bash and sysexits.h have them. */

export const STATUS = {
  ok: 0,
  failed: 1,
  syntax: 2,
  usage: 64,
  notFound: 127,
  interrupted: 130,
  brokenPipe: 141,
} as const;
