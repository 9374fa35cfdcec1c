import { createPrivateKey, X509Certificate } from 'node:crypto';
import { access, mkdtemp, readFile, rmdir } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type Address, formatAddress } from '../../shared/address.ts';
import { type ErrorCode, errorTable, messageOf } from '../../shared/errors.ts';
import { DAY_MS } from '../../shared/limits.ts';
import { openTarget } from '../alerts/targets/registry.ts';
import type { CentralConfig } from '../config.ts';
import { readCentralState } from '../state-files.ts';
import {
  type CentralCommand,
  type CentralContext,
  loadConfig,
  overrideHelp,
  overrideOptions,
  parseOptions,
} from './context.ts';

const connectMs = 5000;
const renewDays = 30;

type Finding = { readonly text: string; readonly code?: ErrorCode };

export const checkCommand: CentralCommand = {
  usage: 'check [--http HOST:PORT] [--mqtt HOST:PORT] [--data DIR] [--config FILE]',
  doc: 'Checks the configuration, the data directory, the addresses and the certificates.',
  options: overrideHelp,
  async run(context) {
    const { values } = parseOptions(context.args, overrideOptions);
    const { config, file } = await loadConfig(values, context);
    const findings: readonly [string, Finding][] = [
      ['config', { text: file === null ? `none at ${context.usualConfig}: the defaults` : `${file} is right` }],
      ['data', await checkDirectory(config.data)],
      ['http', await checkListen(config.http.listen, config)],
      ['broker', await checkBroker(config)],
      ['tls', await checkTls(config, context)],
      ['alerts', await checkAlerts(config, context)],
    ];
    for (const [name, { text }] of findings) context.stdout(`${name.padEnd(8)}${text}\n`);
    const wrong = findings.find(([, finding]) => finding.code !== undefined)?.[1].code;
    return wrong === undefined ? 0 : errorTable[wrong].exit;
  },
};

async function checkDirectory(dataDir: string): Promise<Finding> {
  try {
    if (await isThere(dataDir)) await rmdir(await mkdtemp(join(dataDir, '.check-')));
    else
      return {
        text: `${dataDir} is not there yet; it is made at the first start below ${await nearestExisting(dataDir)}`,
      };
    return { text: `${dataDir} can be written` };
  } catch (error) {
    return { text: `${dataDir} cannot be written: ${messageOf(error)}`, code: 'store.failed' };
  }
}

async function nearestExisting(path: string): Promise<string> {
  let at = path;
  while (dirname(at) !== at && !(await isThere(at))) at = dirname(at);
  return at;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Listens for a moment: the only proof that the address is there and free. */
async function checkListen(address: Address, config: CentralConfig): Promise<Finding> {
  const text = formatAddress(address);
  const problem = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(address.port, address.host, () => server.close(() => resolve(null)));
  });
  if (problem === null) return { text: `${text} is free` };
  if (problem.code === 'EADDRINUSE' && (await isRunning(config)))
    return { text: `${text} is taken, by the central that runs` };
  return { text: `${text} cannot be listened on: ${messageOf(problem)}`, code: 'listen.failed' };
}

function isRunning(config: CentralConfig): Promise<boolean> {
  return readCentralState(config.data)
    .then(
      ({ pid }) => {
        process.kill(pid, 0);
        return true;
      },
      () => false,
    )
    .catch((error: NodeJS.ErrnoException) => error.code === 'EPERM');
}

async function checkBroker({ broker, mqtt, ...rest }: CentralConfig): Promise<Finding> {
  if (broker.kind === 'embedded') {
    const { text, code } = await checkListen(mqtt.listen, { broker, mqtt, ...rest });
    return { text: `embedded, ${text}`, ...(code === undefined ? {} : { code }) };
  }
  const url = new URL(broker.url);
  const port = url.port === '' ? (url.protocol === 'mqtts:' ? 8883 : 1883) : Number(url.port);
  const problem = await new Promise<Error | null>((resolve) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port, timeout: connectMs });
    socket.once('connect', () => resolve(null));
    socket.once('timeout', () => resolve(new Error(`no answer within ${connectMs / 1000} s`)));
    socket.once('error', resolve);
    socket.once('close', () => resolve(new Error('closed')));
  });
  if (problem === null) return { text: `external, ${broker.url} answers` };
  return { text: `external, ${broker.url} does not answer: ${messageOf(problem)}`, code: 'central.unreachable' };
}

/** Nothing is sent: `alerts --test` does that. */
async function checkAlerts({ alerts }: CentralConfig, { nowMs }: CentralContext): Promise<Finding> {
  const { targets } = alerts;
  if (targets.length === 0) return { text: 'nobody is told: `alerts.targets` is empty' };
  try {
    for (const target of targets) (await openTarget(target, nowMs)).close();
  } catch (error) {
    return { text: messageOf(error), code: 'config.unreadable' };
  }
  return { text: `${targets.map(({ name }) => name).join(', ')}; \`picket-central alerts --test\` tries them` };
}

async function checkTls({ tls, http }: CentralConfig, { nowMs }: CentralContext): Promise<Finding> {
  if (tls === 'off') return { text: 'off: only this machine can connect' };
  if (tls === 'auto')
    return { text: `auto, for ${formatAddress(http.listen)}: on loopback plain, else by a CA of its own` };
  try {
    const certificate = new X509Certificate(await readFile(tls.certificate));
    if (!certificate.checkPrivateKey(createPrivateKey(await readFile(tls.key)))) {
      return { text: `${tls.key} is not the key of ${tls.certificate}`, code: 'config.invalid' };
    }
    if (tls.ca !== undefined) new X509Certificate(await readFile(tls.ca));
    const days = Math.floor((Date.parse(certificate.validTo) - nowMs()) / DAY_MS);
    const names = certificate.subjectAltName ?? certificate.subject;
    if (days < 0) return { text: `${tls.certificate} ended ${-days} days ago`, code: 'config.invalid' };
    return { text: `${tls.certificate} for ${names}, good for ${days} days${days < renewDays ? ': renew it' : ''}` };
  } catch (error) {
    return { text: `the certificate or its key cannot be used: ${messageOf(error)}`, code: 'config.unreadable' };
  }
}
