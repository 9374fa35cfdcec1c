/** Where the central is reached and how it is encrypted: plain on loopback, TLS on any other address. */
import { readFile } from 'node:fs/promises';
import { formatAddress, isLoopback } from '../../shared/address.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { hostsOfListener, openOperatorTls, openOwnTls, type TlsKeeper } from '../ca.ts';
import type { CentralConfig } from '../config.ts';
import { PasswordFile } from '../password-file.ts';

type Listener = 'http' | 'mqtt';

/** Whether this listener is encrypted. */
export function usesTls(config: CentralConfig, listener: Listener): boolean {
  return config.tls !== 'off' && !isLoopback(config[listener].listen.host);
}

/** The certificates, or null where everything is on loopback. */
export async function openTls(config: CentralConfig, nowMs: () => number): Promise<TlsKeeper | null> {
  if (config.tls === 'off') return null;
  const listeners: Listener[] = config.broker.kind === 'embedded' ? ['http', 'mqtt'] : ['http'];
  const encrypted = listeners.filter((listener) => usesTls(config, listener));
  if (encrypted.length === 0) return null;
  if (typeof config.tls === 'object') {
    const { certificate, key, ca } = config.tls;
    return await openOperatorTls({
      certificateFile: certificate,
      keyFile: key,
      ...(ca === undefined ? {} : { caFile: ca }),
    });
  }
  const hosts = encrypted.flatMap((listener) => hostsOfListener(config[listener].listen.host));
  if (config.publicUrl !== undefined) hosts.push(new URL(config.publicUrl).hostname.replace(/^\[|\]$/g, ''));
  return await openOwnTls({ directory: `${config.data}/tls`, hosts, nowMs });
}

/** The PEM of the external broker's CA; null where none is configured. */
export async function externalCa(config: CentralConfig): Promise<string | null> {
  if (config.broker.kind !== 'external' || config.broker.ca === undefined) return null;
  const file = config.broker.ca;
  return await readFile(file, 'utf8').catch((error: unknown) => {
    throw new PicketError('config.unreadable', `broker.ca: cannot read ${file}: ${messageOf(error)}`, {}, error);
  });
}

/** The external broker's file of passwords, with the central's own line; null where none is configured. */
export async function brokerPasswords({ broker }: CentralConfig): Promise<PasswordFile | null> {
  if (broker.kind !== 'external' || broker.passwords === undefined) return null;
  const file = await PasswordFile.open(broker.passwords);
  if (broker.username !== undefined && broker.password !== undefined) await file.set(broker.username, broker.password);
  return file;
}

/** A wildcard address is listened on, not reached: then the machine's first address that others can reach. */
export function reachable(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const [, ...addresses] = hostsOfListener(host);
  const ofFamily = addresses.filter((address) => host === '::' || !address.includes(':'));
  return ofFamily.find((address) => !isLoopback(address)) ?? (host === '::' ? '::1' : '127.0.0.1');
}

/** What agents are told of the embedded broker: the host by which they reached the central, the broker's port. */
export function brokerUrl(config: CentralConfig, port: number, url: string): string {
  const scheme = usesTls(config, 'mqtt') ? 'mqtts' : 'mqtt';
  const listened = config.mqtt.listen.host;
  const wildcard = listened === '0.0.0.0' || listened === '::';
  const host = wildcard ? new URL(url).hostname.replace(/^\[|\]$/g, '') : listened;
  return `${scheme}://${formatAddress({ host, port })}`;
}
