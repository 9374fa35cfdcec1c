/** How far ahead the operator wants to be told, as the configuration says it. */
import type { Schema } from '../../shared/config/schema.ts';
import { duration, object } from '../../shared/config/types.ts';

function horizon(of: string, standard: string): Schema<number> {
  return duration({ doc: `${of}; \`0s\`: never.`, default: standard, min: '0s', max: '3650d' });
}

/** Horizons, in milliseconds. */
export const forecastSettings = object({
  doc: 'How near the end of a resource must be for a finding; nearer than a seventh of it, it is critical. A forecast reaches no further ahead than about three times its history.',
  keys: {
    disk: horizon('Space and inodes of a file system will be used up', '7d'),
    memory: horizon('Memory, swap space or file handles will be used up', '1d'),
    battery: horizon('A battery will be empty', '1h'),
    certificate: horizon('A certificate will expire', '14d'),
    wear: horizon('Flash will be worn out', '90d'),
    other: horizon('A value of a device whose `fullAt` or `emptyAt` is said will get there', '1d'),
  },
});
