/** A broker's certificate whose dates do not fit the agent's clock: all else about it must be right. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { problemBesideDates } from '../../agent/link/pinned.ts';
import { issueCertificate, makeCa, type PemPair } from '../../central/certificates.ts';
import { DAY_MS } from '../../shared/limits.ts';

const nowMs = Date.now();
const HOST = '127.0.0.1';
/** Certificates of then are expired now, and of later not valid yet; a server's lives for 395 days from its making. */
const LONG_AGO_MS = nowMs - 500 * DAY_MS;
const LATER_MS = nowMs + 500 * DAY_MS;

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

/** What an agent that pins `ca` says of a server with this certificate. */
async function problemOf(
  pair: PemPair,
  ca: string,
  host = HOST,
  latestCentralMs: number | null = null,
): Promise<string | null> {
  server = createServer(pair, (socket) => socket.end()).listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket = connect({ host: HOST, port, ca, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const problem = socket.authorized ? null : problemBesideDates(socket, host, ca, latestCentralMs);
  socket.destroy();
  return problem === null ? null : problem.message;
}

test('one that is not valid yet, or not any more, by a clock that is wrong: it is the central', async () => {
  for (const madeMs of [LONG_AGO_MS, LATER_MS]) {
    const ca = await makeCa(madeMs);
    expect(await problemOf(await issueCertificate(ca, [HOST], madeMs), ca.cert)).toBeNull();
  }
});

test('one that ended before the latest time that the central was heard at has expired, whatever the clock says', async () => {
  const ca = await makeCa(LONG_AGO_MS);
  const pair = await issueCertificate(ca, [HOST], LONG_AGO_MS);
  expect(await problemOf(pair, ca.cert, HOST, nowMs)).toContain('expired');
  expect(await problemOf(pair, ca.cert, HOST, LONG_AGO_MS + 390 * DAY_MS)).toBeNull();
});

test('wrong dates hide nothing else: another CA, another host, a leaf that signs', async () => {
  for (const madeMs of [LONG_AGO_MS, LATER_MS]) {
    const ca = await makeCa(madeMs);
    const other = await makeCa(madeMs);
    const pair = await issueCertificate(ca, [HOST], madeMs);
    expect(await problemOf(pair, other.cert)).toMatch(/not of the pinned CA|refused/);
    expect(await problemOf(pair, ca.cert, '127.0.0.2')).toContain('127.0.0.2');
    // Its issuer's name alone is no proof: signed by the leaf of the pinned CA.
    const forged = await issueCertificate({ key: pair.key, cert: ca.cert }, [HOST], madeMs);
    expect(await problemOf(forged, ca.cert)).toMatch(/not of the pinned CA|refused/);
  }
});
