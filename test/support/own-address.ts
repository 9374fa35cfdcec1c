/** An address of this machine that others can reach: what is served there is encrypted. */
import { networkInterfaces } from 'node:os';

export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (found === undefined) throw new Error('this machine has no address but loopback: `ip link add dummy0 type dummy`');
  return found.address;
}
