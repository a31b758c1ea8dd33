/** In the page, in place of @libp2p/logger: hears everything and says nothing. */
import type { ComponentLogger, Logger } from "@libp2p/interface";

const silent: Logger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silent,
});

export function defaultLogger(): ComponentLogger {
  return { forComponent: () => silent };
}
