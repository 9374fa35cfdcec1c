/** `keys`: lists the signing keys, makes and replaces them, and carries what an offline key is to sign. */
import { chmod, chown, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDuration } from '../../shared/config/units.ts';
import { codeOf, messageOf, PicketError } from '../../shared/errors.ts';
import { publicKeyEntry } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { KeyRole } from '../../shared/trust/messages.ts';
import { objectOf, parseJson } from '../../shared/trust/strict.ts';
import type { KeysState } from '../keys/api.ts';
import { generateKey, type HeldKey, keyFile, loadKey, saveKey, writeDurably } from '../keys/files.ts';
import {
  encodeRequest,
  encodeSigned,
  parseRequest,
  parseSigned,
  REQUEST_BYTES,
  requestItems,
  signRequest,
} from '../keys/request.ts';
import { checkedRole } from '../keys/service.ts';
import { mayBeOffline, openKeys, workingRoles } from '../keys.ts';
import { getFromCentral, postToCentral } from './api-client.ts';
import { type CentralCommand, type CentralContext, loadConfig, parseOptions } from './context.ts';

const PUBLIC_BYTES = 4096;
const without: Readonly<Partial<Record<KeyRole, string>>> = {
  root: 'no key can be added, replaced or dropped before `keys request`, `keys sign` and `keys take`',
  model: 'no model is released before `keys request`, `keys sign` and `keys take`; machines go on with what they run',
  configuration: 'no configuration is released before `keys request`, `keys sign` and `keys take`',
};

const options = {
  now: { type: 'boolean' },
  public: { type: 'string' },
  expires: { type: 'string' },
  key: { type: 'string', multiple: true },
  out: { type: 'string' },
  data: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const;

interface Call {
  readonly context: CentralContext;
  readonly args: readonly string[];
  readonly values: Readonly<{
    now?: boolean | undefined;
    public?: string | undefined;
    expires?: string | undefined;
    key?: string[] | undefined;
    out?: string | undefined;
    data?: string | undefined;
    config?: string | undefined;
    json?: boolean | undefined;
  }>;
}

const actions: ReadonlyMap<string, (call: Call) => Promise<void>> = new Map([
  ['list', list],
  ['make', make],
  ['rotate', rotate],
  ['export', exportPublic],
  ['offline', moveAway],
  ['request', request],
  ['sign', signFile],
  ['take', take],
]);

export const keysCommand: CentralCommand = {
  usage:
    'keys [list | make ROLE FILE | rotate ROLE | export FILE | offline ROLE FILE | request FILE | sign FILE | take FILE]',
  doc: 'Shows the signing keys, replaces them, and lets some of them be kept elsewhere.',
  options: [
    '  list                 roles, ids, where the private parts lie, and how many machines know each',
    '  make ROLE FILE       a new private key in FILE and its public part in FILE.pub, on any machine; then',
    '                       `rotate ROLE --public FILE.pub` where the central is',
    '  rotate ROLE          a new key for model, configuration, rollout or command; the one before is dropped when all',
    '                       machines know the new one, or at once',
    '    --now              at once (the one before was stolen), or: end a change that is under way',
    '    --public FILE.pub  the new key’s private part is elsewhere (model and configuration)',
    '    --expires 400d     after that nothing that it signs is newly accepted; what runs runs on',
    '  export FILE          the public parts, as JSON',
    '  offline ROLE FILE    moves a private key (root, model, configuration) to FILE, to be carried away',
    '  request FILE         writes what waits for a key that is elsewhere',
    '  sign FILE            signs a request, on a machine with the key; needs nothing of the central',
    '    --key FILE         the private key, any number of times',
    '    --out FILE         where the signatures go (default: the request’s name and .signed)',
    '  take FILE            brings the signatures',
    '',
    '  --data DIR           data directory of the central, where it is not the configuration’s',
    '  --config FILE        its configuration',
    '  --json               for programs',
  ].join('\n'),
  async run(context) {
    const { values, positionals } = parseOptions(context.args, options, 3);
    const [name = 'list', ...args] = positionals;
    const action = actions.get(name);
    if (action === undefined) {
      throw new PicketError(
        'usage.invalid',
        `there is no \`keys ${name.slice(0, 40)}\`: ${[...actions.keys()].join(', ')}.`,
      );
    }
    await action({ context, args, values });
    return 0;
  },
};

async function dataOf({ context, values }: Call): Promise<string> {
  return (await loadConfig(values, context)).config.data;
}

async function list(call: Call): Promise<void> {
  tell(call, (await getFromCentral(await dataOf(call), '/api/v1/keys')) as KeysState);
}

function tell({ context, values }: Call, state: KeysState): void {
  if (values.json) {
    context.stdout(`${JSON.stringify(state, null, 2)}\n`);
    return;
  }
  const rows = state.keys.map(({ role, keyid, state: is, here, notAfterMs, acceptedBy }) => [
    role,
    keyid,
    is,
    here ? 'here' : 'elsewhere',
    notAfterMs === null ? 'for ever' : `until ${new Date(notAfterMs).toISOString().slice(0, 10)}`,
    `${acceptedBy} of ${state.machines} machines`,
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) context.stdout(`${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}\n`);
  context.stdout(`list ${state.version}\n`);
  const shown = state.behind.slice(0, 10).map(({ agent, version }) => `${agent} (${version ?? 'none'})`);
  const more = state.behind.length - shown.length;
  if (shown.length > 0) context.stdout(`older list: ${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''}\n`);
  const { list: listWaits, releases } = state.waiting;
  if (listWaits) context.stdout('a new list waits for the root’s signature: see `picket-central keys request`\n');
  if (releases > 0) context.stdout(`${releases} releases wait for a signature: see \`picket-central keys request\`\n`);
}

async function make({ context, args: [role, file] }: Call): Promise<void> {
  const checked = checkedRole(
    role,
    mayBeOffline.filter((each) => each !== 'root'),
  );
  const path = needed(file);
  await mustNotBe(path);
  const key = await generateKey();
  await saveKey(path, key);
  const entry = { keyid: key.keyid, role: checked, publicKey: key.publicKey };
  await writeDurably(`${path}.pub`, new TextEncoder().encode(`${JSON.stringify(entry, null, 2)}\n`));
  await chmod(`${path}.pub`, 0o644);
  context.stdout(`${key.keyid}\n`);
  context.stderr(`${path} is the private key: keep it; carry ${path}.pub to the central\n`);
}

async function rotate(call: Call): Promise<void> {
  const { context, args, values } = call;
  const role = checkedRole(args[0], workingRoles);
  const lifeMs = values.expires === undefined ? undefined : parseDuration(values.expires);
  if (lifeMs === null || lifeMs === 0) {
    throw new PicketError('usage.invalid', '--expires wants a duration such as `400d`.');
  }
  const publicKey = values.public === undefined ? undefined : await readPublic(values.public, role);
  const body = {
    role,
    ...(values.now ? { now: true } : {}),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(lifeMs === undefined ? {} : { notAfterMs: Math.round(context.nowMs() + lifeMs) }),
  };
  tell(call, (await postToCentral(await dataOf(call), '/api/v1/keys/rotate', body)) as KeysState);
}

async function readPublic(path: string, role: KeyRole): Promise<string> {
  const entry = publicKeyEntry(parseJson(await readBounded(path, PUBLIC_BYTES), PUBLIC_BYTES, path), path);
  if (entry.role === role) return entry.publicKey;
  throw new PicketError('usage.invalid', `${path} is a ${entry.role} key, not a ${role} key.`);
}

async function exportPublic(call: Call): Promise<void> {
  const path = needed(call.args[0]);
  const state = (await getFromCentral(await dataOf(call), '/api/v1/keys')) as KeysState;
  const keys = state.keys.map(({ role, keyid, publicKey }) => ({ keyid, role, publicKey }));
  await writeDurably(path, new TextEncoder().encode(`${JSON.stringify({ version: state.version, keys }, null, 2)}\n`));
  await chmod(path, 0o644);
  call.context.stdout(`${path}: ${keys.length} public keys\n`);
}

/** Copied, read back, and only then deleted where it was. */
async function moveAway(call: Call): Promise<void> {
  const role = checkedRole(call.args[0], mayBeOffline);
  const path = needed(call.args[1]);
  await mustNotBe(path);
  const data = await dataOf(call);
  const own = keyFile(join(data, 'keys'), role);
  const key = await loadKey(own);
  if (key === null) throw new PicketError('conflict', `${own} is not there: the ${role} key is elsewhere already.`);
  await saveKey(path, key);
  if ((await loadKey(path))?.keyid !== key.keyid) throw new PicketError('store.failed', `${path} cannot be read back.`);
  try {
    await postToCentral(data, '/api/v1/keys/offline', { role });
  } catch (error) {
    if (codeOf(error) !== 'central.unreachable') throw error;
    await forgetHere(join(data, 'keys'), role);
  }
  call.context.stdout(`${path}: the ${role} key ${key.keyid}; ${own} is deleted\n`);
  call.context.stderr(`from now on ${without[role]}. Keep two copies: a lost ${role} key cannot be made again\n`);
}

/** No central runs: its files are changed from here, and stay its user's. */
async function forgetHere(directory: string, role: KeyRole): Promise<void> {
  const { uid, gid } = await stat(directory);
  await (await openKeys(directory)).setOffline(role);
  await chown(join(directory, 'keys.json'), uid, gid).catch(() => {});
}

async function request(call: Call): Promise<void> {
  const path = needed(call.args[0]);
  const answer = objectOf(
    await getFromCentral(await dataOf(call), '/api/v1/keys/request'),
    'the answer of the central',
  );
  const items = requestItems(answer.items, 'the answer of the central: items');
  await writeDurably(path, encodeRequest(items, Math.round(call.context.nowMs())));
  for (const { about } of items) call.context.stdout(`${about}\n`);
  const next = 'carry it to the machine with the key: `picket-central keys sign`';
  call.context.stderr(
    items.length === 0 ? 'nothing waits for a signature\n' : `${path}: ${items.length} to sign; ${next}\n`,
  );
}

async function signFile({ context, args, values }: Call): Promise<void> {
  const path = needed(args[0]);
  const files = values.key ?? [];
  if (files.length === 0) throw new PicketError('usage.invalid', 'say with which private key: --key FILE.');
  const keys: HeldKey[] = [];
  for (const file of files) {
    const key = await loadKey(file);
    if (key === null) throw new PicketError('config.unreadable', `there is no file ${file}.`);
    keys.push(key);
  }
  const items = parseRequest(await readBounded(path, REQUEST_BYTES), path);
  const signed = signRequest(items, keys);
  for (const { about } of signed) context.stdout(`${about}\n`);
  if (signed.length === 0) {
    throw new PicketError('conflict', `${path} asks for no signature of ${keys.map(({ keyid }) => keyid).join(', ')}.`);
  }
  const out = values.out ?? `${path}.signed`;
  await writeDurably(out, encodeSigned(signed));
  const left = items.length - signed.length;
  context.stderr(
    `${out}: ${signed.length} signed${left > 0 ? `, ${left} left for other keys` : ''}; back to \`keys take\`\n`,
  );
}

async function take(call: Call): Promise<void> {
  const path = needed(call.args[0]);
  const envelopes = parseSigned(await readBounded(path, REQUEST_BYTES), path);
  const data = await dataOf(call);
  const problems: string[] = [];
  let taken = 0;
  let before = 0;
  for (const envelope of envelopes) {
    try {
      const answer = (await postToCentral(data, '/api/v1/keys/take', envelope)) as { taken?: unknown };
      if (answer.taken === true) taken++;
      else before++;
    } catch (error) {
      // One that is refused keeps the others from nothing.
      if (codeOf(error) === 'central.unreachable') throw error;
      problems.push(`${sha256Hex(Buffer.from(envelope.payload, 'base64')).slice(0, 12)}: ${messageOf(error)}`);
    }
  }
  call.context.stdout(`${taken} taken, ${before} that nothing waits for (any more), ${problems.length} refused\n`);
  if (problems.length > 0) throw new PicketError('signature.invalid', problems.slice(0, 10).join('\n'));
}

function needed(file: string | undefined): string {
  if (file !== undefined) return file;
  throw new PicketError('usage.invalid', 'the file is missing.');
}

async function mustNotBe(path: string): Promise<void> {
  const there = await stat(path).catch(() => null);
  if (there !== null) throw new PicketError('conflict', `${path} is there already: a key is never written over.`);
}

async function readBounded(path: string, most: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    const { size } = await file.stat().finally(() => file.close());
    if (size <= most) return await readFile(path);
  } catch (error) {
    throw new PicketError('config.unreadable', `cannot read ${path}: ${messageOf(error)}.`, {}, error);
  }
  throw new PicketError('payload.too_large', `${path} is larger than ${most} bytes.`);
}
