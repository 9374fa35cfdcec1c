/** `host:port` as operators write it: a name, an IPv4 address, or an IPv6 address in brackets; port 0 takes a free one. */

export interface Address {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

export const addressPattern = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$';

/** Parses `127.0.0.1:7070`, `[::1]:0`, `localhost:80`; throws an Error whose message says what is wrong. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(text);
  if (match === null) {
    if (/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:/.test(text)) throw new Error('Put an IPv6 address in brackets: `[::1]:7070`.');
    if (!text.includes(':')) throw new Error('The port is missing: `127.0.0.1:7070`.');
    if (text.startsWith(':')) throw new Error('The host is missing: `0.0.0.0` listens on every address.');
    throw new Error('It is not `host:port`.');
  }
  const port = Number(match[3]);
  if (port > 65_535) throw new Error('A port is at most 65535.');
  const host = match[1] ?? match[2]!;
  if (/^[\d.]+$/.test(host) && !isIpv4(host)) throw new Error('An IPv4 address is four numbers from 0 to 255.');
  if (match[1] !== undefined && !isIpv6(host)) throw new Error('What stands in the brackets is no IPv6 address.');
  return { host, port };
}

/** The other way round, with brackets where they belong. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The parts of `mqtt://host:port` as MQTT.js takes them: a text it parses by Node's deprecated `url.parse`, which is
 * warned about on standard error.
 */
export function brokerServer(url: string): { protocol: 'mqtt' | 'mqtts'; host: string; port?: number } {
  const { protocol, hostname, port } = new URL(url);
  return {
    protocol: protocol === 'mqtts:' ? 'mqtts' : 'mqtt',
    host: hostname.replace(/^\[|\]$/g, ''),
    ...(port === '' ? {} : { port: Number(port) }),
  };
}

/** Whether only this machine can reach it (RFC 1122 3.2.1.3, RFC 4291 2.5.3). */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1' || host === '0:0:0:0:0:0:0:1') return true;
  const plain = host.toLowerCase().startsWith('::ffff:') ? host.slice(7) : host;
  return plain.startsWith('127.') && isIpv4(plain);
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  let count = groups.length;
  if (last?.includes('.')) {
    if (!isIpv4(last)) return false;
    groups.pop();
    count++;
  }
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count < 8 : count === 8;
}
