/**
 * Replaces libp2p's own log. What matters of it comes as errors, and a logger for each stream costs more than the
 * stream.
 */
import type { ComponentLogger, Logger } from "@libp2p/interface";

const silent: Logger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silent,
});

export const silentLogger: ComponentLogger = { forComponent: () => silent };
