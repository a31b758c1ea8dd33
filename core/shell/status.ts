/** Exit statuses with a special meaning, as in bash and sysexits.h. */

export const STATUS = {
  ok: 0,
  failed: 1,
  syntax: 2,
  usage: 64,
  notFound: 127,
  interrupted: 130,
  brokenPipe: 141,
} as const;
