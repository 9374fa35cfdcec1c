import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brokerServer, formatAddress, isLoopback, parseAddress } from './address.ts';

test.each([
  ['127.0.0.1:7070', '127.0.0.1', 7070],
  ['0.0.0.0:0', '0.0.0.0', 0],
  ['[::1]:1883', '::1', 1883],
  ['[::]:80', '::', 80],
  ['[fe80::1:2]:65535', 'fe80::1:2', 65_535],
  ['[::ffff:10.0.0.1]:1', '::ffff:10.0.0.1', 1],
  ['central.example:443', 'central.example', 443],
])('%s', (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port });
  expect(formatAddress(parseAddress(text))).toBe(text);
});

test.each([
  ['::1:7070', /brackets/],
  ['7070', /port is missing/],
  [':7070', /host is missing/],
  ['127.0.0.1', /port is missing/],
  ['127.0.0.1:', /not `host:port`/],
  ['127.0.0.1:65536', /at most 65535/],
  ['127.0.0.1:-1', /not `host:port`/],
  ['127.0.0.1:7070x', /not `host:port`/],
  ['256.0.0.1:1', /IPv4/],
  ['1.2.3:1', /IPv4/],
  ['[::1:1', /not `host:port`|brackets/],
  ['[1::2::3]:1', /IPv6/],
  ['[12345::]:1', /IPv6/],
  ['[1:2:3]:1', /IPv6/],
  ['http://a:1', /./],
  ['a b:1', /not `host:port`/],
  ['a\n:1', /./],
  ['', /port is missing/],
])('%j is refused', (text, message) => {
  expect(() => parseAddress(text)).toThrow(message);
});

test('any text is parsed or refused, and what is parsed can be written', () => {
  const near = fc.string({ unit: fc.constantFrom(...'0123456789abcf:.[]-') });
  fc.assert(
    fc.property(
      fc.oneof(
        near,
        fc.ipV6().map((ip) => `[${ip}]:1`),
        fc.ipV4().map((ip) => `${ip}:1`),
      ),
      (text) => {
        let address: ReturnType<typeof parseAddress>;
        try {
          address = parseAddress(text);
        } catch (error) {
          expect((error as Error).message).not.toBe('');
          return;
        }
        expect(parseAddress(formatAddress(address))).toEqual(address);
      },
    ),
  );
});

test('every IPv6 address is taken in brackets', () => {
  fc.assert(
    fc.property(fc.ipV6(), (ip) => {
      expect(parseAddress(`[${ip}]:1`).host).toBe(ip);
    }),
  );
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['localhost', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.example.com', false],
  ['localhost.example.com', false],
])('%s on loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each([
  ['mqtt://127.0.0.1:1883', { protocol: 'mqtt', host: '127.0.0.1', port: 1883 }],
  ['mqtts://[fd00::1]:8883', { protocol: 'mqtts', host: 'fd00::1', port: 8883 }],
  ['mqtts://central.example', { protocol: 'mqtts', host: 'central.example' }],
])('the broker %s', (url, server) => {
  expect(brokerServer(url)).toEqual(server);
});
